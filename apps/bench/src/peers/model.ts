/**
 * What a peer has to know of a captioning model: where its graphs are and how a caption is searched for.
 *
 * @internal
 */
export interface PeerModel {
  /** Names of its graphs. */
  readonly graphs: PeerGraphs;
  /** Ids from which generation starts. */
  readonly prompt: readonly number[];
  /** The token that ends a sentence. */
  readonly end: number;
  /** The end token isn't chosen before so many tokens have been generated. */
  readonly minLength: number;
  /** Most tokens that are generated. */
  readonly maxLength: number;
  /** Side of the picture, in pixels. */
  readonly size: number;
  /** Heads and width of self-attention keys and values, in the order of the decoder's inputs. */
  readonly pasts: readonly { readonly name: string; readonly heads: number; readonly width: number }[];
  /** Under which name the ONNX files refer to their external data. */
  readonly location: string;
}

/**
 * The graphs of captioning by their part in it, in the order in which they run. A module may be cut into several.
 *
 * @internal
 */
export interface PeerGraphs {
  /** From pixels to what the decoder looks at. */
  readonly encoder: readonly string[];
  /** Its cross-attention keys and values. */
  readonly memory: readonly string[];
  /** The decoder itself. */
  readonly step: string;
}

/**
 * All of them in that order.
 *
 * @internal
 */
export function graphList({ encoder, memory, step }: PeerGraphs): string[] {
  return [...encoder, ...memory, step];
}

/**
 * A caption as a peer gives it.
 *
 * @internal
 */
export interface PeerCaption {
  /** Generated tokens, the end token included where it came. */
  readonly ids: readonly number[];
  /** Milliseconds from the pixels to the first token. */
  readonly firstToken: number;
  /** Milliseconds from the pixels to the whole caption. */
  readonly total: number;
}
