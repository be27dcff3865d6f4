interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

/** The pages' policy allows one name, which stands for whatever starts a worker. */
const policy = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes?.createPolicy('owlet', {
  createScriptURL: (url) => url,
});

/**
 * Starts a worker of the build.
 *
 * @param url - as `?worker&url` gives it
 * @param name - what its errors call it
 * @returns the worker, and a promise that is rejected when it dies
 * @internal
 */
export function makeWorker(url: string, name: string): { readonly worker: Worker; readonly died: Promise<never> } {
  const worker = new Worker(policy?.createScriptURL(url) ?? url, { type: 'module', name });
  const died = new Promise<never>((_, reject) => {
    worker.onerror = (event) => reject(new Error(`The worker ${name} died: ${event.message}`));
  });
  return { worker, died };
}
