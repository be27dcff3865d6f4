import type { WeightsBlob, WeightsView } from '@owlet/loader';
import { type Device, isOwletError, OwletError, type OwletStage, throwIfAborted } from '@owlet/protocol';
import type { InferenceSession, Tensor } from 'onnxruntime-web';
import { letMessagesIn } from './let-messages-in.ts';
import type { Ort } from './ort.ts';

/**
 * Tensors by the names of a graph's inputs or outputs.
 *
 * @internal
 */
export type NamedTensors = Readonly<Record<string, Tensor>>;

/**
 * What a tensor can be made of.
 *
 * @internal
 */
export type TensorValues = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | BigInt64Array<ArrayBuffer>;

/**
 * What goes with a run besides its tensors.
 *
 * @internal
 */
export interface RunScope {
  /** Seen before the run starts, also when it had to wait for its turn; a running graph can't be stopped. */
  readonly signal?: AbortSignal | undefined;
  /** Where the call stands, for errors. */
  readonly stage: OwletStage;
  /** Outputs that are wanted. Default: all. */
  readonly fetches?: readonly string[] | undefined;
}

/**
 * What tasks know of the engine: tensors in, tensors out.
 *
 * @internal
 */
export interface GraphRunner {
  /** A tensor over the given values, row-major, of their type (float32, int32, int64); they are not copied. */
  tensor(values: TensorValues, dims: readonly number[]): Tensor;
  /**
   * Runs a graph once, after the runs asked for before.
   *
   * @returns the outputs asked for; the caller disposes of them
   * @throws OwletError `RUN_FAILED` or `ABORTED`
   */
  run(graph: string, feeds: NamedTensors, scope: RunScope): Promise<NamedTensors>;
}

/**
 * A graph as a session is made of it.
 *
 * @internal
 */
export interface SessionSpec {
  /** Name in the manifest. */
  readonly graph: string;
  readonly device: Device;
  /** The ONNX file, without weights. */
  readonly file: Uint8Array<ArrayBuffer>;
  /** The external data, laid out as the variant says; onnxruntime-web reads a Blob part by part where it has JSPI. */
  readonly weights: Uint8Array<ArrayBuffer> | WeightsView | WeightsBlob;
  /** The name under which the file refers to the external data. */
  readonly location: string;
  /** Outputs that stay in GPU buffers when the device is WebGPU, because only graphs read them. */
  readonly resident: readonly string[];
}

/**
 * A graph whose external data is in memory.
 *
 * @internal
 */
export interface JoinedSpec extends SessionSpec {
  readonly weights: Uint8Array<ArrayBuffer>;
}

interface LoadedGraph {
  readonly device: Device;
  readonly session: InferenceSession;
}

function bytesOf(weights: SessionSpec['weights']): number {
  return 'size' in weights ? weights.size : weights.byteLength;
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/**
 * Owns onnxruntime's sessions and devices. Everything takes turns: sessions made at the same time would mix up their
 * external data, and a session can't run twice at once. Between turns messages are let in, so that an abort is seen.
 *
 * @internal
 */
export class Engine implements GraphRunner {
  readonly #ort: Ort;
  readonly #gpu: GPUDevice | undefined;
  readonly #graphs = new Map<string, LoadedGraph>();
  #turn: Promise<unknown> = Promise.resolve();
  #lost: string | undefined;

  /**
   * @param gpu - the device of sessions on WebGPU; the engine destroys it in the end
   */
  constructor(ort: Ort, gpu?: GPUDevice) {
    this.#ort = ort;
    this.#gpu = gpu;
    void gpu?.lost.then(({ reason, message }) => {
      this.#lost = message || reason;
    });
  }

  tensor(values: TensorValues, dims: readonly number[]): Tensor {
    if (values instanceof Float32Array) return new this.#ort.Tensor('float32', values, dims);
    if (values instanceof Int32Array) return new this.#ort.Tensor('int32', values, dims);
    return new this.#ort.Tensor('int64', values, dims);
  }

  /**
   * Makes the session of a graph, in place of an earlier one of that name.
   *
   * @throws OwletError `SESSION_FAILED`, `ABORTED` when the signal fires before its turn, or what the weights can't be read
   *   for
   */
  load(spec: SessionSpec, signal?: AbortSignal): Promise<void> {
    return this.#inTurn(async () => {
      throwIfAborted(signal, 'compile');
      await this.#release(spec.graph);
      try {
        const session = await this.#ort.InferenceSession.create(spec.file, this.#optionsOf(spec));
        this.#graphs.set(spec.graph, { device: spec.device, session });
      } catch (cause) {
        const { weights } = spec;
        // onnxruntime's error says no more than that they couldn't be read.
        if ('failure' in weights && isOwletError(weights.failure)) throw weights.failure;
        throw new OwletError('SESSION_FAILED', {
          message: `The graph ${spec.graph} could not be made ready on ${spec.device}: ${messageOf(cause)}`,
          stage: 'compile',
          object: spec.graph,
          remedy:
            spec.device === 'webgpu'
              ? "Load again with device: 'wasm'."
              : 'Close other tabs if memory is short; check that the model was exported for this version of Owlet.',
          cause,
        });
      }
    });
  }

  run(graph: string, feeds: NamedTensors, { signal, stage, fetches }: RunScope): Promise<NamedTensors> {
    return this.#inTurn(async () => {
      throwIfAborted(signal, stage);
      const loaded = this.#graphs.get(graph);
      if (loaded === undefined) {
        throw new OwletError('DISPOSED', {
          message: `The graph ${graph} is not loaded.`,
          stage,
          object: graph,
          remedy: 'Load the model again.',
        });
      }
      try {
        // The outputs of these graphs are tensors, all of them: the manifest knows no other values.
        const { session } = loaded;
        return (await session.run(feeds, fetches ?? session.outputNames)) as NamedTensors;
      } catch (cause) {
        const why = this.#lost === undefined ? messageOf(cause) : `the WebGPU device was lost (${this.#lost})`;
        throw new OwletError('RUN_FAILED', {
          message: `The graph ${graph} failed on ${loaded.device}: ${why}`,
          stage,
          object: graph,
          remedy: loaded.device === 'webgpu' ? "Load again, with device: 'wasm' if it happens twice." : 'Load again.',
          cause,
        });
      }
    });
  }

  /** Frees the session of a graph, if there is one, after the runs asked for before. */
  unload(graph: string): Promise<void> {
    return this.#inTurn(() => this.#release(graph));
  }

  /** Frees all sessions and the GPU device, after the runs asked for before. */
  dispose(): Promise<void> {
    return this.#inTurn(async () => {
      for (const graph of [...this.#graphs.keys()]) await this.#release(graph);
      this.#gpu?.destroy();
    });
  }

  #optionsOf({ device, weights, location, resident }: SessionSpec): InferenceSession.SessionOptions {
    const options: InferenceSession.SessionOptions = {
      graphOptimizationLevel: 'all',
      executionMode: 'sequential',
      // Errors only: a warning says that some nodes on WebGPU compute shapes on the CPU, which is as it should be.
      logSeverityLevel: 3,
      externalData: bytesOf(weights) > 0 ? [{ path: location, data: weights }] : [],
    };
    if (device === 'wasm') return { ...options, executionProviders: ['wasm'] };
    if (this.#gpu === undefined) throw new Error('the engine was made without a WebGPU device');
    return {
      ...options,
      executionProviders: [{ name: 'webgpu', device: this.#gpu }],
      preferredOutputLocation: Object.fromEntries(resident.map((name) => [name, 'gpu-buffer' as const])),
    };
  }

  async #release(graph: string): Promise<void> {
    const loaded = this.#graphs.get(graph);
    this.#graphs.delete(graph);
    try {
      await loaded?.session.release();
    } catch {
      // A session of a lost device can't be released in order; its memory goes with the worker.
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(letMessagesIn).then(work);
    this.#turn = result.catch(() => {});
    return result;
  }
}

/**
 * Frees tensors, on the GPU or not.
 *
 * @internal
 */
export function disposeAll(tensors: NamedTensors): void {
  for (const tensor of Object.values(tensors)) tensor.dispose();
}
