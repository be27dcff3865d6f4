/** The page that `predict` opens: loads a model once, captions one file after another, answers everything. */
import { type CaptionResult, isOwletError, type LoadReport, loadOwlet, type Owlet, OwletError } from '@owlet/client';
import type { Answer, PredictPage } from './protocol.ts';

let owlet: Owlet | undefined;

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

/** The file's bytes under its name below the folder, which is how error messages call it. */
async function fetchFile(url: string, name: string): Promise<File> {
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

/** Graphs may run on different devices; one word stands for all, that of the graph that runs most often. */
function decoderDevice({ devices }: CaptionResult): string {
  return devices['decoder.step'] ?? Object.values(devices).at(-1) ?? 'unknown';
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
  load: (model, device) =>
    answer(async () => {
      owlet = await loadOwlet({ model, device, tasks: ['caption'] });
      return describe(owlet.report);
    }),
  caption: (url, name) =>
    answer(async () => {
      if (owlet === undefined) throw new TypeError('The model has not been loaded');
      const media = await owlet.open(await fetchFile(url, name));
      try {
        const result = await media.caption();
        const timings = Object.entries({ ...media.info.timings, ...result.timings });
        return {
          text: result.text,
          logprob: result.logprob,
          device: decoderDevice(result),
          timings: Object.fromEntries(timings.map(([stage, ms]) => [stage, Math.round(ms * 100) / 100])),
        };
      } finally {
        media.dispose();
      }
    }),
};

Object.assign(globalThis, { owletPredict: page });
