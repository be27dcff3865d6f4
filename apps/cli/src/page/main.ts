/** The page that `predict` opens: loads a model once, runs what it is told, answers everything. */
import { isOwletError, type LoadReport, loadOwlet, type Media, type Owlet, OwletError } from '@owlet/client';
import { captionFindings, find } from './find.ts';
import type { Answer, CaptionRequest, Findings, PageMedia, PredictPage } from './protocol.ts';

/** A file that is being opened or is open. */
interface Opening {
  readonly media: Promise<Media>;
  /** Whether a result has told how long the opening took. */
  wasTold: boolean;
}

let owlet: Owlet | undefined;
const openings = new Map<string, Opening>();

/** Bytes that were fetched before they were asked for. */
const fetched = new Map<string, Promise<File>>();

function failure(error: unknown): Answer<never> {
  if (isOwletError(error)) {
    return { ok: false, error: { code: error.code, message: error.message }, remedy: error.remedy };
  }
  return { ok: false, error: { code: 'INTERNAL', message: String(error) } };
}

async function answer<T>(work: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return failure(error);
  }
}

function loaded(): Owlet {
  if (owlet === undefined) throw new TypeError('The model has not been loaded');
  return owlet;
}

/** The file's bytes under its name below the folder, which is how error messages call it. */
async function fetchFile({ url, name }: PageMedia): Promise<File> {
  const response = await fetch(url);
  if (!response.ok) {
    throw new OwletError('MEDIA_NOT_FOUND', {
      message: `${name} could not be read: ${await response.text()}.`,
      stage: 'open',
      object: name,
      remedy: 'Check that the file still exists and may be read.',
    });
  }
  return new File([await response.blob()], name);
}

function fetchAhead(file: PageMedia): void {
  const fetching = fetchFile(file);
  // Told by the run that awaits it, which may come later.
  fetching.catch(() => {});
  fetched.set(file.url, fetching);
}

function takeFile(file: PageMedia): Promise<File> {
  const fetching = fetched.get(file.url) ?? fetchFile(file);
  fetched.delete(file.url);
  return fetching;
}

async function captionAll(
  { beams }: CaptionRequest,
  files: readonly PageMedia[],
  ahead: readonly PageMedia[],
): Promise<readonly Answer<Findings>[]> {
  const there = await Promise.all(files.map((file) => answer(() => takeFile(file))));
  for (const file of ahead) fetchAhead(file);
  const answers: Answer<Findings>[] = there.map((file) => (file.ok ? failure('it was not captioned') : file));
  const places = [...there.keys()].filter((place) => there[place]?.ok);
  const sources = there.flatMap((file) => (file.ok ? [file.value] : []));
  for await (const item of loaded().captionAll(sources, { beams, batch: files.length })) {
    answers[places[item.index] ?? -1] =
      'error' in item ? failure(item.error) : { ok: true, value: captionFindings(item.result, item.info) };
  }
  return answers;
}

function open(file: PageMedia): Opening {
  const known = openings.get(file.url);
  if (known !== undefined) return known;
  const media = fetchFile(file).then((bytes) => loaded().open(bytes));
  // Told by the run that awaits it, which may come later.
  media.catch(() => {});
  const opening = { media, wasTold: false };
  openings.set(file.url, opening);
  return opening;
}

function describe({ plan, warnings }: LoadReport): string[] {
  const graphs = new Map<string, string[]>();
  for (const { graph, device, variant, threads, reason } of plan) {
    const on = device === 'wasm' ? `wasm with ${threads} thread${threads === 1 ? '' : 's'}` : device;
    const where = `${on}, ${variant} (${reason})`;
    graphs.set(where, [...(graphs.get(where) ?? []), graph]);
  }
  const places = [...graphs].map(([where, names]) => `${names.join(', ')}: ${where}`);
  return [...places, ...warnings.map(({ message }) => message)];
}

const page: PredictPage = {
  load: (model, device, tasks) =>
    answer(async () => {
      owlet = await loadOwlet({ model, device, tasks });
      return describe(owlet.report);
    }),
  captionAll: (request, files, ahead) => answer(() => captionAll(request, files, ahead)),
  prepare: (file) => {
    open(file);
  },
  run: (request, file) =>
    answer(async () => {
      const opening = file && open(file);
      const media = () => {
        if (opening === undefined) throw new TypeError(`The task ${request.task} needs a file`);
        return opening.media;
      };
      return find(loaded(), request, media, async () => {
        if (opening === undefined || opening.wasTold) return undefined;
        opening.wasTold = true;
        return (await opening.media).info;
      });
    }),
  release: (url) => {
    openings.get(url)?.media.then(
      (media) => media.dispose(),
      () => {},
    );
    openings.delete(url);
  },
};

Object.assign(globalThis, { owletPredict: page });
