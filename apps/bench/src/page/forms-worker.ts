/** A worker with one graph in several forms, each a session of onnxruntime-web with the options that Owlet takes. */
import { expose } from 'comlink';
import type { InferenceSession, Tensor } from 'onnxruntime-web';
import { fetchBytes } from './fetch-bytes.ts';
import type { FedInput, FormsOrder, FormsPage } from './forms-protocol.ts';
import { importOrt, type Ort } from './import-ort.ts';
import { leastCosine } from './least-cosine.ts';

interface Opened {
  readonly ort: Ort;
  readonly location: string;
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly files: ReadonlyMap<string, { readonly model: Uint8Array; readonly weights: Uint8Array }>;
}

let opened: Opened | undefined;
const sessions = new Map<string, InferenceSession>();

function ready(): Opened {
  if (opened === undefined) throw new Error('No graph has been opened');
  return opened;
}

function sessionOf(form: string): InferenceSession {
  const session = sessions.get(form);
  if (session === undefined) throw new Error(`There is no session of ${form}`);
  return session;
}

function tensorOf(ort: Ort, data: ArrayBuffer, { dtype, shape, offset }: FedInput): Tensor {
  const count = shape.reduce((product, length) => product * length, 1);
  if (dtype === 'int64') return new ort.Tensor(dtype, new BigInt64Array(data, offset, count), shape);
  if (dtype === 'int32') return new ort.Tensor(dtype, new Int32Array(data, offset, count), shape);
  return new ort.Tensor(dtype, new Float32Array(data, offset, count), shape);
}

async function make(form: string): Promise<number> {
  const { ort, location: path, files } = ready();
  await sessions.get(form)?.release();
  sessions.delete(form);
  const file = files.get(form);
  if (file === undefined) throw new Error(`There is no file of ${form}`);
  const start = performance.now();
  const session = await ort.InferenceSession.create(file.model, {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    logSeverityLevel: 3,
    externalData: file.weights.length > 0 ? [{ path, data: file.weights }] : [],
  });
  const ms = performance.now() - start;
  sessions.set(form, session);
  return ms;
}

async function outputsOf(form: string): Promise<Record<string, Float32Array>> {
  const outputs = Object.entries(await sessionOf(form).run(ready().feeds));
  return Object.fromEntries(
    outputs.flatMap(([name, { data }]) => (data instanceof Float32Array ? [[name, data]] : [])),
  );
}

const worker: FormsPage = {
  async open({ threads, location: path, feeds, forms }: FormsOrder) {
    const ort = await importOrt('Suspending' in WebAssembly ? 'jspi' : 'wasm', threads);
    const files: [string, { model: Uint8Array; weights: Uint8Array }][] = [];
    for (const [form, { model, weights }] of Object.entries(forms)) {
      files.push([form, { model: await fetchBytes(model), weights: await fetchBytes(weights) }]);
    }
    const { buffer } = await fetchBytes(feeds.url);
    const fed = feeds.inputs.map((input) => [input.name, tensorOf(ort, buffer, input)] as const);
    opened = { ort, location: path, feeds: Object.fromEntries(fed), files: new Map(files) };
  },
  async attempt(form) {
    try {
      await make(form);
      await outputsOf(form);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  },
  make,
  async run(form, times) {
    const { feeds } = ready();
    const session = sessionOf(form);
    await session.run(feeds);
    const start = performance.now();
    for (let i = 0; i < times; i += 1) await session.run(feeds);
    return (performance.now() - start) / times;
  },
  cosine: async (form, other) => leastCosine(await outputsOf(form), await outputsOf(other)),
};

expose(worker);
