/** What the worker is made of, for a worker of one's own; a page starts `@owlet/runtime/worker` through the client. */
export { browserPlatform, type Platform } from './platform.ts';
export { Runtime } from './runtime.ts';
