import {
  isOwletError,
  type LoadOptions,
  type LoadProgress,
  loadOwlet,
  type Owlet,
  type OwletStage,
} from '@owlet/client';
import { announce } from './view/announce.ts';
import { type ErrorPlace, showError } from './view/error-view.ts';
import { showLoadStart, showNoModel, showProgress, showReady, showWarning } from './view/model-view.ts';

/** Shows the newest of many reports once a frame, so that a fast download costs the page nothing. */
function oncePerFrame<T>(show: (newest: T) => void): (value: T) => void {
  let newest: T | undefined;
  return (value) => {
    if (newest === undefined) {
      requestAnimationFrame(() => {
        const due = newest;
        newest = undefined;
        if (due !== undefined) show(due);
      });
    }
    newest = value;
  };
}

/** Where calls fail for want of a part of the model that comes behind the first. */
const PART_STAGES: ReadonlySet<OwletStage> = new Set<OwletStage>(['download', 'store', 'compile']);

/** Loads the page's model, again where that failed, and shows how it goes. */
export class ModelLoader {
  readonly #options: LoadOptions;
  #owlet: Promise<Owlet> | undefined;
  #error: unknown;

  /**
   * @param query `?model=` and `?device=` choose other ones than usual; loadOwlet checks them
   */
  constructor(query: URLSearchParams) {
    const chosen = [...query].filter(([name]) => name === 'model' || name === 'device');
    this.#options = Object.fromEntries(chosen) as LoadOptions;
  }

  /** The model, once it is there; rejects where loading failed, and loads again where a worker died. */
  get owlet(): Promise<Owlet> {
    return this.#owlet ?? this.load();
  }

  /**
   * Shows what went wrong where it went wrong, unless it is the model's own trouble, which has its place.
   *
   * @param again done, after the model was loaded anew, where a part of it could not be had
   */
  tellFailure(place: ErrorPlace, error: unknown, again?: () => void): void {
    if (isOwletError(error, 'WORKER_DIED')) {
      this.#forget(error);
      return;
    }
    if (this.#error === error) return;
    const isOfPart = isOwletError(error) && PART_STAGES.has(error.stage);
    const retry = (then: () => void) => ({
      label: 'Load again',
      run: () => {
        this.load();
        then();
      },
    });
    showError(place, error, isOfPart && again ? retry(again) : undefined);
  }

  /**
   * Starts loading, in place of a model that is there. What comes of it is shown, so that the promise needs no other
   * handler.
   */
  load(): Promise<Owlet> {
    showError('model-error', undefined);
    showLoadStart();
    this.#owlet?.then(
      (before) => before.close(),
      () => {},
    );
    let isOver = false;
    const show = oncePerFrame((progress: LoadProgress) => {
      if (!isOver) showProgress(progress);
    });
    const loading = loadOwlet({ ...this.#options, onProgress: show, onWarning: showWarning });
    this.#owlet = loading;
    loading
      .finally(() => {
        isOver = true;
      })
      .then(
        ({ report }) => {
          showReady(report);
          announce('The model is ready.');
        },
        (error: unknown) => this.#fail(error),
      );
    return loading;
  }

  /** Forgets a model whose worker has died: the next photo or question loads it again. */
  #forget(error: unknown): void {
    this.#owlet = undefined;
    this.#fail(error);
  }

  #fail(error: unknown): void {
    this.#error = error;
    showNoModel();
    showError('model-error', error, { label: 'Load again', run: () => this.load() });
  }
}
