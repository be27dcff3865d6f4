import { withinLimit } from '@owlet/protocol';
import { requestAdapter } from './environment.ts';

/** Limits that the WebGPU execution provider makes use of; a device has the lowest by default. */
const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupsPerDimension',
] as const;

/** How long the browser may take to make a device. */
const DEVICE_LIMIT_MS = 10_000;

/**
 * A WebGPU device for onnxruntime, or why there is none. It is asked for without the `subgroups` feature: with it,
 * attention over 32 tokens and more is silently wrong on adapters whose subgroups are smaller than 8.
 *
 * @internal
 */
export async function requestDevice(): Promise<GPUDevice | { readonly missing: string }> {
  const adapter = await requestAdapter();
  if ('missing' in adapter) return adapter;
  const requiredLimits = Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]]));
  try {
    return await withinLimit(adapter.requestDevice({ requiredLimits }), {
      stage: 'start',
      signal: undefined,
      limitMs: DEVICE_LIMIT_MS,
      onTimeout: () => new Error('the browser made none within 10 s'),
      // Nobody waits for it any more: it would hold its memory until the worker ends.
      onLate: (device) => device.destroy(),
    });
  } catch (cause) {
    return { missing: `making a WebGPU device failed: ${cause instanceof Error ? cause.message : String(cause)}` };
  }
}
