import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { findChromium } from '../chromium.mjs';

let folder = '';

/** A program on a PATH that holds nothing else but `sh` and `env`. */
function program(name: string, script: string): string {
  const file = join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'owlet-chromium-'));
  mkdirSync(join(folder, 'cache'));
  for (const name of ['sh', 'env']) symlinkSync(name === 'sh' ? '/bin/sh' : '/usr/bin/env', join(folder, name));
  vi.stubEnv('PATH', folder);
  vi.stubEnv('PLAYWRIGHT_BROWSERS_PATH', join(folder, 'cache'));
  vi.stubEnv('OWLET_CHROMIUM', '');
  vi.stubEnv('CHROME_PATH', '');
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

// Programs made of a shell script, on a PATH without a browser in a fixed place.
describe.runIf(process.platform === 'linux')('findChromium', () => {
  test('refuses a path that does not exist, naming its variable', async () => {
    vi.stubEnv('OWLET_CHROMIUM', join(folder, 'none'));
    await expect(findChromium()).rejects.toThrow(/OWLET_CHROMIUM names .*none/);
  });

  test('passes over a stub that does not run', async () => {
    program('chromium', 'exit 1');
    const file = program('google-chrome', 'exit 0');
    expect(await findChromium()).toBe(file);
  });

  test('says what to do where there is none, and gets none unasked', async () => {
    program('apt-get', 'exit 1');
    await expect(findChromium()).rejects.toThrow('name its path in OWLET_CHROMIUM');
  });

  test('installs by apt-get where it can, after an update that may fail', async () => {
    const file = join(folder, 'chromium');
    // `sudo -n` for those who aren't root: drops its own flag and runs the rest.
    program('sudo', '[ "$2" = true ] && exit 0; shift; exec "$@"');
    const body = `#!/bin/sh\\nexit 0\\n`;
    program(
      'apt-get',
      `case "$*" in *update*) exit 100;; *chromium) printf '${body}' > ${file}; /bin/chmod +x ${file};; esac`,
    );
    expect(await findChromium({ install: true })).toBe(file);
  });
});
