/** Pictures to what a model is fed: look at the header, decode, resize exactly as the reference does, normalise. */
export { type DecodeOptions, decodePicture, type Picture } from './decode.ts';
export type { PictureType } from './identify.ts';
export type { Orientation } from './orientation.ts';
export { resizeBicubic } from './resize.ts';
export { type PictureHeader, type SniffOptions, sniff } from './sniff.ts';
export { toTensor } from './to-tensor.ts';
