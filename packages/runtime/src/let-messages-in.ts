let channel: MessageChannel | undefined;
const waiting: (() => void)[] = [];

/**
 * Resolves after the messages that have come for this thread by now. A graph on WASM runs within one task, and so would
 * a whole caption: nobody would hear an abort. (A message to oneself, since timers wait 4 ms when they are nested.)
 *
 * @internal
 */
export function letMessagesIn(): Promise<void> {
  if (channel === undefined) {
    channel = new MessageChannel();
    channel.port1.onmessage = () => waiting.shift()?.();
  }
  const { port2 } = channel;
  return new Promise((resolve) => {
    waiting.push(resolve);
    port2.postMessage(undefined);
  });
}
