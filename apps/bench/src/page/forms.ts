/** A page with one graph in several forms, in a worker with onnxruntime-web alone. */
import { type Remote, wrap } from 'comlink';
import type { FormsPage } from './forms-protocol.ts';
import workerUrl from './forms-worker.ts?worker&url';
import { makeWorker } from './make-worker.ts';

const { worker, died } = makeWorker(workerUrl, 'forms');
const api: Remote<FormsPage> = wrap<FormsPage>(worker);

const page: FormsPage = {
  open: (order) => Promise.race([api.open(order), died]),
  attempt: (form) => Promise.race([api.attempt(form), died]),
  make: (form) => Promise.race([api.make(form), died]),
  run: (form, times) => Promise.race([api.run(form, times), died]),
  cosine: (form, other) => Promise.race([api.cosine(form, other), died]),
};

Object.assign(globalThis, { owletBench: page });
