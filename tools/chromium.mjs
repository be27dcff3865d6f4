/**
 * A Chromium for tests, predictions and benchmarks: where it is, how to get one, how to start it.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { installed, run } from './process.mjs';
import { SetupError, say } from './setup.mjs';

const onMac = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

/** Whether this process may do anything; Chromium's sandbox refuses to run so. */
const isRoot = process.getuid?.() === 0;

/**
 * Launch arguments under which WebGPU works in headless mode, on a software adapter where there is no GPU, and the
 * browser asks nobody for anything.
 *
 * @type {readonly string[]}
 */
export const launchArgs = [
  ...(isRoot ? ['--no-sandbox'] : []),
  '--enable-unsafe-webgpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * How a command has Playwright start the browser. Signals are the command's to handle: it closes the browser itself.
 *
 * @param {string} executablePath
 */
export function launchOptions(executablePath) {
  const unheard = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false };
  return { executablePath, args: [...launchArgs], timeout: 60_000, ...unheard };
}

/**
 * @param {string} name a program
 * @returns {string | undefined} its path, where PATH has it
 */
export function onPath(name) {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const file = join(folder, process.platform === 'win32' ? `${name}.exe` : name);
    try {
      accessSync(file, constants.X_OK);
      if (folder !== '') return file;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

/**
 * Whether the browser says its version: a stub that only points to another package manager doesn't.
 *
 * @param {string} file
 */
function runs(file) {
  // On Windows `--version` opens a window instead of answering.
  if (process.platform === 'win32') return existsSync(file);
  const { status } = spawnSync(file, [...(isRoot ? ['--no-sandbox'] : []), '--version'], {
    stdio: 'ignore',
    timeout: 20_000,
  });
  return status === 0;
}

/** The browser that Playwright downloaded earlier, if it did. */
function playwrights() {
  /** @type {typeof import('playwright-core')} */
  const { chromium } = createRequire(import.meta.url)('playwright-core');
  const file = chromium.executablePath();
  return file !== '' && existsSync(file) ? file : undefined;
}

/** Looks in every known place, without getting anything. */
function look() {
  for (const variable of ['OWLET_CHROMIUM', 'CHROME_PATH']) {
    const file = process.env[variable];
    if (!file) continue;
    if (!existsSync(file)) throw new SetupError(`${variable} names ${file}, which doesn't exist`);
    return file;
  }
  const files = [
    ...names.map(onPath),
    ...(process.platform === 'darwin' ? onMac.filter((file) => existsSync(file)) : []),
  ];
  return files.find((file) => file !== undefined && runs(file)) ?? playwrights();
}

/** How to become root without a question, as the start of a command line; undefined where that can't be. */
function asRoot() {
  if (isRoot) return [];
  const sudo = onPath('sudo');
  return sudo && spawnSync(sudo, ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? [sudo, '-n'] : undefined;
}

/** Debian's package, where apt can. */
async function byApt() {
  const apt = onPath('apt-get');
  const prefix = apt === undefined ? undefined : asRoot();
  if (apt === undefined || prefix === undefined) return;
  const base = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', apt, '-q', '-o', 'DPkg::Lock::Timeout=120'];
  say('no Chromium found: installing the chromium package by apt-get');
  for (const rest of [['update'], ['install', '-y', '--no-install-recommends', 'chromium']]) {
    const [program = apt, ...args] = [...base, ...rest];
    const code = await run(program, args);
    // A failed update may leave lists that are good enough.
    if (code !== 0) say(`apt-get ${rest[0]} ended with ${code}`);
  }
}

/** Playwright's own build, into Playwright's own cache. */
async function byPlaywright() {
  say("getting Playwright's Chromium");
  const dependencies = process.platform === 'linux' && onPath('apt-get') && asRoot() ? ['--with-deps'] : [];
  const code = await run(process.execPath, [
    installed('playwright-core/cli.js'),
    'install',
    ...dependencies,
    'chromium',
  ]);
  if (code !== 0) say(`playwright install ended with ${code}`);
}

/**
 * The path of a Chromium: OWLET_CHROMIUM or CHROME_PATH, else one on the PATH, else the one in Playwright's cache.
 *
 * @param {{ install?: boolean }} [options] `install`: get one where none is found (off by default)
 * @returns {Promise<string>}
 * @throws {SetupError} when there is none and none could be had
 */
export async function findChromium({ install = false } = {}) {
  let found = look();
  for (const get of install ? [byApt, byPlaywright] : []) {
    if (found !== undefined) break;
    await get();
    found = look();
  }
  if (found === undefined) {
    throw new SetupError('No Chromium was found. Install one, or name its path in OWLET_CHROMIUM.');
  }
  return found;
}
