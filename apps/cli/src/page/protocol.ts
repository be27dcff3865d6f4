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
 * A file of the local server.
 *
 * @internal
 */
export interface PageMedia {
  readonly url: string;
  /** How messages call it. */
  readonly name: string;
}

/**
 * What captions are told besides the media; many are written at once.
 *
 * @internal
 */
export interface CaptionRequest {
  readonly task: 'caption';
  readonly beams: number;
}

/**
 * Any other task of the model, by its name in manifests, and what it is told besides the media.
 *
 * @internal
 */
export type PageRequest =
  | { readonly task: 'answer'; readonly question: string; readonly beams: number }
  | { readonly task: 'rank'; readonly question: string; readonly candidates: readonly string[] }
  | { readonly task: 'match'; readonly text: string }
  | { readonly task: 'embed' }
  | { readonly task: 'embed-text'; readonly text: string }
  | { readonly task: 'classify' };

/**
 * A given answer, as it stands in a line of results.
 *
 * @internal
 */
export interface Ranked {
  readonly text: string;
  /** Natural logarithm of the probability of all its tokens, the end token included. */
  readonly logprob: number;
  /** Among the answers that were scored. */
  readonly probability: number;
}

/**
 * What a task yields, as it stands in a line of results.
 *
 * @internal
 */
export type Yield =
  // A caption, whose log p counts all tokens, the end token included.
  | { readonly text: string; readonly logprob: number }
  // An answer; from a list, with all of the list that was scored, best first.
  | (Ranked & { readonly ranking?: readonly Ranked[] })
  | { readonly probability: number }
  | { readonly vector: readonly number[] }
  | { readonly labels: readonly { readonly label: string; readonly probability: number }[] };

/**
 * What a task yields, and what is told of every run.
 *
 * @internal
 */
export type Findings = Yield & {
  /** Where the module ran that the task ends with: `wasm` or `webgpu`. */
  readonly device: string;
  /**
   * Milliseconds by stage; the first result about a media has the stages of its opening too. Of captions, which are written
   * several at once, `decoder` is a caption's share of the runs it took part in; `firstToken` and `total` include what it
   * waited for the others, and so don't add up to the run's.
   */
  readonly timings: Readonly<Record<string, number>>;
  /** What is to be known of the input, such as a question that was cut; absent where there is nothing. */
  readonly warnings?: readonly { readonly code: string; readonly message: string }[];
};

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
   * @param tasks - what will be run, by the names in manifests
   * @returns sentences about what runs where, and what works less well than it could
   */
  load(model: string, device: 'auto' | 'wasm' | 'webgpu', tasks: readonly string[]): Promise<Answer<readonly string[]>>;
  /**
   * Captions files, together.
   *
   * @param ahead - files that come next: their bytes are fetched meanwhile
   * @returns an answer per file; one for all where none could be captioned
   */
  captionAll(
    request: CaptionRequest,
    files: readonly PageMedia[],
    ahead: readonly PageMedia[],
  ): Promise<Answer<readonly Answer<Findings>[]>>;
  /** Begins to open a file; what goes wrong with it is told by `run`. */
  prepare(media: PageMedia): void;
  /** Runs any other task, on a file that is opened unless it has been. */
  run(request: PageRequest, media: PageMedia | undefined): Promise<Answer<Findings>>;
  /** Closes a file; one that isn't open is ignored. */
  release(url: string): void;
}
