import { readdirSync, readFileSync } from 'node:fs';

/** Text of a file below /proc; empty where the process has ended. */
function readProc(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** Peak resident memory of a process in bytes, by `VmHWM` in its status; 0 where it has ended. */
function peakOf(pid: string): number {
  return Number(/^VmHWM:\s*(\d+) kB/m.exec(readProc(pid, 'status'))?.[1] ?? 0) * 1024;
}

/**
 * Peak resident memory of this process.
 *
 * @returns bytes; undefined where there is no /proc
 * @internal
 */
export function ownPeak(): number | undefined {
  return process.platform === 'linux' ? peakOf('self') : undefined;
}

/**
 * Peak resident memory of a browser's renderers: the sum of `VmHWM` in /proc over the renderer processes that live. Pages
 * that they share, of the program's own files above all, count in each.
 *
 * @param profile - folder of the browser's profile, by which its processes are known
 * @returns bytes; undefined where there is no /proc
 * @internal
 */
export function rendererPeak(profile: string): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  // Brackets around the program's name may hold anything; the parent is the second field after them.
  const parentOf = new Map(pids.map((pid) => [pid, readProc(pid, 'stat').replace(/^.*\)/s, '').trim().split(' ')[1]]));
  const isBrowsers = (pid: string | undefined): boolean => {
    if (pid === undefined || pid === '0') return false;
    return readProc(pid, 'cmdline').includes(`--user-data-dir=${profile}`) || isBrowsers(parentOf.get(pid));
  };
  const renderers = pids.filter((pid) => readProc(pid, 'cmdline').includes('--type=renderer') && isBrowsers(pid));
  return renderers.reduce((sum, pid) => sum + peakOf(pid), 0);
}
