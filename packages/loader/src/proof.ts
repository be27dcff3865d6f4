import { OwletError } from '@owlet/protocol';

/**
 * SHA-256 in lower-case hexadecimal.
 *
 * @throws OwletError `NO_SECURE_CONTEXT` where the browser has no `crypto.subtle`: plain http, localhost apart
 * @internal
 */
export async function sha256Of(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const subtle: SubtleCrypto | undefined = globalThis.crypto?.subtle;
  if (subtle === undefined) {
    throw new OwletError('NO_SECURE_CONTEXT', {
      message: 'The bytes of a model can’t be proved: this context has no crypto.subtle.',
      stage: 'start',
      object: 'crypto.subtle',
      remedy: 'Serve the page over https (or from localhost).',
    });
  }
  const digest = new Uint8Array(await subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
