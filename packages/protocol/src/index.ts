export * from './caption.ts';
export * from './errors.ts';
export * from './load.ts';
export * from './media.ts';
export * from './rpc.ts';
export * from './wire-error.ts';
