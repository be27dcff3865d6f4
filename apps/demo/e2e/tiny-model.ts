import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BrowserContext } from '@playwright/test';

const folder = new URL('../../../packages/runtime/test/fixtures/tiny/', import.meta.url);

interface TinyManifest {
  readonly blobs: readonly { readonly module: string; readonly sha256: string }[];
  readonly tasks: Readonly<Record<string, unknown>>;
}

const manifest = JSON.parse(readFileSync(new URL('manifest.json', folder), 'utf8')) as TinyManifest;

/** What the page's address has behind it so that the page loads the tiny model. */
export const tinyQuery = '?model=/models/tiny/';

/** The weights of one of its modules, as requests name them. */
export function tinyBlobs(module: string): RegExp {
  const names = manifest.blobs.filter((blob) => blob.module === module).map(({ sha256 }) => sha256);
  if (names.length === 0) throw new Error(`The tiny model has no weights of a module ${module}`);
  return new RegExp(names.join('|'));
}

/**
 * Serves a model of 200 kB that has every task, whichever the shipped one has, and says nonsense.
 *
 * @param tasks those that it is to have; all by default
 */
export async function serveTiny(context: BrowserContext, tasks = Object.keys(manifest.tasks)): Promise<void> {
  const isTiny = ({ pathname }: URL): boolean => pathname.startsWith('/models/tiny/');
  await context.route(isTiny, async (route) => {
    const [, path = ''] = route.request().url().split('/models/tiny/');
    if (path !== 'manifest.json') return route.fulfill({ path: fileURLToPath(new URL(path, folder)) });
    const kept = Object.entries(manifest.tasks).filter(([name]) => tasks.includes(name));
    return route.fulfill({ json: { ...manifest, tasks: Object.fromEntries(kept) } });
  });
}
