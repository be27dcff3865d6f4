/** The page that `parity` opens: a model is loaded as the product does, and compared with golden vectors. */
import { runParity } from '@owlet/runtime/parity';
import type { ParityPage } from './protocol.ts';

const never = new AbortController().signal;

const page: ParityPage = {
  async run(request, listener) {
    const results: Promise<void>[] = [];
    const tell = (result: unknown): void => {
      // What the page was given by name, to be called from here.
      const listen: unknown = Reflect.get(globalThis, listener);
      if (typeof listen === 'function') results.push(Promise.resolve(listen(result)));
    };
    try {
      await runParity(request, tell, never);
      await Promise.all(results);
      return {};
    } catch (error) {
      await Promise.all(results);
      return { error: error instanceof Error ? error.message : String(error) };
    }
  },
};

Object.assign(globalThis, { owletParity: page });
