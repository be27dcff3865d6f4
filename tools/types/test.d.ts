// What every test may use beyond its package: `?url` imports and the like.
/// <reference types="vite/client" />

declare module 'vitest' {
  /** What a global set-up hands to tests. */
  interface ProvidedContext {
    /** URL of a fault server, on which tests in a browser set up folders by `RemoteSite`. */
    faultServer: string;
    /** Loads of the soak, and the seed of its chances: `OWLET_SOAK_LOADS` and `OWLET_SOAK_SEED`. */
    soak: { readonly loads: number; readonly seed: number };
  }
}

export {};
