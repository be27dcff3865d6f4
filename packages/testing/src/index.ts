export { FakeServer } from './fake-server.ts';
export type { Fault, SeenRequest } from './fault-server/fault.ts';
export { RemoteSite } from './fault-server/remote-site.ts';
export { type Chances, chances, fuzzRun } from './fuzz.ts';
export { type ClipOptions, drawNumber, makeClip, readNumber, steadyTimes } from './make-clip.ts';
export type { TinyModel } from './tiny-model.ts';
export { sha256Of, tinyModel } from './tiny-model.ts';
