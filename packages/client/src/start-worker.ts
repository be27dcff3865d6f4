import { OwletError } from '@owlet/protocol';
import workerUrl from '@owlet/runtime/worker?worker&url';
import type { WorkerEndpoint } from './watch-worker.ts';

/** The part of Trusted Types that is used; TypeScript's DOM library doesn't have it yet. */
interface TrustedTypes {
  createPolicy(
    name: string,
    // What comes out is a TrustedScriptURL, which `Worker` takes where a string goes.
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): string };
}

let trustedUrl: string | undefined;

/** The worker's address in the form that the page's policy wants. A policy of one name can be made only once. */
function trustedWorkerUrl(): string {
  if (trustedUrl === undefined) {
    const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
    const policy = trustedTypes?.createPolicy('owlet', {
      createScriptURL(url) {
        if (url !== workerUrl) throw new TypeError(`The policy "owlet" lets only ${workerUrl} pass, not ${url}`);
        return url;
      },
    });
    trustedUrl = policy?.createScriptURL(workerUrl) ?? workerUrl;
  }
  return trustedUrl;
}

/**
 * Starts Owlet's worker, through the Trusted Types policy `owlet` where the browser has Trusted Types.
 *
 * @throws OwletError `NO_WORKER` where there are no workers or the page's policy forbids this one
 * @internal
 */
export function createWorker(): WorkerEndpoint {
  if (typeof Worker === 'undefined') {
    throw new OwletError('NO_WORKER', {
      message: 'This browser has no web workers.',
      stage: 'start',
      object: 'Worker',
      remedy: 'Use a current browser, and call loadOwlet in a page or a dedicated worker.',
    });
  }
  try {
    return new Worker(trustedWorkerUrl(), { type: 'module', name: 'owlet' });
  } catch (cause) {
    throw new OwletError('NO_WORKER', {
      message: `The browser refused to start the worker ${workerUrl}.`,
      stage: 'start',
      object: workerUrl,
      remedy: "Let the page's content security policy have worker-src 'self' and, with Trusted Types, a policy owlet.",
      cause,
    });
  }
}
