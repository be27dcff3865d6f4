/** Running other programs: where the project is, exit codes, signals passed on. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds the root package.json. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The folder in which the user typed the command: npm moves to the root, and says in INIT_CWD where it came from. */
export const typedIn = process.env['INIT_CWD'] ?? process.cwd();

/**
 * The exit code a shell would show for a finished child: 128 + the signal's number for a killed one, 127 for one that
 * never started.
 *
 * @param {{ status?: number | null, signal?: NodeJS.Signals | null, error?: Error | undefined }} result
 */
export function exitCodeOf({ status, signal, error }) {
  if (typeof status === 'number') return status;
  if (signal) return 128 + (constants.signals[signal] ?? 0);
  return error ? 127 : 1;
}

const stopping = new AbortController();

/** Aborted when a command is to end: see `listenForStop`. The reason is the signal's name. */
export const stop = stopping.signal;

/**
 * Lets SIGINT, SIGTERM and the end of npm abort `stop` instead of ending this process at once. npm passes a signal only
 * to the shell that it put between itself and us, so that the shell's end is all that we see of it.
 */
export function listenForStop() {
  const end = (/** @type {NodeJS.Signals} */ signal) => stopping.abort(signal);
  process.on('SIGINT', end).on('SIGTERM', end);
  const parent = process.ppid;
  if (process.env['npm_lifecycle_event'] === undefined) return;
  setInterval(() => {
    if (process.ppid !== parent) end('SIGTERM');
  }, 500).unref();
}

/**
 * Runs a program to its end with our output; it gets no input, since nothing here asks questions. Once `stop` is aborted
 * it gets SIGTERM. From a terminal Ctrl-C has reached it already, with its whole group.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<number>} its exit code, as `exitCodeOf` has it
 */
export function run(command, args, { cwd = root, env = process.env } = {}) {
  return new Promise((resolve) => {
    if (stop.aborted) {
      resolve(exitCodeOf({ signal: stop.reason }));
      return;
    }
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] });
    const kill = () => {
      if (stop.reason !== 'SIGINT' || !process.stdin.isTTY) child.kill('SIGTERM');
    };
    stop.addEventListener('abort', kill);
    const end = (/** @type {number} */ code) => {
      stop.removeEventListener('abort', kill);
      resolve(code);
    };
    child.once('error', (error) => {
      process.stderr.write(`${command}: ${error.message}\n`);
      end(127);
    });
    child.once('exit', (status, signal) => end(exitCodeOf({ status, signal })));
  });
}

/**
 * The path of a JavaScript program inside an installed package of the tools' own.
 *
 * @param {string} path such as `vite/bin/vite.js`
 */
export function installed(path) {
  return join(root, 'tools', 'node_modules', path);
}
