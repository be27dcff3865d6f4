import type { GraphSpec, GraphVariant } from '@owlet/manifest';
import type { BrowserEnvironment } from './environment.ts';
import { megabytes } from './fit-memory.ts';

/**
 * A graph's variant for WebGPU, or why there is none; `outgrown` where the adapter is too small for those that there are.
 *
 * @internal
 */
export type GpuVariant =
  | { readonly variant: GraphVariant }
  | { readonly variant: undefined; readonly why: string; readonly outgrown: boolean };

function largestTensor({ initializers }: GraphVariant): number {
  return Math.max(0, ...initializers.map(({ bytes }) => bytes));
}

/**
 * Chooses the first of a graph's variants for WebGPU whose every tensor fits in a buffer of the adapter: with one that
 * doesn't, making the session would fail.
 *
 * @param name - the graph's
 * @param gpu - what the browser said of its adapter; where it has none, nothing fits
 * @internal
 */
export function gpuVariant(name: string, { variants }: GraphSpec, gpu: BrowserEnvironment['gpu']): GpuVariant {
  const most = 'missing' in gpu ? 0 : gpu.largestBuffer;
  const forGpu = variants.filter(({ devices }) => devices.includes('webgpu'));
  const variant = forGpu.find((each) => largestTensor(each) <= most);
  if (variant !== undefined) return { variant };
  if (forGpu.length === 0) return { variant, why: `${name} has no variant for WebGPU`, outgrown: false };
  const least = megabytes(Math.min(...forGpu.map(largestTensor)));
  const why = `${name} has a tensor of ${least}, and the adapter's buffers hold no more than ${Math.floor(most / 1e6)} MB`;
  return { variant, why, outgrown: true };
}
