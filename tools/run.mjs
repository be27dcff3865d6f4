/**
 * `npm run predict`, `npm run parity` and `npm run bench`: sets up, finds a Chromium, and runs the app's TypeScript entry with the
 * arguments as they were typed. The app gets OWLET_CHROMIUM (the browser) and INIT_CWD (where relative paths count from).
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findChromium } from './chromium.mjs';
import { root, run, typedIn } from './process.mjs';
import { command, SetupError } from './setup.mjs';

/** @type {Record<string, string>} */
const entries = {
  predict: 'apps/cli/src/predict.ts',
  parity: 'apps/cli/src/parity/main.ts',
  bench: 'apps/bench/src/main.ts',
};

await command(async () => {
  const [name = '', ...args] = process.argv.slice(2);
  const entry = entries[name];
  if (entry === undefined) throw new SetupError(`"${name}" is none of ${Object.keys(entries).join(', ')}`);
  if (!existsSync(join(root, entry))) throw new SetupError(`${name} isn't built yet: ${entry} doesn't exist`);
  const env = { ...process.env, OWLET_CHROMIUM: await findChromium({ install: true }), INIT_CWD: typedIn };
  // Node 20 can't strip types itself.
  return run(process.execPath, ['--import', import.meta.resolve('tsx'), join(root, entry), ...args], { env });
});
