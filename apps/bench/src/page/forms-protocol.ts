/** What the page `forms` offers to the command line: one graph in several forms, on WASM. Times are in milliseconds. */

/**
 * A graph's input as it lies in the file of its feeds.
 *
 * @internal
 */
export interface FedInput {
  readonly name: string;
  readonly dtype: 'float32' | 'int32' | 'int64';
  readonly shape: readonly number[];
  /** In bytes. */
  readonly offset: number;
}

/**
 * Which graph, and where its files are.
 *
 * @internal
 */
export interface FormsOrder {
  readonly threads: number;
  /** Under which name the graphs refer to their weights. */
  readonly location: string;
  /** What every form is fed. */
  readonly feeds: { readonly url: string; readonly inputs: readonly FedInput[] };
  /** URLs by form. */
  readonly forms: Readonly<Record<string, { readonly model: string; readonly weights: string }>>;
}

/**
 * Global `owletBench` of the page `forms`, and what its worker offers to it.
 *
 * @internal
 */
export interface FormsPage {
  /** Loads onnxruntime-web, as Owlet does, and fetches the graph in every form. */
  open(order: FormsOrder): Promise<void>;
  /** Makes a form's session and runs it once; gives onnxruntime's message where it refuses. */
  attempt(form: string): Promise<string | undefined>;
  /** Makes a form's session anew, in place of the one before. */
  make(form: string): Promise<number>;
  /** Runs a form so many times in a row behind a run that isn't counted; gives the time of one on average. */
  run(form: string, times: number): Promise<number>;
  /** The least cosine of the angle between two forms' float32 values of one output. */
  cosine(form: string, other: string): Promise<number>;
}
