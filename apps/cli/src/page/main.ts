/** The page that `predict` opens: loads a model once, runs one task after another, answers everything. */
import { isOwletError, type LoadReport, loadOwlet, type Media, type Owlet, OwletError } from '@owlet/client';
import { find } from './find.ts';
import type { Answer, PageMedia, PredictPage } from './protocol.ts';

/** A file that is being opened or is open. */
interface Opening {
  readonly media: Promise<Media>;
  /** Whether a result has told how long the opening took. */
  wasTold: boolean;
}

let owlet: Owlet | undefined;
const openings = new Map<string, Opening>();

async function answer<T>(work: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    if (isOwletError(error)) {
      return { ok: false, error: { code: error.code, message: error.message }, remedy: error.remedy };
    }
    return { ok: false, error: { code: 'INTERNAL', message: String(error) } };
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
  prepare: (file) => {
    open(file);
  },
  run: (request, file) =>
    answer(async () => {
      const opening = file && open(file);
      const findings = await find(loaded(), request, () => {
        if (opening === undefined) throw new TypeError(`The task ${request.task} needs a file`);
        return opening.media;
      });
      const untold = opening === undefined || opening.wasTold ? undefined : (await opening.media).info;
      if (opening !== undefined) opening.wasTold = true;
      const stages = Object.entries({ ...untold?.timings, ...findings.timings });
      const timings = stages.map(([stage, ms]) => [stage, Math.round(ms * 100) / 100]);
      return { ...findings, timings: Object.fromEntries(timings) };
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
