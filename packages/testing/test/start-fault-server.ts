import type { TestProject } from 'vitest/node';
import { FaultServer } from '../src/fault-server/index.ts';

/**
 * Starts a fault server for tests in a browser.
 *
 * @returns what ends it
 * @internal
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await FaultServer.start(new Map());
  project.provide('faultServer', server.url);
  const { OWLET_SOAK_LOADS: loads = 25, OWLET_SOAK_SEED: seed = Date.now() % 2 ** 31 } = process.env;
  project.provide('soak', { loads: Number(loads), seed: Number(seed) });
  return () => server[Symbol.asyncDispose]();
}
