import { scenarios } from './scenarios.ts';

addEventListener('message', async ({ data, ports }: MessageEvent<{ name: keyof typeof scenarios; args: string[] }>) => {
  const [port] = ports;
  try {
    const scenario: (...args: string[]) => Promise<unknown> = scenarios[data.name];
    port?.postMessage({ value: await scenario(...data.args) });
  } catch (error) {
    port?.postMessage({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});
