import type { Asset } from '@owlet/manifest';
import { OwletError, throwIfAborted } from '@owlet/protocol';
import { BlobSink } from './blob-sink.ts';
import { type DownloadOptions, download } from './download.ts';
import { RETRY, SILENCE_MS } from './limits.ts';
import { sha256Of } from './proof.ts';
import type { BlobStore } from './store.ts';
import { inTurn, type Locks } from './tab-locks.ts';

/**
 * What the files of one model are fetched with.
 *
 * @internal
 */
export interface BlobSource extends Pick<DownloadOptions, 'fetch' | 'signal' | 'silenceMs' | 'retry' | 'priority'> {
  /** Absolute URL of the model's folder, ending in `/`. */
  readonly modelUrl: string;
  readonly store: BlobStore;
  /** By which tabs take turns in fetching a file. */
  readonly locks: Locks | undefined;
  /** Told how many bytes of a file are there, unproven, and how many of them have just come over the network. */
  readonly onLength: (asset: Asset, length: number, received: number) => void;
}

/**
 * Proven bytes, the caller's own, and where they came from.
 *
 * @internal
 */
export interface ProvenBlob {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How many of them came over the network, this time; those that failed their proof not counted. */
  readonly fromNetwork: number;
  /** Whether the store has them, too. */
  readonly isKept: boolean;
}

const remedy = 'The server’s copy is damaged or of another version: upload the model’s folder again, as a whole.';

async function fromStore(asset: Asset, store: BlobStore): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const bytes = await store.read(asset.sha256);
  if (bytes === undefined) return undefined;
  if (bytes.length === asset.bytes && (await sha256Of(bytes)) === asset.sha256) return bytes;
  await store.remove(asset.sha256);
  return undefined;
}

/** Fills the sink over the network: undefined when its bytes are proven, else what was wrong with them. */
async function fill(
  asset: Asset,
  sink: BlobSink,
  source: BlobSource,
  cache: RequestCache,
): Promise<OwletError | undefined> {
  const { fetch, signal, silenceMs, retry, priority } = source;
  const url = new URL(asset.path, source.modelUrl).href;
  const where = { stage: 'download', object: asset.path } as const;
  const options = { sink, cache, resumes: true, stage: where.stage, fetch, signal, silenceMs, retry, priority };
  const result = await download(url, options);
  if (result.kind === 'missing') {
    throw new OwletError('BLOB_NOT_FOUND', {
      ...where,
      message: `${url} isn't there (status ${result.status}), though the manifest names it.`,
      remedy: 'Upload the model’s folder again, as a whole.',
    });
  }
  const sha256 = sink.length === asset.bytes ? await sha256Of(sink.bytes) : undefined;
  // Right bytes are right, whatever length the server claims.
  if (sha256 === asset.sha256) return undefined;
  if (sha256 === undefined || (result.kind === 'full' && result.surplus)) {
    return new OwletError('BLOB_WRONG_LENGTH', {
      ...where,
      message: `${url} should have ${asset.bytes} bytes, but has ${sha256 === undefined ? sink.length : 'more'}.`,
      remedy,
    });
  }
  return new OwletError('BLOB_WRONG_HASH', {
    ...where,
    message: `${url} should have the SHA-256 ${asset.sha256}, but has ${sha256}.`,
    remedy,
  });
}

/** Over the network and, if it is to be kept, from where an earlier try broke off, and into the store. */
async function fromNetwork(asset: Asset, source: BlobSource, isKept: boolean): Promise<ProvenBlob> {
  const { store } = source;
  const part = isKept ? await store.openPart(asset.sha256) : undefined;
  const sink = new BlobSink(asset.bytes, part, (...lengths) => source.onLength(asset, ...lengths));
  let earlier = sink.length;
  try {
    let fault = await fill(asset, sink, source, 'default');
    if (fault !== undefined) {
      sink.restart();
      earlier = 0;
      fault = await fill(asset, sink, source, 'reload');
    }
    if (fault !== undefined) {
      sink.restart();
      throw fault;
    }
  } catch (error) {
    // What came of it is left for the next try.
    sink.keep();
    part?.close();
    if (part !== undefined && sink.length === 0) await store.removePart(asset.sha256);
    throw error;
  }
  if (part !== undefined) await part.commit(sink.bytes);
  else if (isKept) await store.write(asset.sha256, sink.bytes);
  return { bytes: sink.bytes, fromNetwork: asset.bytes - earlier, isKept };
}

/**
 * The bytes of one file, out of the store or over the network, proven either way. Bytes that fail their proof are
 * forgotten or never kept; over the network they are asked for once more, past the browser's HTTP cache. Of several tabs
 * that want the same file one fetches it, and the others wait for it.
 *
 * @throws OwletError `BLOB_NOT_FOUND`, `BLOB_WRONG_LENGTH`, `BLOB_WRONG_HASH`, `NETWORK`, `NO_SECURE_CONTEXT`, `ABORTED`
 * @internal
 */
export async function fetchBlob(asset: Asset, source: BlobSource): Promise<ProvenBlob> {
  const { store, signal, silenceMs = SILENCE_MS, retry = RETRY } = source;
  throwIfAborted(signal, 'download');
  const stored = await fromStore(asset, store);
  if (stored !== undefined) return { bytes: stored, fromNetwork: 0, isKept: true };
  // What is kept in memory no other tab can take over.
  const locks = store.kind === 'opfs' ? source.locks : undefined;
  const progress = () => store.partLength(asset.sha256);
  // The other tab may be waiting for its server, and be right in doing so.
  const limitMs = silenceMs + retry.longestRetryAfterMs;
  const turn = { signal, stage: 'download', progress, limitMs } as const;
  return inTurn(locks, `owlet-fetch-${asset.sha256}`, turn, async (isAlone) => {
    throwIfAborted(signal, 'download');
    const meanwhile = locks && (await fromStore(asset, store));
    if (meanwhile !== undefined) return { bytes: meanwhile, fromNetwork: 0, isKept: true };
    return fromNetwork(asset, source, isAlone);
  });
}
