import { type Manifest, parseManifest } from '@owlet/manifest';
import { OwletError, throwIfAborted } from '@owlet/protocol';
import { SILENCE_MS } from './limits.ts';
import { sha256Of } from './proof.ts';
import type { ShardStore } from './store.ts';
import { receive } from './transport.ts';

/** Far above what a manifest needs; keeps a hostile one from costing memory. */
const MAX_BYTES = 4 * 1024 * 1024;
/** A kept manifest is its SHA-256 in hexadecimal, then its bytes: unlike a blob's, its key says nothing about them. */
const HASH_CHARACTERS = 64;

/**
 * How a manifest is loaded.
 *
 * @public
 */
export interface LoadManifestOptions {
  readonly store: ShardStore;
  /** Asks the server although the store has one. */
  readonly refresh: boolean;
  /** In place of the global one. */
  readonly fetch?: typeof globalThis.fetch;
  readonly signal?: AbortSignal;
  /** How long the server may be silent, in milliseconds; 30 s by default. */
  readonly silenceMs?: number;
}

/**
 * A valid manifest and where it came from.
 *
 * @public
 */
export interface LoadedManifest {
  readonly manifest: Manifest;
  /** Whether it came out of the store, without a request. */
  readonly fromStore: boolean;
  /** Length of its JSON. */
  readonly bytes: number;
}

function parse(bytes: Uint8Array, url: string): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new OwletError('MANIFEST_NOT_JSON', {
      message: `${url} is no JSON (${bytes.length} bytes).`,
      stage: 'manifest',
      object: url,
      remedy: 'Check the model’s address: servers often answer with a web page where a file is missing.',
      cause,
    });
  }
  return parseManifest(json, url);
}

async function readKept(store: ShardStore, key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const kept = await store.read(key);
  if (kept === undefined) return undefined;
  const bytes = kept.slice(HASH_CHARACTERS);
  const proof = new TextDecoder().decode(kept.subarray(0, HASH_CHARACTERS));
  return (await sha256Of(bytes)) === proof ? bytes : undefined;
}

async function keep(store: ShardStore, key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const kept = new Uint8Array(HASH_CHARACTERS + bytes.length);
  kept.set(new TextEncoder().encode(await sha256Of(bytes)));
  kept.set(bytes, HASH_CHARACTERS);
  await store.write(key, kept);
}

/** The kept manifest, if it is whole and this version of Owlet still reads it. */
async function fromStore(store: ShardStore, key: string, url: string): Promise<LoadedManifest | undefined> {
  const bytes = await readKept(store, key);
  if (bytes === undefined) return undefined;
  try {
    return { manifest: parse(bytes, url), fromStore: true, bytes: bytes.length };
  } catch {
    return undefined;
  }
}

/**
 * Loads and validates `manifest.json` of a model, out of the store where it was kept by an earlier visit.
 *
 * @param modelUrl - absolute URL of the model's folder, ending in `/`
 * @throws OwletError `MANIFEST_NOT_FOUND`, `MANIFEST_NOT_JSON`, `MANIFEST_INVALID`, `MANIFEST_UNKNOWN_VERSION`,
 *   `MANIFEST_UNSAFE_PATH`, `NETWORK`, `NO_SECURE_CONTEXT`, `ABORTED`
 * @public
 */
export async function loadManifest(modelUrl: string, options: LoadManifestOptions): Promise<LoadedManifest> {
  const { store, refresh, fetch = globalThis.fetch, signal, silenceMs = SILENCE_MS } = options;
  throwIfAborted(signal, 'manifest');
  const url = new URL('manifest.json', modelUrl).href;
  const key = `${await sha256Of(new TextEncoder().encode(url))}.manifest`;
  const kept = refresh ? undefined : await fromStore(store, key, url);
  throwIfAborted(signal, 'manifest');
  if (kept !== undefined) return kept;
  const received = await receive(url, {
    limit: MAX_BYTES,
    // Unlike a blob it may change under its name: the HTTP cache has to ask.
    cache: 'no-cache',
    stage: 'manifest',
    fetch,
    signal,
    silenceMs,
  });
  if (received.kind === 'missing') {
    throw new OwletError('MANIFEST_NOT_FOUND', {
      message: `${url} isn't there (status ${received.status}).`,
      stage: 'manifest',
      object: url,
      remedy: 'Check the model’s address: it must be the folder that holds manifest.json.',
    });
  }
  if (received.kind === 'longer') {
    throw new OwletError('MANIFEST_INVALID', {
      message: `${url} has more than ${MAX_BYTES} bytes.`,
      stage: 'manifest',
      object: url,
      remedy: 'Check the model’s address: no manifest is as long as that.',
    });
  }
  const manifest = parse(received.bytes, url);
  await keep(store, key, received.bytes);
  return { manifest, fromStore: false, bytes: received.bytes.length };
}
