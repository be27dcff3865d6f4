export type {
  CacheEstimate,
  ClassLabel,
  Device,
  DevicePreference,
  EmbeddingResult,
  GeneratedToken,
  GraphPlan,
  Hypothesis,
  LabelsResult,
  LoadProgress,
  LoadReport,
  MatchResult,
  MediaInfo,
  MemoryUse,
  ModuleProgress,
  OwletErrorCode,
  OwletErrorDetails,
  OwletStage,
  OwletWarning,
  RankedAnswer,
  RankingResult,
  ResultInfo,
  SampleOptions,
  SearchOptions,
  SearchProgress,
  StoredModel,
  TaskKind,
  TextPiece,
  TextResult,
  TimeRange,
  Timings,
  VideoInfo,
} from '@owlet/protocol';
export { isOwletError, OwletError } from '@owlet/protocol';
export type { CaptionItem } from './caption-all.ts';
export type { Capturable } from './capture/capture.ts';
export { loadOwlet } from './load-owlet.ts';
export type { Media } from './media.ts';
export type { ModelCache, PruneOptions } from './model-cache.ts';
export { modelCache } from './model-cache.ts';
export type { CallOptions, LoadOptions, OpenOptions } from './options.ts';
export type { Owlet } from './owlet.ts';
export type { MediaInput } from './source.ts';
export type { RunOptions, RunResults, Texts } from './task-calls.ts';
export type { CaptionAllOptions, ClassifyOptions, RankOptions, TaskOptions, TextOptions } from './task-options.ts';
export type { TextStream } from './text-stream.ts';
