import { abortedError, type OwletStage } from '@owlet/protocol';

/**
 * The part of Web Locks that is used. It is absent where there is no secure context, in opaque origins and in Node.
 *
 * @internal
 */
export type Locks = Pick<LockManager, 'request'>;

/**
 * This browser's locks, shared by all tabs of the origin.
 *
 * @internal
 */
export function systemLocks(): Locks | undefined {
  const navigator: Partial<NavigatorLocks> | undefined = globalThis.navigator;
  return navigator?.locks;
}

/**
 * Takes a lock and keeps it until it is given back or this tab is gone.
 *
 * @param options - `ifAvailable`: doesn't wait for others
 * @returns what gives it back; undefined where another tab has it, or there are no locks
 * @internal
 */
export function hold(
  locks: Locks | undefined,
  name: string,
  options: { readonly mode: LockMode; readonly ifAvailable?: boolean },
): Promise<(() => void) | undefined> {
  if (locks === undefined) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const held = (lock: Lock | null): Promise<void> | undefined => {
      if (lock === null) {
        resolve(undefined);
        return undefined;
      }
      return new Promise((release) => resolve(release));
    };
    // Refused, as in an opaque origin: then nothing else is shared between tabs either.
    locks.request(name, options, held).catch(() => resolve(undefined));
  });
}

/**
 * How the turn of another tab is watched.
 *
 * @internal
 */
export interface TurnOptions {
  readonly signal: AbortSignal | undefined;
  /** For the error of an abort. */
  readonly stage: OwletStage;
  /** How far the tab whose turn it is has come: any number that changes as it gets on. */
  readonly progress: () => Promise<number>;
  /** After so many milliseconds without progress it is not waited for any longer. */
  readonly limitMs: number;
}

/** How often the other tab's progress is looked at. */
const LOOKS = 8;

/**
 * Runs something while no other tab runs the same. When the tab whose turn it is dies, the next goes on; when it gets no
 * further, this one goes ahead beside it.
 *
 * @param run - given whether it runs alone: beside another tab it must not touch what that one writes
 * @throws OwletError `ABORTED`, what `run` throws
 * @internal
 */
export async function inTurn<T>(
  locks: Locks | undefined,
  name: string,
  { signal, stage, progress, limitMs }: TurnOptions,
  run: (isAlone: boolean) => Promise<T>,
): Promise<T> {
  if (locks === undefined) return run(true);
  const waiting = new AbortController();
  const giveUp = (): void => waiting.abort();
  signal?.addEventListener('abort', giveUp, { once: true });
  let last = -1;
  let looksInVain = 0;
  const look = async (): Promise<void> => {
    const now = await progress().catch(() => last);
    looksInVain = now === last ? looksInVain + 1 : 0;
    last = now;
    if (looksInVain >= LOOKS) giveUp();
  };
  const timer = setInterval(() => void look(), limitMs / LOOKS);
  const stop = (): void => {
    clearInterval(timer);
    signal?.removeEventListener('abort', giveUp);
  };
  let isMyTurn = false;
  try {
    return await locks.request(name, { signal: waiting.signal }, () => {
      isMyTurn = true;
      stop();
      return run(true);
    });
  } catch (error) {
    if (isMyTurn) throw error;
    if (signal?.aborted) throw abortedError(stage, signal.reason);
    return run(false);
  } finally {
    stop();
  }
}
