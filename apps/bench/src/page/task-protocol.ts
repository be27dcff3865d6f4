/** What the page `tasks` offers to the command line, and what it answers. All times are in milliseconds. */
import type { LoadReport, SearchOptions, Timings } from '@owlet/client';
import type { Crop, LongTask } from './protocol.ts';

/**
 * A photo or a clip that the page keeps as a file in memory, by its number there.
 *
 * @internal
 */
export interface Subject {
  readonly kind: 'photo' | 'clip';
  readonly index: number;
}

/**
 * A text to be written about an open photo or clip: the answer to a question, or a caption.
 *
 * @internal
 */
export interface TextOrder {
  readonly question?: string;
  readonly search?: SearchOptions;
}

/**
 * A text as the page measured it.
 *
 * @internal
 */
export interface TimedText {
  /** From the call to its result. */
  readonly ms: number;
  readonly text: string;
  /** Generated tokens, the end token included where there is one. */
  readonly ids: readonly number[];
  /** How often the decoder ran. */
  readonly steps: number;
  /** Stages, as the result tells. */
  readonly timings: Timings;
}

/**
 * What was written about one photo or clip under one handle.
 *
 * @internal
 */
export interface TimedTexts {
  /** From the call of `open` to the handle: the file is decoded, its frames are resized and normalised. */
  readonly open: number;
  /** Stages of opening, as its result tells. */
  readonly opening: Timings;
  readonly texts: readonly TimedText[];
}

/**
 * Captions of many photos.
 *
 * @internal
 */
export interface TimedCaptions {
  readonly ms: number;
  /** By photo, in the order asked for. */
  readonly texts: readonly string[];
}

/**
 * A clip to be made: a photo that moves, with the number of each frame in a corner.
 *
 * @internal
 */
export interface ClipOrder {
  /** In pixels, even. */
  readonly width: number;
  /** In pixels, even. */
  readonly height: number;
  readonly frames: number;
  /** Frames a second. */
  readonly rate: number;
  /** A key frame at every so many frames. */
  readonly keyEvery: number;
}

/**
 * How a `<video>` element came to its frames.
 *
 * @internal
 */
export interface TimedSeeks {
  /** From the element's making to the last frame's pixels. */
  readonly ms: number;
  /** How often a frame was drawn again, because the element still showed the one before. */
  readonly again: number;
}

/**
 * What is asked for on an open photo or clip, to be aborted: a caption, one of so many given answers, or an embedding; or
 * beside it, its opening anew or captions of several photos by one call.
 *
 * @internal
 */
export type AbortedWork =
  | { readonly kind: 'caption'; readonly search: SearchOptions }
  | { readonly kind: 'rank'; readonly answers: number }
  | { readonly kind: 'embed' }
  | { readonly kind: 'open' }
  | { readonly kind: 'captionAll'; readonly photos: readonly number[] };

/**
 * Some work, and how far it has been prepared.
 *
 * @internal
 */
export interface WorkOrder {
  readonly subject: Subject;
  readonly work: AbortedWork;
  /** Whether the subject is encoded before. */
  readonly isEncoded: boolean;
}

/**
 * Some work that nobody disturbed.
 *
 * @internal
 */
export interface TimedWork {
  /** From the call to its result. */
  readonly ms: number;
  /** Stages, as the result tells; none of what has several results. */
  readonly timings: Timings;
  /** What came of it, to be compared: tokens, the order of answers, a vector; of several captions their number. */
  readonly result: string;
}

/**
 * An abort to be made.
 *
 * @internal
 */
export interface AbortOrder extends WorkOrder {
  /** How long after the call. */
  readonly after: number;
}

/**
 * A call that was aborted.
 *
 * @internal
 */
export interface AbortedCall {
  /** The error's code. */
  readonly code: string;
  /** From the abort to the rejection. */
  readonly toRejection: number;
  /** From the abort to the result of a caption of one step of another photo, asked for at the abort. */
  readonly toNext: number;
}

/**
 * What came of an abort.
 *
 * @internal
 */
export interface AbortOutcome {
  /** Undefined where the work had ended before. */
  readonly aborted?: AbortedCall;
  /** What such a caption of one step takes by itself. */
  readonly nextAlone: number;
  /** What came of the same work, asked for again under the same handle. */
  readonly result: string;
}

/**
 * Some work to be aborted again and again under one handle: what was done for it is kept, so that work that goes on from
 * there is aborted everywhere.
 *
 * @internal
 */
export interface AbortsOrder extends WorkOrder {
  /** How long after each call it is aborted. */
  readonly moments: readonly number[];
}

/**
 * What came of aborts under one handle.
 *
 * @internal
 */
export interface AbortsOutcome {
  /** Fewer than asked for where the work had ended before. */
  readonly aborted: readonly AbortedCall[];
  /** What a caption of one step of another photo takes by itself. */
  readonly nextAlone: number;
  /** What came of the same work in the end. */
  readonly result: string;
}

/**
 * What the page `tasks` does by itself where its fragment orders it: loads a model and, if a photo is given, captions it. It tells of
 * each end by a request that nobody answers, {@link TOLD} and a {@link Told}.
 *
 * @internal
 */
export interface AloneOrder {
  readonly model: string;
  readonly tasks: readonly string[];
  readonly threads: number;
  /** URL of a photo to be captioned, by so many tokens. */
  readonly photo?: { readonly url: string; readonly steps: number };
}

/**
 * Path below which the page tells.
 *
 * @internal
 */
export const TOLD = '/bench-told/';

/**
 * How far it is, or why it goes no further.
 *
 * @internal
 */
export type Told =
  | { readonly done: 'ready' | 'photo'; readonly store: string; readonly longTasks: readonly LongTask[] }
  | { readonly failed: string };

/**
 * Global `owletBench` of the page `tasks`.
 *
 * @internal
 */
export interface TasksPage {
  /** Loads a model. */
  load(options: {
    readonly model: string;
    readonly device: 'auto' | 'wasm' | 'webgpu';
    readonly threads: number;
    readonly tasks: readonly string[];
  }): Promise<LoadReport>;
  /** Fetches photos and keeps them as they are, behind those kept before. */
  addPhotos(urls: readonly string[]): Promise<void>;
  /** Cuts a square out of a photo for each crop, the photos in turn, and keeps them as JPEG files of `side` pixels. */
  addCrops(urls: readonly string[], crops: readonly Crop[], side: number): Promise<void>;
  /** Makes a clip (MP4, H.264) out of the photo 0, behind those made before; gives its size in bytes. */
  addClip(order: ClipOrder): Promise<number>;
  /** Opens a photo or clip anew and writes texts about it, one after the other. */
  write(subject: Subject, orders: readonly TextOrder[]): Promise<TimedTexts>;
  /** Opens, captions and disposes of photos one by one. */
  captionEach(photos: readonly number[]): Promise<TimedCaptions>;
  /** Captions photos by one call. */
  captionAll(photos: readonly number[]): Promise<TimedCaptions>;
  /** Seeks a `<video>` element to frames of a clip, draws each to a square of `size` pixels and reads it out. */
  seek(clip: number, frames: readonly number[], rate: number, size: number): Promise<TimedSeeks>;
  /** Does some work that may be aborted, and doesn't abort it. */
  undisturbed(order: WorkOrder): Promise<TimedWork>;
  /** Aborts some work, and asks for it again. */
  abort(order: AbortOrder): Promise<AbortOutcome>;
  /** Aborts some work again and again under one handle, and lets it end at last. */
  abortAgain(order: AbortsOrder): Promise<AbortsOutcome>;
  /** Tasks of the page's thread of 50 ms or more since the last call, or since the navigation. */
  longTasks(): Promise<readonly LongTask[]>;
}
