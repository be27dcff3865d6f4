import type { Asset } from '@owlet/manifest';
import { OwletError, throwIfAborted } from '@owlet/protocol';
import { sha256Of } from './proof.ts';
import type { ShardStore } from './store.ts';
import { type ReceiveOptions, receive } from './transport.ts';

/**
 * What the files of one model are fetched with.
 *
 * @internal
 */
export interface BlobSource extends Pick<ReceiveOptions, 'fetch' | 'signal' | 'silenceMs'> {
  /** Absolute URL of the model's folder, ending in `/`. */
  readonly modelUrl: string;
  readonly store: ShardStore;
}

/**
 * Proven bytes and where they came from.
 *
 * @internal
 */
export interface ProvenBlob {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly fromStore: boolean;
}

const remedy = 'The server’s copy is damaged or of another version: upload the model’s folder again, as a whole.';

async function fromStore(asset: Asset, store: ShardStore): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const bytes = await store.read(asset.sha256);
  if (bytes === undefined) return undefined;
  if (bytes.length === asset.bytes && (await sha256Of(bytes)) === asset.sha256) return bytes;
  await store.remove(asset.sha256);
  return undefined;
}

/** One try over the network: the bytes, or what was wrong with them. */
async function fromNetwork(
  asset: Asset,
  { modelUrl, fetch, signal, silenceMs }: BlobSource,
  cache: RequestCache,
): Promise<Uint8Array<ArrayBuffer> | OwletError> {
  const url = new URL(asset.path, modelUrl).href;
  const received = await receive(url, { limit: asset.bytes, cache, stage: 'download', fetch, signal, silenceMs });
  const where = { stage: 'download', object: asset.path } as const;
  if (received.kind === 'missing') {
    throw new OwletError('BLOB_NOT_FOUND', {
      ...where,
      message: `${url} isn't there (status ${received.status}), though the manifest names it.`,
      remedy: 'Upload the model’s folder again, as a whole.',
    });
  }
  if (received.kind === 'longer' || received.bytes.length !== asset.bytes) {
    const found = received.kind === 'longer' ? 'more' : received.bytes.length;
    return new OwletError('BLOB_WRONG_LENGTH', {
      ...where,
      message: `${url} should have ${asset.bytes} bytes, but has ${found}.`,
      remedy,
    });
  }
  const sha256 = await sha256Of(received.bytes);
  if (sha256 === asset.sha256) return received.bytes;
  return new OwletError('BLOB_WRONG_HASH', {
    ...where,
    message: `${url} should have the SHA-256 ${asset.sha256}, but has ${sha256}.`,
    remedy,
  });
}

/**
 * The bytes of one file, out of the store or over the network, proved either way. Bytes that fail their proof are
 * forgotten or never kept; over the network they are asked for once more, past the browser's HTTP cache.
 *
 * @throws OwletError `BLOB_NOT_FOUND`, `BLOB_WRONG_LENGTH`, `BLOB_WRONG_HASH`, `NETWORK`, `NO_SECURE_CONTEXT`, `ABORTED`
 * @internal
 */
export async function fetchBlob(asset: Asset, source: BlobSource): Promise<ProvenBlob> {
  throwIfAborted(source.signal, 'download');
  const stored = await fromStore(asset, source.store);
  if (stored !== undefined) return { bytes: stored, fromStore: true };
  let received = await fromNetwork(asset, source, 'default');
  if (received instanceof OwletError) received = await fromNetwork(asset, source, 'reload');
  if (received instanceof OwletError) throw received;
  await source.store.write(asset.sha256, received);
  return { bytes: received, fromStore: false };
}
