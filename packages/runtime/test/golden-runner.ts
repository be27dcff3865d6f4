import { readFileSync } from 'node:fs';
import { parseManifest } from '@owlet/manifest';
import type { NamedTensors } from '../src/engine.ts';
import { parseGoldens } from '../src/goldens.ts';
import { FakeRunner } from './fake-runner.ts';

/** A file of the tiny model. */
export const readTiny = (path: string) => readFileSync(new URL(`fixtures/tiny/${path}`, import.meta.url));

export const manifest = parseManifest(JSON.parse(readTiny('manifest.json').toString()), 'tiny/manifest.json');
export const goldens = parseGoldens(readTiny('goldens.json'), 'goldens.json');

/** Runs graphs that give the golden values of the tiny model, but for what `change` makes of them. */
export function goldenRunner(
  change: (graph: string, values: Float32Array<ArrayBuffer>) => void,
  shapeOf = (shape: number[]) => shape,
): FakeRunner {
  return new FakeRunner((fake) =>
    Object.fromEntries(
      Object.entries(goldens.outputs).map(([graph, outputs]) => [
        graph,
        (): NamedTensors =>
          Object.fromEntries(
            Object.entries(outputs).map(([name, { shape, indices, values }]) => {
              const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
              indices.forEach((at, i) => {
                data[at] = values[i] ?? 0;
              });
              change(graph, data);
              return [name, fake.tensor(data, shapeOf(shape))];
            }),
          ),
      ]),
    ),
  );
}
