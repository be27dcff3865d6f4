/** Limits that onnxruntime's WebGPU execution provider makes use of; a device has the lowest by default. */
const limits = [
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

/**
 * A WebGPU device as Owlet asks for one: without the `subgroups` feature, with which attention is wrong on adapters of
 * small subgroups.
 *
 * @throws Error where there is no adapter
 * @internal
 */
export async function requestDevice(): Promise<GPUDevice> {
  const adapter = await (navigator.gpu as GPU | undefined)?.requestAdapter();
  if (!adapter) throw new Error('This browser has no WebGPU adapter');
  const requiredLimits = Object.fromEntries(limits.map((name) => [name, adapter.limits[name]]));
  return adapter.requestDevice({ requiredLimits });
}
