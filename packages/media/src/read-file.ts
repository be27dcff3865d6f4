import { mediaError } from './faults.ts';

/** How much of a file tells what it is. */
const HEAD_BYTES = 4096;

/**
 * All bytes of a file.
 *
 * @throws OwletError `MEDIA_NOT_FOUND` where it can no longer be read
 * @internal
 */
export async function readBytes(blob: Blob, name: string): Promise<Uint8Array<ArrayBuffer>> {
  const buffer = await blob.arrayBuffer().catch((cause: unknown) => {
    throw mediaError('MEDIA_NOT_FOUND', name, 'the file can no longer be read', { cause });
  });
  return new Uint8Array(buffer);
}

/**
 * As many of a file's first bytes as `identify` looks at.
 *
 * @throws OwletError `MEDIA_NOT_FOUND` where it can no longer be read
 * @internal
 */
export function readHead(blob: Blob, name: string): Promise<Uint8Array<ArrayBuffer>> {
  return readBytes(blob.slice(0, HEAD_BYTES), name);
}

/**
 * What a file is called in errors: as told, else by its own name.
 *
 * @param fallback - for what has no name
 * @internal
 */
export function nameOf(blob: Blob, told: string | undefined, fallback: string): string {
  return told ?? ((blob instanceof File && blob.name) || fallback);
}
