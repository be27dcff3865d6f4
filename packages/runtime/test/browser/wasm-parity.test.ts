/** The shipped model on WASM, graph by graph, against the values that PyTorch gave with the same weights. */
import { beforeAll, expect, test } from 'vitest';
import { patternPixels } from '../../src/goldens.ts';
import type { ModelParts } from '../../src/make-ready.ts';
import { selfTest } from '../../src/self-test.ts';
import { captioning, captionOf, engineOf, expectSameCaption, loadShipped, place } from './shipped.ts';

const never = new AbortController().signal;
let parts: ModelParts;
beforeAll(async () => {
  parts = await loadShipped();
}, 60_000);

test.each(['int8', 'float32'])(
  '%s: every output within its bound, and the caption',
  { timeout: 120_000 },
  async (variant) => {
    const { manifest, goldens } = parts;
    const { task } = captioning(manifest);
    const graphs = place(parts, 'wasm', variant);
    const engine = await engineOf(parts, graphs);
    const { checks, failure } = await selfTest(engine, manifest, task, goldens, graphs, never);
    const greatest: Record<string, { difference: number; bound: number }> = {};
    for (const { graph, difference, bound } of checks) {
      greatest[graph] = { difference: Math.max(difference, greatest[graph]?.difference ?? 0), bound };
    }
    console.info(`WASM ${variant} against PyTorch: ${JSON.stringify(greatest)}`);
    expect(failure).toBeUndefined();
    expect(Object.keys(greatest)).toEqual(graphs.map(({ graph }) => graph));
    const result = await captionOf(parts, engine, patternPixels(manifest.preprocess));
    expectSameCaption(result, goldens.tokens, goldens.bounds[variant]?.[task.graphs.step] ?? 0);
    await engine.dispose();
  },
);
