import type { CapturedSource, MediaInfo, MediaSource, TimeRange } from '@owlet/protocol';
import { transfer } from 'comlink';
import type { Connection } from './connection.ts';
import { closeSource, type MediaInput, toMediaSource, transferOfSource } from './source.ts';

/**
 * What the worker keeps under a handle.
 *
 * @internal
 */
export interface OpenedMedia {
  readonly handle: number;
  readonly info: MediaInfo;
}

/**
 * Opens media in a worker, under handles of its own choosing.
 *
 * @internal
 */
export class MediaOpener {
  readonly #connection: Connection;
  #lastHandle = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Opens a picture or a video, which whoever asked has to release. One that was opened although it had been aborted is
   * released here.
   *
   * @throws OwletError `INVALID_ARGUMENT`, `ABORTED`, `DISPOSED`, `NETWORK`, `MEDIA_…`, `WORKER_DIED`
   */
  async open(source: MediaInput, range: TimeRange, signal: AbortSignal | undefined): Promise<OpenedMedia> {
    const wire = await toMediaSource(source, signal);
    this.#lastHandle += 1;
    return this.#openUnder(this.#lastHandle, wire, range, signal);
  }

  /** Lets the worker forget it. */
  release(handle: number): void {
    this.#connection.tell((api) => api.release(handle));
  }

  async #openUnder(
    handle: number,
    wire: MediaSource | CapturedSource,
    range: TimeRange,
    signal: AbortSignal | undefined,
  ): Promise<OpenedMedia> {
    let isWanted = true;
    try {
      const info = await this.#connection.call(
        async (api, context) => {
          const outcome = await api.open(transfer(wire, transferOfSource(wire)), range, handle, context);
          // The worker may have been through before it saw the abort.
          if (outcome.ok && !isWanted) this.release(handle);
          return outcome;
        },
        { signal },
      );
      return { handle, info };
    } catch (error) {
      isWanted = false;
      // It may not have been transferred.
      closeSource(wire);
      throw error;
    }
  }
}
