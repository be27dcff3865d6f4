/** A worker with onnxruntime-web alone: sessions of whole ONNX files, one thread. */
import { expose } from 'comlink';
import type { InferenceSession } from 'onnxruntime-web';
import {
  captionPlainly,
  emptyPast,
  pixelTensor,
  run,
  type Sessions,
  stepTensors,
  type Tensors,
} from '../peers/caption.ts';
import { graphList, type PeerCaption, type PeerModel } from '../peers/model.ts';
import { fetchBytes } from './fetch-bytes.ts';
import { requestDevice } from './gpu-device.ts';
import { importOrt, type Ort } from './import-ort.ts';
import type { PlainSetup } from './protocol.ts';

interface Loaded {
  readonly ort: Ort;
  readonly sessions: Sessions;
  readonly model: PeerModel;
}

/** Values of every output, by graph and name. */
type Outputs = Record<string, Record<string, Float32Array>>;

let loaded: Loaded | undefined;

function ready(): Loaded {
  if (loaded === undefined) throw new Error('Nothing has been loaded');
  return loaded;
}

async function fetchPixels(url: string): Promise<Float32Array> {
  return new Float32Array((await fetchBytes(url)).buffer);
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
    const ort = await importOrt(device === 'wasm' ? 'wasm' : 'jspi', 1);
    const provider = device === 'wasm' ? 'wasm' : { name: 'webgpu' as const, device: await requestDevice() };
    const sessions = new Map<string, InferenceSession>();
    for (const graph of graphList(model.graphs)) {
      const base = `${folder}${graph}/`;
      const [file, data] = await Promise.all([fetchBytes(`${base}model.onnx`), fetchBytes(base + model.location)]);
      const session = await ort.InferenceSession.create(file, {
        executionProviders: [provider],
        externalData: [{ path: model.location, data }],
      });
      sessions.set(graph, session);
    }
    loaded = { ort, sessions, model };
  },
  async caption(pixels) {
    const { ort, sessions, model } = ready();
    return captionPlainly(ort, sessions, model, await fetchPixels(pixels));
  },
  async outputs(pixels, ids) {
    const { ort, sessions, model } = ready();
    const decoding = { ...stepTensors(ort, ids), ...emptyPast(ort, model) };
    let values: Tensors = { pixels: pixelTensor(ort, model, await fetchPixels(pixels)), ...decoding };
    const outputs: Outputs = {};
    for (const graph of graphList(model.graphs)) {
      const given = await run(sessions, graph, values);
      outputs[graph] = await valuesOf(given);
      values = { ...values, ...given };
    }
    return outputs;
  },
};

expose(worker);
