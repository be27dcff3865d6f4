/** A worker with onnxruntime-web alone: sessions of whole ONNX files, one thread. */
import { expose } from 'comlink';
import jspiScript from 'onnxruntime-web/ort-wasm-simd-threaded.jspi.mjs?url';
import jspiBinary from 'onnxruntime-web/ort-wasm-simd-threaded.jspi.wasm?url';
import wasmScript from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url';
import wasmBinary from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import {
  captionPlainly,
  emptyPast,
  pixelTensor,
  run,
  type Sessions,
  stepTensors,
  type Tensors,
} from '../peers/caption.ts';
import { type PeerCaption, type PeerModel, type Role, roles } from '../peers/model.ts';
import { requestDevice } from './gpu-device.ts';
import type { PlainSetup } from './protocol.ts';

type Ort = typeof import('onnxruntime-web');

interface Loaded {
  readonly ort: Ort;
  readonly sessions: Sessions;
  readonly model: PeerModel;
}

/** Values of every output, by role and name. */
type Outputs = Record<Role, Record<string, Float32Array>>;

let loaded: Loaded | undefined;

function ready(): Loaded {
  if (loaded === undefined) throw new Error('Nothing has been loaded');
  return loaded;
}

async function fetchBytes(url: string): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} gave ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function fetchPixels(url: string): Promise<Float32Array> {
  return new Float32Array((await fetchBytes(url)).slice().buffer);
}

async function importOrt(device: PlainSetup['device']): Promise<Ort> {
  const ort: Ort = device === 'wasm' ? await import('onnxruntime-web/wasm') : await import('onnxruntime-web/jspi');
  const [mjs, wasm] = device === 'wasm' ? [wasmScript, wasmBinary] : [jspiScript, jspiBinary];
  ort.env.wasm.wasmPaths = { mjs: new URL(mjs, location.href).href, wasm: new URL(wasm, location.href).href };
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = 'error';
  return ort;
}

async function valuesOf(outputs: Tensors): Promise<Record<string, Float32Array>> {
  const entries = Object.entries(outputs).map(async ([name, tensor]) => {
    return [name, await tensor.getData()] as const;
  });
  const values = await Promise.all(entries);
  return Object.fromEntries(values.flatMap(([name, data]) => (data instanceof Float32Array ? [[name, data]] : [])));
}

/**
 * What the page calls by Comlink.
 *
 * @internal
 */
export interface PlainWorker {
  /** Fetches the graphs and makes their sessions. */
  load(setup: PlainSetup): Promise<void>;
  /** Captions with the whole prefix and the cross-attention anew at every step. */
  caption(pixels: string): Promise<PeerCaption>;
  /** Runs every graph once, fed by the one before, the decoder by `ids` at once. */
  outputs(pixels: string, ids: readonly number[]): Promise<Outputs>;
}

const worker: PlainWorker = {
  async load({ folder, model, device }) {
    const ort = await importOrt(device);
    const provider = device === 'wasm' ? 'wasm' : { name: 'webgpu' as const, device: await requestDevice() };
    const sessions: Partial<Record<Role, Sessions[Role]>> = {};
    for (const role of roles) {
      const base = `${folder}${model.graphs[role]}/`;
      const [graph, data] = await Promise.all([fetchBytes(`${base}model.onnx`), fetchBytes(base + model.location)]);
      sessions[role] = await ort.InferenceSession.create(graph, {
        executionProviders: [provider],
        externalData: [{ path: model.location, data }],
      });
    }
    loaded = { ort, sessions: sessions as Sessions, model };
  },
  async caption(pixels) {
    const { ort, sessions, model } = ready();
    return captionPlainly(ort, sessions, model, await fetchPixels(pixels));
  },
  async outputs(pixels, ids) {
    const { ort, sessions, model } = ready();
    const frame = await run(sessions.frame, { pixels: pixelTensor(ort, model, await fetchPixels(pixels)) });
    const { tokens } = frame;
    if (tokens === undefined) throw new Error('The frame gave no tokens');
    const blocks = await run(sessions.blocks, { tokens });
    const universal = await run(sessions.universal, blocks);
    const memory = await run(sessions.memory, universal);
    const step = await run(sessions.step, { ...stepTensors(ort, ids), ...memory, ...emptyPast(ort, model) });
    return {
      frame: await valuesOf(frame),
      blocks: await valuesOf(blocks),
      universal: await valuesOf(universal),
      memory: await valuesOf(memory),
      step: await valuesOf(step),
    };
  },
};

expose(worker);
