import type { Manifest } from '@owlet/manifest';
import type { TaskEvent, TaskRequests } from '@owlet/protocol';
import type { NamedTensors } from '../src/engine.ts';
import { OpenMedia } from '../src/open-media.ts';
import { runTask } from '../src/tasks/run-task.ts';
import { createTaskModel, type TaskModel } from '../src/tasks/task-model.ts';
import { createTokenizer } from '../src/tokenizer.ts';
import { FakeRunner } from './fake-runner.ts';
import { readTiny, manifest as tiny } from './golden-runner.ts';
import { logSoftmax, type ToyModel } from './toy-decoder.ts';

export const never = new AbortController().signal;

const VOCABULARY = 23;
const file = (path: string) => ({ path, bytes: readTiny(path) });
export const tokenizer = createTokenizer(file('tokenizer.json'), file('tokenizer_config.json'));

/** Says "two dogs in the snow" whatever it has said before, then ends. */
const sentence = [17, 6, 8, 14, 15, 16, 3];
export const sayTheSentence: ToyModel = (ids) => {
  const scores = Array.from({ length: VOCABULARY }, () => 0);
  scores[sentence[Math.min(ids.length - 1, sentence.length - 1)] ?? 3] = 5;
  return logSoftmax(scores);
};

/** What the fake decoder says of media whose first pixel has this level. */
type SayOf = (level: number) => ToyModel;

/**
 * The tiny model on graphs that aren't: they give zeros of the right shapes, and a decoder that speaks as a toy model does.
 * What the decoder was fed of a past is read out of its keys, so that a wrong reorder shows; likewise the level of the
 * pixels goes through to its memory, so that it shows whose memory a row got.
 */
function graphsOf(fake: FakeRunner, sayOf: SayOf): Record<string, (feeds: NamedTensors) => NamedTensors> {
  const length = (feeds: NamedTensors, name: string) => feeds[name]?.dims[1] ?? 0;
  const filled = (feeds: NamedTensors, name: string, ...dims: number[]) => {
    const level = Number(feeds[name]?.data[0] ?? 0);
    return fake.tensor(new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(level), dims);
  };
  return {
    'vision.frame': (feeds) => {
      const level = Number(feeds['pixels']?.data[0] ?? 0);
      const pooled = fake.tensor(new Float32Array(8).fill(level), [1, 1, 8]);
      return { tokens: filled(feeds, 'pixels', 1, 1, 5, 8), pooled };
    },
    'vision.blocks': (feeds) => ({ visual: filled(feeds, 'tokens', 1, 1 + 4 * length(feeds, 'tokens'), 8) }),
    universal: (feeds) => ({ memory: filled(feeds, 'visual', 1, length(feeds, 'visual'), 8) }),
    text: (feeds) => ({ hidden: fake.zeros(1, length(feeds, 'ids'), 8) }),
    fusion: (feeds) => ({
      fused: fake.zeros(1, length(feeds, 'hidden'), 8),
      answer_memory: fake.zeros(1, length(feeds, 'hidden') + length(feeds, 'memory'), 8),
    }),
    match: () => ({ match_logits: fake.tensor(Float32Array.of(1, 3), [1, 2]) }),
    'embed.visual': () => ({ embedding: fake.tensor(Float32Array.of(0.6, 0.8), [1, 2]) }),
    'embed.text': () => ({ embedding: fake.tensor(Float32Array.of(0, 1), [1, 2]) }),
    classify: (feeds) => {
      const frames = length(feeds, 'pooled');
      const levels = Array.from({ length: frames }, (_, i) => Number(feeds['pooled']?.data[i * 8] ?? 0));
      return {
        class_logits: fake.tensor(
          Float32Array.of(
            0,
            levels.reduce((a, b) => a + b, 0),
            1,
          ),
          [1, 3],
        ),
      };
    },
    'decoder.memory': (feeds) => {
      const dims = [1, 2, length(feeds, 'memory'), 4];
      return { cross_key_0: filled(feeds, 'memory', ...dims), cross_value_0: fake.zeros(...dims) };
    },
    'decoder.step': (feeds) => stepOf(fake, feeds, sayOf),
  };
}

/** One step: its keys hold the ids behind each row, so that what comes next follows from the past that it is fed. */
function stepOf(fake: FakeRunner, feeds: NamedTensors, sayOf: SayOf): NamedTensors {
  const numbers = (name: string) => Array.from(feeds[name]?.data as ArrayLike<number | bigint>, Number);
  const [rows = 0, width = 0] = feeds['ids']?.dims ?? [];
  const past = feeds['past_key_0']?.dims[2] ?? 0;
  const [ids, targets, from, keys, [k = 0]] = ['ids', 'targets', 'beam_index', 'past_key_0', 'k'].map(numbers) as [
    number[],
    number[],
    number[],
    number[],
    number[],
  ];
  const memory = feeds['cross_key_0'];
  const [memories = 0, ...sizes] = memory?.dims ?? [];
  if (memories !== 1 && memories !== rows) throw new Error(`${memories} rows of memory for ${rows} rows`);
  const memorySize = sizes.reduce((a, b) => a * b, 1);
  const says = Array.from({ length: rows }, (_, row) =>
    sayOf(Number(memory?.data[memories === 1 ? 0 : row * memorySize] ?? 0)),
  );
  const say = (row: number, text: readonly number[]) => says[row]?.(text) ?? [];
  const whole = Array.from({ length: rows }, (_, row) => {
    const before = Array.from({ length: past }, (__, i) => keys[(from[row] ?? 0) * past * 8 + i * 4] ?? -1);
    return [...before, ...ids.slice(row * width, (row + 1) * width)];
  });
  const present = new Float32Array(rows * (past + width) * 8);
  for (const [r, row] of whole.entries()) {
    for (const [i, id] of row.entries()) present[r * (past + width) * 8 + i * 4] = id;
  }
  const best = whole.map((row, r) => {
    const all = say(r, row).map((logprob, id) => ({ id, logprob }));
    return all.sort((a, b) => b.logprob - a.logprob || a.id - b.id).slice(0, k);
  });
  const logits = whole.flatMap((row, r) =>
    Array.from({ length: width }, (_, i) => say(r, row.slice(0, past + i + 1))).flat(),
  );
  const scores = whole.flatMap((row, r) =>
    Array.from({ length: width }, (_, i) => say(r, row.slice(0, past + i + 1))[targets[r * width + i] ?? 0] ?? 0),
  );
  const flat = best.flat();
  return {
    logits: fake.tensor(Float32Array.from(logits), [rows, width, VOCABULARY]),
    top_logprob: fake.tensor(
      Float32Array.from(flat, ({ logprob }) => logprob),
      [rows, k],
    ),
    top_id: fake.tensor(
      BigInt64Array.from(flat, ({ id }) => BigInt(id)),
      [rows, k],
    ),
    target_logprob: fake.tensor(Float32Array.from(scores), [rows, width]),
    present_key_0: fake.tensor(present, [rows, 2, past + width, 4]),
    present_value_0: fake.zeros(rows, 2, past + width, 4),
  };
}

/** The tiny model, ready to run these tasks on nothing. */
export function fakeModel(
  names: readonly string[] = Object.keys(tiny.tasks),
  {
    say = sayTheSentence,
    sayOf = () => say,
    manifest = tiny,
  }: { say?: ToyModel; sayOf?: SayOf; manifest?: Manifest } = {},
): { model: TaskModel; fake: FakeRunner } {
  const fake = new FakeRunner((runner) => graphsOf(runner, sayOf));
  const labels = new Map([[sha256OfLabels(manifest), ['cat', 'dog', 'bird']]]);
  const devices = new Map(Object.values(manifest.graphs).map(({ module }) => [module, 'wasm'] as const));
  return { model: createTaskModel(names, { runner: fake, manifest, tokenizer, labels, devices }), fake };
}

function sha256OfLabels({ tasks }: Manifest): string {
  const last = tasks['classify']?.steps.at(-1);
  return last?.kind === 'classify' ? last.labels.sha256 : '';
}

/** A picture, or a video of frames whose every value is one of these. */
export function fakeMedia(...levels: number[]): OpenMedia {
  const frames = (levels.length === 0 ? [0] : levels).map((level) => new Float32Array(192).fill(level));
  return new OpenMedia(levels.length > 1 ? 'video' : 'image', frames);
}

/** A request for a text. */
export function ask(
  task: string,
  search: TaskRequests['generate']['search'] = {},
  question?: string,
): TaskRequests['generate'] {
  return { kind: 'generate', task, texts: question === undefined ? {} : { question }, search };
}

/** Runs a task, and gives its result together with what it told. */
export async function told(
  model: TaskModel,
  request: Parameters<typeof runTask>[1],
  media: OpenMedia | undefined,
  signal = never,
) {
  const events: TaskEvent[] = [];
  const result = await runTask(model, request, media, signal, (event) => events.push(event));
  return { result, events };
}
