/** Which pages the apps have, and where they appear: `apps/demo/index.html` at `/`, `apps/x/y.html` at `/x/y.html`. */
import { existsSync, readdirSync, renameSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

/**
 * The HTML files directly inside the folders of `apps`.
 *
 * @param apps absolute
 * @returns absolute paths by a name of their own, such as `demo/index`
 */
export function findPages(apps: string): Record<string, string> {
  const pages: Record<string, string> = {};
  for (const app of readdirSync(apps, { withFileTypes: true })) {
    if (!app.isDirectory()) continue;
    for (const file of readdirSync(join(apps, app.name))) {
      if (file.endsWith('.html')) pages[`${app.name}/${file.slice(0, -5)}`] = join(apps, app.name, file);
    }
  }
  return pages;
}

/** Puts the demo's page at the root of the site, in the build and in development. */
export function demoAtRoot(): Plugin {
  let outDir = '';
  return {
    name: 'owlet:demo-at-root',
    configResolved(config) {
      outDir = join(config.root, config.build.outDir);
    },
    configureServer({ middlewares }) {
      middlewares.use((request, _response, next) => {
        request.url = request.url?.replace(/^\/(index\.html)?(?=$|[?#])/, '/demo/index.html');
        next();
      });
    },
    writeBundle() {
      const folder = join(outDir, 'demo');
      if (!existsSync(join(folder, 'index.html'))) return;
      renameSync(join(folder, 'index.html'), join(outDir, 'index.html'));
      if (readdirSync(folder).length === 0) rmdirSync(folder);
    },
  };
}
