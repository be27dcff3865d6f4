/** A page that uses onnxruntime-web without Owlet, in a worker: the peer, and the measure of graphs by themselves. */
import { type Remote, wrap } from 'comlink';
import { graphList } from '../peers/model.ts';
import { makeWorker } from './make-worker.ts';
import type { PlainWorker } from './plain-worker.ts';
import workerUrl from './plain-worker.ts?worker&url';
import type { PlainPage, PlainSetup } from './protocol.ts';
import { visitIfOrdered } from './visit.ts';

interface Started {
  readonly worker: Worker;
  readonly api: Remote<PlainWorker>;
  readonly graphs: PlainSetup['model']['graphs'];
}

const started = new Map<string, Started>();

function startedAs(key: string): Started {
  const found = started.get(key);
  if (found === undefined) throw new Error(`No worker is called ${key}`);
  return found;
}

function greatestDifference(a: Float32Array | undefined, b: Float32Array | undefined): number {
  if (a === undefined || b === undefined || a.length !== b.length) return Number.POSITIVE_INFINITY;
  let greatest = 0;
  for (let i = 0; i < a.length; i += 1) {
    const difference = Math.abs((a[i] ?? 0) - (b[i] ?? 0));
    // Written so that a NaN counts.
    if (!(difference <= greatest)) greatest = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  }
  return greatest;
}

/** Over the steps: how far apart the differences of two logits lie at most, which is what a margin can change by. */
function greatestSpread(a: Float32Array, b: Float32Array, steps: number): number {
  const width = a.length / steps;
  let greatest = 0;
  for (let step = 0; step < steps; step += 1) {
    let least = Number.POSITIVE_INFINITY;
    let most = Number.NEGATIVE_INFINITY;
    for (let i = step * width; i < (step + 1) * width; i += 1) {
      const difference = (a[i] ?? 0) - (b[i] ?? 0);
      least = Math.min(least, difference);
      most = Math.max(most, difference);
    }
    greatest = Math.max(greatest, most - least);
  }
  return greatest;
}

const page: PlainPage = {
  async load(key, setup) {
    const { worker, died } = makeWorker(workerUrl, key);
    const api = wrap<PlainWorker>(worker);
    await Promise.race([api.load(setup), died]);
    started.set(key, { worker, api, graphs: setup.model.graphs });
  },
  unload(key) {
    startedAs(key).worker.terminate();
    started.delete(key);
  },
  caption: (key, pixels) => startedAs(key).api.caption(pixels),
  async check(key, pixels, ids, expected) {
    const { api, graphs } = startedAs(key);
    const outputs = await api.outputs(pixels, ids);
    const entries = graphList(graphs).map((graph) => {
      const stored = Object.entries(expected[graph] ?? {});
      const differences = stored.map(([name, { indices, values }]) => {
        const got = outputs[graph]?.[name];
        return greatestDifference(
          got && Float32Array.from(indices, (at) => got[at] ?? Number.NaN),
          new Float32Array(values),
        );
      });
      return [graph, differences.length === 0 ? Number.NaN : Math.max(...differences)] as const;
    });
    return Object.fromEntries(entries);
  },
  async compare(keys, pixels, ids) {
    const [a, b] = [startedAs(keys[0]), startedAs(keys[1])];
    const left = await a.api.outputs(pixels, ids);
    const right = await b.api.outputs(pixels, ids);
    const entries = graphList(a.graphs).map((graph) => {
      const differences = Object.keys(left[graph] ?? {}).map((name) =>
        greatestDifference(left[graph]?.[name], right[graph]?.[name]),
      );
      return [graph, Math.max(...differences)] as const;
    });
    const logits = [left, right].map((outputs) => outputs[a.graphs.step]?.['logits']);
    const marginError = logits[0] && logits[1] ? greatestSpread(logits[0], logits[1], ids.length) : Number.NaN;
    return { differences: Object.fromEntries(entries), marginError };
  },
};

Object.assign(globalThis, { owletBench: page });

visitIfOrdered(async ({ picture, setup }, mark) => {
  if (setup === undefined) throw new Error('The visit names no model');
  await page.load('visit', setup);
  mark('ready');
  const { firstToken, total } = await page.caption('visit', picture);
  mark('caption');
  return { firstToken: performance.now() - total + firstToken };
});
