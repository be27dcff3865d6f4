/**
 * An error as it stands in a line of results.
 *
 * @internal
 */
export interface FileError {
  /** The code of the `OwletError`. */
  readonly code: string;
  /** What happened, in a sentence. */
  readonly message: string;
}

/**
 * What comes back from the page: it answers everything that happens, so that a call that rejects means a dead page.
 *
 * @internal
 */
export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: FileError; readonly remedy?: string };

/**
 * A caption, with what a line of results says of it.
 *
 * @internal
 */
export interface Caption {
  readonly text: string;
  /** Natural logarithm of the probability of all tokens, the end token included. */
  readonly logprob: number;
  /** Where the decoder ran: `wasm` or `webgpu`. */
  readonly device: string;
  /** Milliseconds by stage. */
  readonly timings: Readonly<Record<string, number>>;
}

/**
 * What the page offers to the command line, as the global `owletPredict`.
 *
 * @internal
 */
export interface PredictPage {
  /**
   * Loads the model.
   *
   * @param model - URL of its folder
   * @returns sentences about what runs where, and what works less well than it could
   */
  load(model: string, device: 'auto' | 'wasm' | 'webgpu'): Promise<Answer<readonly string[]>>;
  /**
   * Captions one file.
   *
   * @param url - where the local server has it
   * @param name - how messages call it
   */
  caption(url: string, name: string): Promise<Answer<Caption>>;
}
