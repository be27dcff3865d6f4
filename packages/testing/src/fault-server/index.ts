export type { Fault, SeenRequest } from './fault.ts';
export { FaultServer } from './fault-server.ts';
export { FaultSite } from './fault-site.ts';
