/**
 * Set-up: brings the pinned pnpm and installs what the lock file names, once. While nothing of that has changed it does
 * nothing, and asks no registry. Node's built-ins only: this runs before anything is installed.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { alone } from './lock.mjs';
import { ensurePnpm } from './pnpm.mjs';
import { exitCodeOf, listenForStop, root, run, stop } from './process.mjs';

const stampFile = join(root, 'node_modules', '.owlet-set-up');
const lockFolder = join(root, '.tools', 'set-up.lock');

/** A failure whose message says all that the user needs: it is shown without a stack. */
export class SetupError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = 'SetupError';
  }
}

/** @param {string} line */
export function say(line) {
  process.stderr.write(`set-up: ${line}\n`);
}

/** Vite needs 20.19 of Node 20, and 22.12 of what came later. */
function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const fine = major === 20 ? minor >= 19 : major === 22 ? minor >= 12 : major > 22;
  if (!fine) {
    throw new SetupError(
      `Node ${process.versions.node} is too old: 20.19 or later of Node 20, or 22.12 and later, is needed`,
    );
  }
}

/** Every package.json of the workspace, and the two files that pnpm goes by. */
function inputs() {
  const files = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', 'tools/package.json'];
  for (const parent of ['packages', 'apps']) {
    const folder = join(root, parent);
    if (!existsSync(folder)) continue;
    for (const name of readdirSync(folder).sort()) {
      const file = join(folder, name, 'package.json');
      if (existsSync(file)) files.push(relative(root, file));
    }
  }
  return files;
}

/** A hash over all that decides what is installed. */
function stamp() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`);
  for (const file of inputs()) hash.update(`${file}\n`).update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

function upToDate() {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp();
}

/**
 * Makes sure that the workspace is installed as the lock file says.
 *
 * @throws {SetupError} when Node is too old or the install failed
 */
export async function setUp() {
  checkNode();
  if (upToDate()) return;
  const install = async () => {
    if (upToDate()) return;
    const pnpm = ensurePnpm(say);
    say('installing the packages that pnpm-lock.yaml names (once; later runs need no network)');
    const flags = [
      '--frozen-lockfile',
      '--prefer-offline',
      '--reporter=append-only',
      '--config.confirmModulesPurge=false',
    ];
    const code = await run(process.execPath, [pnpm, 'install', ...flags]);
    if (code !== 0) {
      throw new SetupError(
        `pnpm install ended with ${code}. The first run needs a package registry; a lock file that doesn't fit a ` +
          'package.json is mended by "node tools/pnpm.mjs install --no-frozen-lockfile".',
      );
    }
    writeFileSync(stampFile, stamp());
    say('done');
  };
  await alone(lockFolder, install, () => say('waiting for another run of the set-up'));
}

/**
 * The frame of every command: sets up, runs `work`, and turns its number into the exit code and a failure into a message.
 *
 * @param {() => Promise<number>} work
 */
export async function command(work) {
  listenForStop();
  try {
    await setUp();
    const code = await work();
    process.exitCode = stop.aborted ? exitCodeOf({ signal: stop.reason }) : code;
  } catch (error) {
    const known = error instanceof SetupError;
    process.stderr.write(`${known ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = 1;
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await command(async () => 0);
