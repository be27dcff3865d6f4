/** Captions by onnxruntime alone, in Node as in a browser: none of Owlet's code, only its graphs. */
import type { InferenceSession, Tensor } from 'onnxruntime-web';
import type { PeerCaption, PeerModel } from './model.ts';

/**
 * The part of onnxruntime that both packages have.
 *
 * @internal
 */
export interface OrtModule {
  readonly InferenceSession: typeof InferenceSession;
  readonly Tensor: typeof Tensor;
}

/**
 * A model's sessions, by graph.
 *
 * @internal
 */
export type Sessions = ReadonlyMap<string, InferenceSession>;

/**
 * Tensors by name.
 *
 * @internal
 */
export type Tensors = Readonly<Record<string, Tensor>>;

/**
 * Runs a graph on those of the values that it takes. All of its outputs are tensors: these graphs have nothing else.
 *
 * @internal
 */
export async function run(sessions: Sessions, graph: string, values: Tensors): Promise<Tensors> {
  const session = sessions.get(graph);
  if (session === undefined) throw new Error(`There is no session of ${graph}`);
  const feeds = session.inputNames.flatMap((name) => {
    const value = values[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return (await session.run(Object.fromEntries(feeds))) as Tensors;
}

/**
 * Runs graphs one after the other, each fed by name with what was there before and what those before it gave.
 *
 * @returns all of their outputs
 * @internal
 */
export async function runAll(sessions: Sessions, graphs: readonly string[], values: Tensors): Promise<Tensors> {
  let outputs: Tensors = {};
  for (const graph of graphs) outputs = { ...outputs, ...(await run(sessions, graph, { ...values, ...outputs })) };
  return outputs;
}

/**
 * The picture as the vision graph wants it.
 *
 * @param pixels - float32, 1×3×1×size×size
 * @internal
 */
export function pixelTensor(ort: OrtModule, { size }: PeerModel, pixels: Float32Array): Tensor {
  return new ort.Tensor('float32', pixels, [1, 3, 1, size, size]);
}

/**
 * What the decoder's graph is fed besides its memory and past, for one text of which the best token is wanted.
 *
 * @internal
 */
export function stepTensors(ort: OrtModule, ids: readonly number[]): Tensors {
  const idTensor = () => new ort.Tensor('int32', Int32Array.from(ids), [1, ids.length]);
  return {
    ids: idTensor(),
    targets: idTensor(),
    beam_index: new ort.Tensor('int32', Int32Array.of(0), [1]),
    k: new ort.Tensor('int64', BigInt64Array.of(1n), [1]),
  };
}

/**
 * Self-attention keys and values of a decoder that has seen nothing.
 *
 * @internal
 */
export function emptyPast(ort: OrtModule, { pasts }: PeerModel): Tensors {
  const empty = pasts.map(({ name, heads, width }) => {
    return [name, new ort.Tensor('float32', new Float32Array(0), [1, heads, 0, width])] as const;
  });
  return Object.fromEntries(empty);
}

/** What the decoder looks at, and all else that came about on the way. */
function see(ort: OrtModule, sessions: Sessions, model: PeerModel, pixels: Float32Array): Promise<Tensors> {
  return runAll(sessions, model.graphs.encoder, { pixels: pixelTensor(ort, model, pixels) });
}

/** The best token after the last one fed; the end token doesn't count before its time. */
function choose(logits: Tensor | undefined, forbidden: number | undefined): number {
  const width = logits?.dims.at(-1) ?? 0;
  const data = logits?.data;
  if (!(data instanceof Float32Array)) throw new Error('The decoder gave no float32 logits');
  const last = data.subarray(data.length - width);
  let best = -1;
  for (let id = 0; id < width; id += 1) {
    if (id !== forbidden && (best === -1 || (last[id] ?? 0) > (last[best] ?? 0))) best = id;
  }
  return best;
}

/** Greedy search over a decoder that is given all tokens so far and says which comes next. */
async function search(
  model: PeerModel,
  start: number,
  next: (ids: readonly number[]) => Promise<Tensor | undefined>,
): Promise<PeerCaption> {
  const generated: number[] = [];
  let firstToken = 0;
  while (generated.length < model.maxLength) {
    const logits = await next([...model.prompt, ...generated]);
    const id = choose(logits, generated.length < model.minLength ? model.end : undefined);
    if (generated.push(id) === 1) firstToken = performance.now() - start;
    if (id === model.end) break;
  }
  return { ids: generated, firstToken, total: performance.now() - start };
}

/**
 * Captions as a careful user of onnxruntime would: cross-attention keys and values once, self-attention's kept.
 *
 * @internal
 */
export async function captionWithCache(
  ort: OrtModule,
  sessions: Sessions,
  model: PeerModel,
  pixels: Float32Array,
): Promise<PeerCaption> {
  const start = performance.now();
  const cross = await runAll(sessions, model.graphs.memory, await see(ort, sessions, model, pixels));
  let past = emptyPast(ort, model);
  let seen = 0;
  return search(model, start, async (ids) => {
    const values = { ...stepTensors(ort, ids.slice(seen)), ...cross, ...past };
    const outputs = await run(sessions, model.graphs.step, values);
    seen = ids.length;
    const present = Object.entries(outputs).filter(([name]) => name.startsWith('present_'));
    past = Object.fromEntries(present.map(([name, tensor]) => [name.replace('present_', 'past_'), tensor]));
    return outputs['logits'];
  });
}

/**
 * Captions as graphs without caches make one do: at every step the whole prefix and the cross-attention anew.
 *
 * @internal
 */
export async function captionPlainly(
  ort: OrtModule,
  sessions: Sessions,
  model: PeerModel,
  pixels: Float32Array,
): Promise<PeerCaption> {
  const start = performance.now();
  const memory = await see(ort, sessions, model, pixels);
  return search(model, start, async (ids) => {
    const cross = await runAll(sessions, model.graphs.memory, memory);
    const values = { ...stepTensors(ort, ids), ...cross, ...emptyPast(ort, model) };
    const outputs = await run(sessions, model.graphs.step, values);
    return outputs['logits'];
  });
}
