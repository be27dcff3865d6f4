/** The sample pictures in Node. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('./fixtures/', import.meta.url));

/** Names of all samples. */
export const sampleNames: readonly string[] = readdirSync(`${folder}samples`).sort();

/** Bytes of a fixture, by its path below `fixtures`. */
export function fixture(path: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(folder + path));
}

/** Bytes of a sample. */
export function sample(name: string): Uint8Array<ArrayBuffer> {
  return fixture(`samples/${name}`);
}

/** What Pillow says of each sample. */
export const references: Readonly<Record<string, { width: number; height: number; offset: number }>> = JSON.parse(
  new TextDecoder().decode(fixture('samples.json')),
);

/** Latin-1 text as bytes. */
export function latin1(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** Bytes one after the other. */
export function joined(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}
