import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** Text of a file below /proc; empty where the process has ended. */
function readProc(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** A field of a process' status in bytes; 0 where it has ended. */
function statusOf(pid: string, field: 'VmHWM' | 'VmRSS'): number {
  return Number(new RegExp(`^${field}:\\s*(\\d+) kB`, 'm').exec(readProc(pid, 'status'))?.[1] ?? 0) * 1024;
}

/**
 * Peak resident memory of this process.
 *
 * @returns bytes; undefined where there is no /proc
 * @internal
 */
export function ownPeak(): number | undefined {
  return process.platform === 'linux' ? statusOf('self', 'VmHWM') : undefined;
}

/** The renderer processes of the browser that has this profile. */
function renderersOf(profile: string): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  // Brackets around the program's name may hold anything; the parent is the second field after them.
  const parentOf = new Map(pids.map((pid) => [pid, readProc(pid, 'stat').replace(/^.*\)/s, '').trim().split(' ')[1]]));
  const isBrowsers = (pid: string | undefined): boolean => {
    if (pid === undefined || pid === '0') return false;
    return readProc(pid, 'cmdline').includes(`--user-data-dir=${profile}`) || isBrowsers(parentOf.get(pid));
  };
  return pids.filter((pid) => readProc(pid, 'cmdline').includes('--type=renderer') && isBrowsers(pid));
}

/**
 * Resident memory of a browser's renderers, in bytes.
 *
 * @internal
 */
export interface RendererMemory {
  readonly bytes: number;
  /** The most so far, or since {@link forgetPeak}. */
  readonly peakBytes: number;
}

/**
 * Resident memory of a browser's renderers: the sums of `VmRSS` and `VmHWM` in /proc over the renderer processes that
 * live. Pages that they share, of the program's own files above all, count in each.
 *
 * @param profile - folder of the browser's profile, by which its processes are known
 * @returns undefined where there is no /proc
 * @internal
 */
export function rendererMemory(profile: string): RendererMemory | undefined {
  if (process.platform !== 'linux') return undefined;
  const renderers = renderersOf(profile);
  const sum = (field: 'VmHWM' | 'VmRSS'): number => renderers.reduce((all, pid) => all + statusOf(pid, field), 0);
  return { bytes: sum('VmRSS'), peakBytes: sum('VmHWM') };
}

/**
 * The greatest peak (`VmHWM`) of a browser's renderers, in bytes: that of the one page that does anything.
 *
 * @returns undefined where there is no /proc
 * @internal
 */
export function greatestPeak(profile: string): number | undefined {
  if (process.platform !== 'linux') return undefined;
  return Math.max(0, ...renderersOf(profile).map((pid) => statusOf(pid, 'VmHWM')));
}

/** Chromium's own statistics have a renderer's peak begin anew now and then: so often it is looked at. */
const LOOK_MS = 100;

/**
 * Keeps the greatest peak of a browser's renderers over a long time.
 *
 * @internal
 */
export class PeakWatch {
  readonly #profile: string;
  readonly #timer: ReturnType<typeof setInterval>;
  #peak = 0;

  /** @param profile - folder of the browser's profile, by which its processes are known */
  constructor(profile: string) {
    this.#profile = profile;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  /**
   * The greatest so far, in bytes.
   *
   * @throws Error where there is no /proc
   */
  get peak(): number {
    this.#look();
    if (this.#peak === 0) throw new Error('There is no /proc here, by which a peak could be told');
    return this.#peak;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    this.#peak = Math.max(this.#peak, greatestPeak(this.#profile) ?? 0);
  }
}

/**
 * Has the renderers' peak begin anew at what is resident now; without /proc nothing happens.
 *
 * @internal
 */
export function forgetPeak(profile: string): void {
  if (process.platform !== 'linux') return;
  // The kernel's way to reset VmHWM, see proc_pid_clear_refs(5).
  for (const pid of renderersOf(profile)) writeFileSync(`/proc/${pid}/clear_refs`, '5');
}
