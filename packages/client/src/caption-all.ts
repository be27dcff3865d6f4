import {
  fromWireError,
  type MediaInfo,
  type OwletError,
  type TaskRequests,
  type TextResult,
  throwIfAborted,
} from '@owlet/protocol';
import { invalidArgument } from './checks.ts';
import type { Connection } from './connection.ts';
import { OpenAhead, type Opened } from './open-ahead.ts';
import type { MediaOpener } from './open-media.ts';
import { runBatch } from './run-batch.ts';
import type { MediaInput } from './source.ts';
import { type CaptionAllOptions, toBatchOptions } from './task-options.ts';

/**
 * What came of one of many sources: its caption, or why there is none.
 *
 * @public
 */
export type CaptionItem =
  | {
      /** The source's place, from 0 on. */
      readonly index: number;
      /** What opening it told. */
      readonly info: MediaInfo;
      /** Its caption. */
      readonly result: TextResult;
    }
  | {
      /** The source's place, from 0 on. */
      readonly index: number;
      /** Why it could not be opened or captioned; the others go on. */
      readonly error: OwletError;
    };

/** Batches of media that are open at once: while one is written about, the next is opened. */
const OPEN_BATCHES = 2;

/**
 * Opens sources and captions them, batch by batch; see `Owlet.captionAll`.
 *
 * @throws OwletError `INVALID_ARGUMENT`, `UNKNOWN_TASK`, `ABORTED`, `DISPOSED`, `WORKER_DIED`, and what loading late
 *   modules can fail with; and whatever the sources throw
 * @internal
 */
export async function* captionAll(
  connection: Connection,
  opener: MediaOpener,
  sources: Iterable<MediaInput> | AsyncIterable<MediaInput>,
  options: CaptionAllOptions,
): AsyncGenerator<CaptionItem, void, undefined> {
  const { search, task, batch, signal: asked } = toBatchOptions(options);
  // A text is iterable, but its characters are no addresses.
  const isObject = typeof sources === 'object' && sources !== null;
  if (!isObject || !(Symbol.iterator in sources || Symbol.asyncIterator in sources)) {
    throw invalidArgument('sources', sources, 'an array or another iterable of what can be opened');
  }
  throwIfAborted(asked, 'client');
  const request = { kind: 'generate', task, texts: {}, search } as const;
  const left = new AbortController();
  const signal = asked === undefined ? left.signal : AbortSignal.any([left.signal, asked]);
  const ahead = new OpenAhead(opener, sources, OPEN_BATCHES * batch, signal);
  try {
    for (let opened = await ahead.take(batch); opened.length > 0; opened = await ahead.take(batch)) {
      yield* captionBatch(connection, opener, request, opened, signal);
    }
  } finally {
    left.abort(new DOMException('The loop was left.', 'AbortError'));
    ahead.stop();
  }
}

async function* captionBatch(
  connection: Connection,
  opener: MediaOpener,
  request: Omit<TaskRequests['generate'], 'media'>,
  opened: readonly Opened[],
  signal: AbortSignal,
): AsyncGenerator<CaptionItem, void, undefined> {
  const held = new Set(opened.flatMap((each) => ('handle' in each ? [each.handle] : [])));
  const handles = [...held];
  const outcomes = handles.length === 0 ? [] : runBatch(connection, request, handles, signal);
  try {
    for (const each of opened) {
      if (!('handle' in each)) {
        yield each;
        continue;
      }
      const { index, info, handle } = each;
      const outcome = await outcomes[handles.indexOf(handle)];
      if (outcome === undefined) throw new TypeError('every handle has an outcome');
      opener.release(handle);
      held.delete(handle);
      if (outcome.ok) yield { index, info, result: outcome.value };
      else yield { index, error: fromWireError(outcome.error) };
    }
  } finally {
    for (const handle of held) opener.release(handle);
  }
}
