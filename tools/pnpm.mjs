/**
 * The project's own pnpm: the version that the root package.json names, kept in a git-ignored folder.
 * Run as a script it passes its arguments on: `node tools/pnpm.mjs --filter @owlet/client add comlink`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { exitCodeOf, root } from './process.mjs';

/** The pinned version, as `packageManager` in the root package.json gives it. */
export function pnpmVersion() {
  /** @type {{ packageManager: string }} */
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const version = /^pnpm@(\d+\.\d+\.\d+)$/.exec(manifest.packageManager)?.[1];
  if (version === undefined) {
    throw new Error(`package.json: packageManager is "${manifest.packageManager}", not "pnpm@<version>"`);
  }
  return version;
}

/**
 * Brings pnpm by npm where it isn't there yet, into a folder of its own that appears whole or not at all.
 *
 * @param {(line: string) => void} say told what is being done
 * @returns {string} the path of pnpm's JavaScript entry
 */
export function ensurePnpm(say) {
  const version = pnpmVersion();
  const home = join(root, '.tools', `pnpm-${version}`);
  const entry = join(home, 'node_modules', 'pnpm', 'bin', 'pnpm.cjs');
  if (existsSync(entry)) return entry;
  say(`getting pnpm ${version} by npm into .tools/ (once)`);
  mkdirSync(join(root, '.tools'), { recursive: true });
  const fresh = mkdtempSync(join(root, '.tools', 'pnpm-new-'));
  try {
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
    const flags = ['--no-audit', '--no-fund', '--no-save', '--ignore-scripts', '--loglevel=error'];
    const result = spawnSync(npm, ['install', '--prefix', fresh, ...flags, `pnpm@${version}`], {
      cwd: fresh,
      stdio: ['ignore', 'inherit', 'inherit'],
      shell: process.platform === 'win32',
    });
    if (result.error || result.status !== 0) {
      const why = result.error ? result.error.message : `npm ended with ${exitCodeOf(result)}`;
      throw new Error(`pnpm ${version} could not be fetched (${why}): the first run needs a package registry`);
    }
    try {
      renameSync(fresh, home);
    } catch (cause) {
      // Another run may have been quicker; its folder is as good as ours.
      if (!existsSync(entry)) throw cause;
    }
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return entry;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const entry = ensurePnpm((line) => process.stderr.write(`set-up: ${line}\n`));
  const result = spawnSync(process.execPath, [entry, ...process.argv.slice(2)], { stdio: 'inherit' });
  process.exitCode = exitCodeOf(result);
}
