/**
 * Comparison of a model with golden vectors: what another implementation of the same architecture computed. For tools and
 * tests; no part of the worker.
 */
import type { Device, LoadRequest } from '@owlet/protocol';
import { type LoadedModel, loadModel } from '../load-model.ts';
import { browserPlatform } from '../platform.ts';
import { compareCases, encodedNames } from './compare-cases.ts';
import { compareTensors } from './compare-tensors.ts';
import { fetchBytes } from './fetch-bytes.ts';
import { loadTapped } from './load-tapped.ts';
import { boundsOf, type ParityResult, resultOf } from './result.ts';
import { parseCases } from './stored-cases.ts';
import { StoredTensors } from './stored-tensors.ts';

export type { Difference, ParityResult } from './result.ts';

/**
 * What is compared with what.
 *
 * @internal
 */
export interface ParityRequest {
  /** Absolute URL of the model's folder, ending in `/`. */
  readonly model: string;
  /** Absolute URL of the folder with the vectors (`io.json`, `io.safetensors`), ending in `/`. */
  readonly goldens: string;
  /** Where every graph has to run. */
  readonly device: Device;
  /** Bytes of weights that sessions on WASM may hold at once; by default as many as its memory has room for. */
  readonly weightsBudget?: number;
}

/**
 * Loads a model as the product does and compares every stored tensor that its graphs hand on, every stored search and
 * every ranking; then, for tensors from inside graphs, the same model with its tapped graphs (`python -m export --taps`).
 * A stored tensor that neither hands on is a failure. It runs where it is called, on one thread.
 *
 * @param tell - told of each tensor and case
 * @throws OwletError what loading fails with, `INVALID_ARGUMENT` for files that hold no vectors, `RUN_FAILED`, `ABORTED`
 * @internal
 */
export async function runParity(
  { model: url, goldens, device, ...budget }: ParityRequest,
  tell: (result: ParityResult) => void,
  signal: AbortSignal,
): Promise<void> {
  const [json, safetensors] = ['io.json', 'io.safetensors'].map((name) => new URL(name, goldens).href);
  const cases = parseCases(await fetchBytes(json ?? '', signal), 'io.json');
  const stored = new StoredTensors(await fetchBytes(safetensors ?? '', signal), 'io.safetensors');
  const bounds = boundsOf(device);
  const fed = stored.floatNames.filter((name) => name.endsWith('.pixels'));
  const open = new Set(stored.names);
  const settle = (names: readonly string[]): void => {
    for (const name of names) open.delete(name);
  };
  settle([...fed, ...encodedNames.flatMap((name) => [`${name}.ids`, `${name}.mask`])]);

  /** The model as shipped or tapped, whose modules all have to be where they are wanted. */
  const withModel = async (
    graphs: string,
    loading: (request: LoadRequest) => Promise<LoadedModel>,
    work: (loaded: LoadedModel) => Promise<void>,
  ): Promise<void> => {
    const request = { model: url, device, threads: 1, pixelLimit: 1, memoryBudget: 1, refresh: true, ...budget };
    const loaded = await loading(request);
    try {
      const { tasks, devices } = loaded.tasks;
      // One after another: held together, what doesn't fit in memory would wait for itself.
      for (const task of Object.keys(tasks)) (await loaded.hold(task, signal))();
      const elsewhere = [...devices].filter(([, where]) => where !== device).map(([module]) => module);
      const why = `not there: ${elsewhere.join(', ')}`;
      tell(resultOf(`every ${graphs} on ${device}`, [], elsewhere.length === 0, why));
      await work(loaded);
    } finally {
      await loaded.dispose();
    }
  };

  const shipped = (request: LoadRequest) => loadModel(request, browserPlatform, signal, () => {});
  await withModel('module', shipped, async (loaded) => {
    settle(await compareTensors(loaded, stored, bounds.values, tell, signal));
    await compareCases({ loaded, stored, cases, bounds, signal }, tell);
  });
  const inside = new Set(stored.floatNames.filter((name) => open.has(name)));
  if (inside.size > 0) {
    const tapped = (request: LoadRequest) => loadTapped(request, signal);
    await withModel('tapped module', tapped, async (loaded) => {
      settle(await compareTensors(loaded, stored, bounds.values, tell, signal, inside));
    });
  }
  for (const name of open) tell({ name, passed: false, differences: [], why: 'no graph hands it on' });
}
