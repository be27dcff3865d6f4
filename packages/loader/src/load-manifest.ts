import { type Manifest, parseManifest } from '@owlet/manifest';
import { OwletError, throwIfAborted } from '@owlet/protocol';
import { download } from './download.ts';
import { HASH_CHARACTERS, MANIFEST_BYTES, RETRY, type RetryPolicy, SILENCE_MS } from './limits.ts';
import { sha256Of } from './proof.ts';
import { modelKey } from './records.ts';
import type { ShardStore } from './store.ts';
import { inTurn, systemLocks } from './tab-locks.ts';
import type { Sink } from './transport.ts';

/**
 * How a manifest is loaded.
 *
 * @public
 */
export interface LoadManifestOptions {
  readonly store: ShardStore;
  /** Asks the server although the store has one. */
  readonly refresh: boolean;
  /** SHA-256 of the only `manifest.json` that is accepted, in lower-case hexadecimal. */
  readonly sha256?: string | undefined;
  /** In place of the global one. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  readonly signal?: AbortSignal;
  /** Told where the store has the manifest, whole and the one that is wanted, before it is parsed. */
  readonly onStored?: () => void;
  /** How long the server may be silent, in milliseconds; 30 s by default. */
  readonly silenceMs?: number;
  /** How often and when it is tried again; 5 tries in vain by default. */
  readonly retry?: RetryPolicy;
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

/** The bytes of a manifest and their SHA-256. */
interface HashedBytes {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly sha256: string;
}

async function readKept(store: ShardStore, key: string): Promise<HashedBytes | undefined> {
  const kept = await store.read(key);
  if (kept === undefined) return undefined;
  const bytes = kept.slice(HASH_CHARACTERS);
  const sha256 = await sha256Of(bytes);
  const proof = new TextDecoder().decode(kept.subarray(0, HASH_CHARACTERS));
  return sha256 === proof ? { bytes, sha256 } : undefined;
}

async function keep(store: ShardStore, key: string, { bytes, sha256 }: HashedBytes): Promise<void> {
  const kept = new Uint8Array(HASH_CHARACTERS + bytes.length);
  kept.set(new TextEncoder().encode(sha256));
  kept.set(bytes, HASH_CHARACTERS);
  await store.write(key, kept);
}

/** The kept manifest, if it is whole, the one that is wanted, and this version of Owlet still reads it. */
async function fromStore(
  { store, sha256, onStored }: LoadManifestOptions,
  key: string,
  url: string,
): Promise<LoadedManifest | undefined> {
  const kept = await readKept(store, key);
  if (kept === undefined || (sha256 !== undefined && kept.sha256 !== sha256)) return undefined;
  const { bytes } = kept;
  onStored?.();
  try {
    return { manifest: parse(bytes, url), fromStore: true, bytes: bytes.length };
  } catch {
    return undefined;
  }
}

/** Takes in a file of unknown length. */
class ManifestSink implements Sink {
  // One more, by which a manifest that is too long is told from the longest.
  readonly limit = MANIFEST_BYTES + 1;
  #chunks: Uint8Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  write(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#length += bytes.length;
  }

  restart(): void {
    this.#chunks = [];
    this.#length = 0;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#length);
    let at = 0;
    for (const chunk of this.#chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }
}

async function fromNetwork(url: string, options: LoadManifestOptions, cache: RequestCache): Promise<HashedBytes> {
  const { fetch, signal, silenceMs, retry } = options;
  const sink = new ManifestSink();
  // Nothing proves that two parts are of one version.
  const found = await download(url, {
    sink,
    cache,
    resumes: false,
    stage: 'manifest',
    fetch,
    signal,
    silenceMs,
    retry,
  });
  if (found.kind === 'missing') {
    throw new OwletError('MANIFEST_NOT_FOUND', {
      message: `${url} isn't there (status ${found.status}).`,
      stage: 'manifest',
      object: url,
      remedy: 'Check the model’s address: it must be the folder that holds manifest.json.',
    });
  }
  if (found.kind === 'full') {
    throw new OwletError('MANIFEST_INVALID', {
      message: `${url} has more than ${MANIFEST_BYTES} bytes.`,
      stage: 'manifest',
      object: url,
      remedy: 'Check the model’s address: no manifest is as long as that.',
    });
  }
  const bytes = sink.bytes();
  return { bytes, sha256: await sha256Of(bytes) };
}

/** The manifest with the wanted hash; another is asked for once more, past every cache. */
async function fromNetworkProven(url: string, options: LoadManifestOptions): Promise<HashedBytes> {
  // Unlike a blob it may change under its name: the HTTP cache has to ask.
  let found = await fromNetwork(url, options, 'no-cache');
  const { sha256: expected } = options;
  if (expected === undefined || found.sha256 === expected) return found;
  found = await fromNetwork(url, options, 'reload');
  if (found.sha256 === expected) return found;
  throw new OwletError('MANIFEST_WRONG_HASH', {
    message: `${url} should have the SHA-256 ${expected}, but has ${found.sha256}.`,
    stage: 'manifest',
    object: url,
    remedy: 'The model is of another version than the page wants: change manifestSha256, or the model’s address.',
  });
}

/**
 * Loads and validates `manifest.json` of a model, out of the store where it was kept by an earlier visit. Of several tabs
 * that have none one asks the server, and the others wait for it; those that are to ask anew all do.
 *
 * @param modelUrl - absolute URL of the model's folder, ending in `/`
 * @throws OwletError `MANIFEST_NOT_FOUND`, `MANIFEST_NOT_JSON`, `MANIFEST_INVALID`, `MANIFEST_UNKNOWN_VERSION`,
 *   `MANIFEST_UNSAFE_PATH`, `MANIFEST_WRONG_HASH`, `NETWORK`, `NO_SECURE_CONTEXT`, `ABORTED`
 * @public
 */
export async function loadManifest(modelUrl: string, options: LoadManifestOptions): Promise<LoadedManifest> {
  const { store, refresh, signal } = options;
  throwIfAborted(signal, 'manifest');
  const url = new URL('manifest.json', modelUrl).href;
  const key = `${await modelKey(modelUrl)}.manifest`;
  const kept = refresh ? undefined : await fromStore(options, key, url);
  throwIfAborted(signal, 'manifest');
  if (kept !== undefined) return kept;
  // What is kept in memory no other tab can take over.
  const locks = refresh || store.kind === 'memory' ? undefined : systemLocks();
  const { silenceMs = SILENCE_MS, retry = RETRY } = options;
  // Of a manifest on its way nothing is to be seen: the other tab is given one silence, and one rest for its server.
  const limitMs = silenceMs + retry.longestRetryAfterMs;
  const turn = { signal, stage: 'manifest', progress: async () => 0, limitMs } as const;
  return inTurn(locks, `owlet-fetch-${key}`, turn, async () => {
    throwIfAborted(signal, 'manifest');
    const meanwhile = locks && (await fromStore(options, key, url));
    if (meanwhile !== undefined) return meanwhile;
    const found = await fromNetworkProven(url, options);
    const manifest = parse(found.bytes, url);
    await keep(store, key, found);
    return { manifest, fromStore: false, bytes: found.bytes.length };
  });
}
