/**
 * Pictures and videos to what a model is fed: look at the header, decode, choose frames, resize exactly as the
 * reference does, normalise.
 */
export { decodePicture } from './decode.ts';
export { frameIndices } from './frame-indices.ts';
export { identify, type PictureType, type VideoType } from './identify.ts';
export { type OpenedMedia, openMedia } from './open-media.ts';
export { openVideo } from './open-video.ts';
export type { Orientation } from './orientation.ts';
export { type DecodeOptions, type Picture, pictureOfBitmap } from './picture.ts';
export { pictureOfFrame } from './picture-of-frame.ts';
export { resizeBicubic } from './resize.ts';
export { resizeNearest } from './resize-nearest.ts';
export { type PictureHeader, type SniffOptions, sniff } from './sniff.ts';
export { toTensor } from './to-tensor.ts';
export type { SampledFrame, SampleOptions, Video, VideoFacts } from './video.ts';
