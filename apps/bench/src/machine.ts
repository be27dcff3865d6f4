import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, loadavg, platform, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * On what and with what a bench ran.
 *
 * @internal
 */
export interface Surroundings {
  readonly date: string;
  readonly processor: string;
  readonly processors: number;
  readonly memoryBytes: number;
  readonly system: string;
  /** Processes that wanted to run, on average over the minute before: well below 1 on an idle machine. */
  readonly loadBefore: number;
  readonly node: string;
  readonly chromium: string;
  readonly onnxruntimeWeb: string;
  /** Id of the model, and the beginning of its manifest's SHA-256. */
  readonly model: string;
  /** Commit of the repository, with `+` where files differ from it. */
  readonly commit: string;
  /** What to type to repeat it. */
  readonly command: string;
}

const root = fileURLToPath(new URL('../../..', import.meta.url));

function output(program: string, args: readonly string[]): string {
  try {
    return execFileSync(program, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
}

function ortWebVersion(): string {
  // The package doesn't let its package.json be imported.
  const entry = createRequire(import.meta.url).resolve('onnxruntime-web');
  const { version } = JSON.parse(readFileSync(join(dirname(entry), '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}

/** What matrix products of onnxruntime's native build and of WebAssembly's compilers look for. */
const INSTRUCTIONS =
  /^(fma|avx|avx2|avx512f|avx512bw|avx512_bf16|avx_vnni|avx512_vnni|amx_int8|amx_bf16|asimd|asimddp|i8mm)$/;

/**
 * The instruction sets for matrix products that a processor has.
 *
 * @param cpuinfo - text of `/proc/cpuinfo`
 * @internal
 */
export function instructionSetsOf(cpuinfo: string): string[] {
  const flags = /^(?:flags|Features)\s*:(.*)$/m.exec(cpuinfo)?.[1] ?? '';
  return flags.split(/\s+/).filter((flag) => INSTRUCTIONS.test(flag));
}

/**
 * Those of this machine; empty where there is no /proc.
 *
 * @internal
 */
export function instructionSets(): string[] {
  return existsSync('/proc/cpuinfo') ? instructionSetsOf(readFileSync('/proc/cpuinfo', 'utf8')) : [];
}

/**
 * Looks around.
 *
 * @param model - folder of the model
 * @param chromium - version of the browser
 * @param args - what to type after `bench --` to repeat it
 * @internal
 */
export function lookAround(model: string, id: string, chromium: string, args: readonly string[]): Surroundings {
  const hash = createHash('sha256')
    .update(readFileSync(join(model, 'manifest.json')))
    .digest('hex');
  const changed = output('git', ['status', '--porcelain', '--untracked-files=no']) === '' ? '' : '+';
  return {
    date: new Date().toISOString(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    processors: cpus().length,
    memoryBytes: totalmem(),
    system: `${platform()} ${release()}`,
    loadBefore: loadavg()[0] ?? Number.NaN,
    node: process.version,
    chromium,
    onnxruntimeWeb: ortWebVersion(),
    model: `${id} (manifest ${hash.slice(0, 12)})`,
    commit: (output('git', ['rev-parse', '--short=12', 'HEAD']) || 'unknown') + changed,
    command: ['npm run bench --', ...args].join(' '),
  };
}
