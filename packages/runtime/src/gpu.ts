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
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isLate = false;
  const late = new Promise<{ missing: string }>((resolve) => {
    timer = setTimeout(() => {
      isLate = true;
      resolve({ missing: 'the browser made no device within 10 s' });
    }, DEVICE_LIMIT_MS);
  });
  // Nobody waits any more for a device that comes too late: it would hold its memory until the worker ends.
  const inTime = async (): Promise<GPUDevice> => {
    const device = await adapter.requestDevice({ requiredLimits });
    if (isLate) device.destroy();
    return device;
  };
  try {
    return await Promise.race([inTime(), late]);
  } catch (cause) {
    return { missing: `making a WebGPU device failed: ${cause instanceof Error ? cause.message : String(cause)}` };
  } finally {
    clearTimeout(timer);
  }
}
