/**
 * Outcomes and events come through different ports, whose order the platform doesn't promise: this is how long the
 * last events may come after the outcome, in milliseconds.
 */
const STRAGGLER_LIMIT_MS = 100;

/**
 * The page's end of what a call tells while it runs.
 *
 * @internal
 */
export interface EventChannel {
  /** The worker's end, to be transferred with the call. */
  readonly port: MessagePort;
  /** Waits, a moment at most, until the events that came before an outcome have arrived too. */
  settled(isComplete: () => boolean): Promise<void>;
  /** Closes the port; no event comes afterwards. */
  close(): void;
}

/**
 * Opens a channel for the events of one call.
 *
 * @param listener - called with every event, in order
 * @internal
 */
export function openEvents<E>(listener: (event: E) => void): EventChannel {
  const { port1, port2 } = new MessageChannel();
  let check: () => void = () => {};
  port1.onmessage = ({ data }: MessageEvent<E>) => {
    try {
      listener(data);
    } finally {
      check();
    }
  };
  return {
    port: port2,
    async settled(isComplete) {
      if (isComplete()) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, STRAGGLER_LIMIT_MS);
        check = () => {
          if (!isComplete()) return;
          clearTimeout(timer);
          resolve();
        };
      });
    },
    close() {
      port1.onmessage = null;
      port1.close();
    },
  };
}
