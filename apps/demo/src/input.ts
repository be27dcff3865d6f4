import { find } from './view/find.ts';

/** Whether what is dragged holds a file; only then does the page offer to take it. */
function holdsFile(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes('Files') ?? false;
}

/**
 * Takes photos and videos by drop (anywhere on the page), by the file chooser and by paste.
 *
 * @param onFile called with one file at a time, whatever it is: what it is is told by opening it
 */
export function listenForFiles(onFile: (file: File) => void): void {
  const { body } = document;
  const chooser = find('file', HTMLInputElement);
  const take = (files: FileList | undefined | null): boolean => {
    const file = files?.[0];
    if (file !== undefined) onFile(file);
    return file !== undefined;
  };

  document.addEventListener('dragover', (event) => {
    if (!holdsFile(event)) return;
    event.preventDefault();
    body.classList.add('is-dropping');
  });
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) body.classList.remove('is-dropping');
  });
  document.addEventListener('drop', (event) => {
    body.classList.remove('is-dropping');
    if (!holdsFile(event)) return;
    event.preventDefault();
    take(event.dataTransfer?.files);
  });
  document.addEventListener('paste', (event) => {
    if (take(event.clipboardData?.files)) event.preventDefault();
  });
  chooser.addEventListener('change', () => {
    take(chooser.files);
    // So that the same file can be chosen again.
    chooser.value = '';
  });
}
