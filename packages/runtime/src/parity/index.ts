/**
 * Comparison of a model with golden vectors: what another implementation of the same architecture computed. For tools and
 * tests; no part of the worker.
 */
import { type Device, OwletError } from '@owlet/protocol';
import { loadModel } from '../load-model.ts';
import { browserPlatform } from '../platform.ts';
import { compareCases } from './compare-cases.ts';
import { compareTensors } from './compare-tensors.ts';
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
}

async function fetchBytes(url: string, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const fail = (why: string, cause?: unknown): OwletError =>
    new OwletError('NETWORK', {
      message: `The file ${url} could not be fetched: ${why}.`,
      stage: 'download',
      object: url,
      remedy: 'Check that the folder of golden vectors is served whole.',
      cause,
    });
  let response: Response;
  try {
    response = await fetch(url, { signal });
    if (response.ok) return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw fail(cause instanceof Error ? cause.message : String(cause), cause);
  }
  throw fail(`status ${response.status}`);
}

/**
 * Loads a model as the product does and runs every stored tensor that its graphs hand on, every stored search and every
 * ranking. It runs where it is called, on one thread.
 *
 * @param tell - told of each tensor and case
 * @returns names of stored tensors that are inside graphs, and so aren't compared
 * @throws OwletError what loading fails with, `INVALID_ARGUMENT` for files that hold no vectors, `RUN_FAILED`, `ABORTED`
 * @internal
 */
export async function runParity(
  { model: url, goldens, device }: ParityRequest,
  tell: (result: ParityResult) => void,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const [json, safetensors] = ['io.json', 'io.safetensors'].map((name) => new URL(name, goldens).href);
  const cases = parseCases(await fetchBytes(json ?? '', signal), 'io.json');
  const stored = new StoredTensors(await fetchBytes(safetensors ?? '', signal), 'io.safetensors');
  const request = { model: url, device, threads: 1, pixelLimit: 1, memoryBudget: 1, refresh: true };
  const loaded = await loadModel(request, browserPlatform, signal, () => {});
  try {
    const model = loaded.tasks;
    for (const task of Object.keys(model.tasks)) await loaded.ready(task, signal);
    const elsewhere = [...model.devices].filter(([, where]) => where !== device).map(([module]) => module);
    const why = `not there: ${elsewhere.join(', ')}`;
    tell(resultOf(`every module on ${device}`, [], elsewhere.length === 0, why));
    const bounds = boundsOf(device);
    const inside = await compareTensors(model, stored, bounds.values, tell, signal);
    await compareCases({ model, stored, cases, bounds, signal }, tell);
    return inside;
  } finally {
    await loaded.dispose();
  }
}
