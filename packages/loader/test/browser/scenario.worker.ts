import { scenarios } from './scenarios.ts';
import { tabScenarios } from './tab-scenarios.ts';

const all = { ...scenarios, ...tabScenarios };

addEventListener('message', async ({ data, ports }: MessageEvent<{ name: keyof typeof all; args: unknown[] }>) => {
  const [port] = ports;
  try {
    const scenario = all[data.name] as (...args: unknown[]) => Promise<unknown>;
    port?.postMessage({ value: await scenario(...data.args) });
  } catch (error) {
    port?.postMessage({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});
