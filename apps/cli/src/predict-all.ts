import type { MediaFile } from './media-files.ts';
import type { Answer, Caption, FileError } from './page/protocol.ts';
import type { ResultLine } from './result-file.ts';

/**
 * A loaded model in a browser.
 *
 * @internal
 */
export interface Captioner {
  /**
   * @param index - of the file in the list of all
   * @throws CaptionerLost
   */
  caption(file: MediaFile, index: number): Promise<Answer<Caption>>;
  /** Ends the browser; never rejects. */
  close(): Promise<void>;
}

/**
 * The browser, its page or its worker died or gave no answer in time: a new one may do.
 *
 * @internal
 */
export class CaptionerLost extends Error {}

/**
 * How a run went.
 *
 * @internal
 */
export interface Tally {
  readonly captioned: number;
  readonly failed: number;
}

/** A file, or a start, that fails this often is given up. */
const ATTEMPTS = 2;

/** What says less about the file than about the state of the worker: worth a second try in a new one. */
const troubleOfWorker: readonly string[] = ['WORKER_DIED', 'RUN_FAILED', 'INTERNAL'];

const videoError: FileError = {
  code: 'MEDIA_UNSUPPORTED',
  message: "Videos can't be captioned yet. Take a picture out of it.",
};

/**
 * Captions every file, one after the other, and writes a line for each, whatever happens to it. A browser that dies is
 * replaced; a file that a new browser fails at too gets an error.
 *
 * @param files - with the index that each has in the list of all
 * @param start - starts a browser and loads the model; `CaptionerLost` when that died, anything else ends the run
 * @param write - called once per file, in order
 * @param signal - ends the run before the next file
 * @internal
 */
export async function predictAll(
  files: readonly { readonly file: MediaFile; readonly index: number }[],
  start: () => Promise<Captioner>,
  write: (line: ResultLine) => void,
  signal: AbortSignal,
): Promise<Tally> {
  let captioner: Captioner | undefined;
  const tally = { captioned: 0, failed: 0 };

  const replace = async (): Promise<void> => {
    const old = captioner;
    captioner = undefined;
    await old?.close();
  };

  const startAnew = async (): Promise<Captioner> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await start();
      } catch (error) {
        if (!(error instanceof CaptionerLost) || attempt === ATTEMPTS || signal.aborted) throw error;
      }
    }
  };

  /** Undefined: the run was ended meanwhile. */
  const captionOne = async (file: MediaFile, index: number): Promise<Answer<Caption> | undefined> => {
    if (file.kind === 'video') return { ok: false, error: videoError };
    for (let attempt = 1; ; attempt += 1) {
      captioner ??= await startAnew();
      const answer = await captioner.caption(file, index).catch((error: unknown): Answer<Caption> => {
        if (!(error instanceof CaptionerLost)) throw error;
        return { ok: false, error: { code: 'WORKER_DIED', message: error.message } };
      });
      if (signal.aborted) return undefined;
      if (answer.ok || !troubleOfWorker.includes(answer.error.code)) return answer;
      await replace();
      if (attempt === ATTEMPTS) return answer;
    }
  };

  try {
    for (const { file, index } of files) {
      if (signal.aborted) break;
      const answer = await captionOne(file, index);
      if (answer === undefined) break;
      if (answer.ok) {
        tally.captioned += 1;
        write({ media: file.media, task: 'caption', ...answer.value });
      } else {
        tally.failed += 1;
        write({ media: file.media, error: answer.error });
      }
    }
    return tally;
  } finally {
    await replace();
  }
}
