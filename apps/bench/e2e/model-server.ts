/** The model that is shipped, from a server that counts and slows, under an address of the pages' own origin. */
import { fileURLToPath } from 'node:url';
import { RemoteSite } from '@owlet/testing';
import { FaultServer } from '@owlet/testing/fault-server';
import type { BrowserContext } from '@playwright/test';
import { readFolder } from '../src/sites.ts';

const folder = fileURLToPath(new URL('../../../models/owlet-mini', import.meta.url));

/** The address that pages load it from. */
export const served = '/models/served/';

/** What a test knows of the server and asks of it. */
export interface ModelServer extends AsyncDisposable {
  readonly site: RemoteSite;
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Bytes of all bodies so far. */
  sent(): Promise<number>;
}

/** Serves the model to all pages of a context, over real HTTP: the pages' policy allows their own origin alone. */
export async function serveModel(context: BrowserContext): Promise<ModelServer> {
  const files = readFolder(folder);
  const server = await FaultServer.start(new Map());
  const site = await RemoteSite.create(server.url, files);
  await context.route(`**${served}**`, (route) => {
    const [, path = ''] = new URL(route.request().url()).pathname.split(served);
    return route.continue({ url: `${site.url}${path}` });
  });
  return {
    site,
    files,
    sent: async () => (await site.requests()).reduce((all, { sent }) => all + sent, 0),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
