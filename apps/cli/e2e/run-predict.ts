/** Runs `npm run predict` as a user would, in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** A model of a few kilobytes that has every task; what it says is of no meaning. */
export const tinyModel = join(root, 'packages', 'runtime', 'test', 'fixtures', 'tiny');

/** A line of results, read back. */
export interface Line {
  readonly media: string;
  readonly task?: string;
  readonly question?: string;
  readonly text?: string;
  readonly logprob?: number;
  readonly ranking?: readonly { readonly text: string }[];
  readonly device?: string;
  readonly timings?: Readonly<Record<string, number>>;
  readonly error?: { readonly code: string; readonly message: string };
}

/** A run under way. */
export interface Run {
  readonly process: ChildProcess;
  /** Its end: exit code and everything that it said. */
  readonly ended: Promise<{ readonly code: number | null; readonly said: string }>;
}

/** Starts `predict` with these arguments, as if typed in `folder`. */
export function startPredict(folder: string, args: readonly string[]): Run {
  const child = spawn(process.execPath, [join(root, 'tools', 'run.mjs'), 'predict', ...args], {
    cwd: folder,
    env: { ...process.env, INIT_CWD: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  const ended = once(child, 'close').then(([code]: (number | null)[]) => ({ code: code ?? null, said }));
  return { process: child, ended };
}

/** Runs `predict` to its end. */
export function predict(folder: string, args: readonly string[]): Run['ended'] {
  return startPredict(folder, args).ended;
}

/** The whole lines of a file of results. */
export function readLines(file: string): Line[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Line);
}

/** The renderer processes below a process, by Linux' list of processes. */
export function renderersBelow(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // The program's name, in brackets, may hold anything; the parent is the second field after it.
      const fields = readFileSync(`/proc/${name}/stat`, 'utf8').replace(/^.*\)/s, '').trim().split(' ');
      parents.set(Number(name), Number(fields[1]));
    } catch {
      // Ended meanwhile.
    }
  }
  const isBelow = (at: number): boolean => {
    const parent = parents.get(at);
    return parent !== undefined && (parent === pid || isBelow(parent));
  };
  return [...parents.keys()].filter((at) => {
    try {
      return isBelow(at) && readFileSync(`/proc/${at}/cmdline`, 'utf8').includes('--type=renderer');
    } catch {
      return false;
    }
  });
}

/** An uncompressed picture of coloured stripes, different for every seed. */
export function bitmap(seed: number, width = 300, height = 200): Buffer {
  const row = Math.ceil((width * 3) / 4) * 4;
  const bytes = Buffer.alloc(54 + row * height);
  bytes.write('BM');
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(width, 18);
  bytes.writeInt32LE(height, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  for (let y = 0; y < height; y += 1) {
    for (let at = 0; at < width * 3; at += 1) {
      bytes[54 + y * row + at] =
        (Math.floor(at / (30 + seed)) * 37 + Math.floor(y / (20 + seed)) * 53 + seed * 71) & 255;
    }
  }
  return bytes;
}
