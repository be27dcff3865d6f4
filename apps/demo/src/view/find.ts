/**
 * An element of the page by its id, of the kind that it must be.
 *
 * @throws TypeError when the page doesn't have it
 */
export function find<E extends HTMLElement>(id: string, kind: new () => E): E {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new TypeError(`The page has no ${kind.name} with the id ${id}`);
  return element;
}

/**
 * Hides an element. The focus, where it was inside, goes to the first field of the section around it, or to the chooser:
 * else the browser would drop it to the top of the page.
 */
export function hide(element: HTMLElement): void {
  const hadFocus = element.contains(document.activeElement);
  element.hidden = true;
  const field = element.parentElement?.closest('section')?.querySelector('input');
  if (hadFocus) (field ?? find('file', HTMLInputElement)).focus();
}

/** A new element with text in it; text never becomes markup. */
export function make<T extends keyof HTMLElementTagNameMap>(
  tag: T,
  { text, className }: { text?: string; className?: string } = {},
): HTMLElementTagNameMap[T] {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className !== undefined) element.className = className;
  return element;
}
