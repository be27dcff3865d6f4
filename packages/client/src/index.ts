export type {
  CaptionResult,
  Device,
  DevicePreference,
  GeneratedToken,
  GraphPlan,
  LoadProgress,
  LoadReport,
  MediaInfo,
  ModuleProgress,
  OwletErrorCode,
  OwletErrorDetails,
  OwletStage,
  OwletWarning,
  TextPiece,
  Timings,
} from '@owlet/protocol';
export { isOwletError, OwletError } from '@owlet/protocol';
export type { CaptionStream } from './caption-stream.ts';
export { loadOwlet } from './load-owlet.ts';
export type { Media } from './media.ts';
export type { CallOptions, LoadOptions } from './options.ts';
export type { Owlet } from './owlet.ts';
export type { MediaInput } from './source.ts';
