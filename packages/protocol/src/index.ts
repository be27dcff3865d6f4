export * from './errors.ts';
export * from './load.ts';
export * from './media.ts';
export * from './results.ts';
export * from './rpc.ts';
export * from './tasks.ts';
export * from './wire-error.ts';
export * from './within-limit.ts';
