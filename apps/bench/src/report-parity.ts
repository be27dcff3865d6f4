import type { ParityResults } from './bench-parity.ts';
import { shown, table } from './markdown.ts';

function greatest(results: ParityResults, which: 'sameVariant' | 'asShipped', graph: string): number {
  return Math.max(...results.pictures.map((picture) => picture[which][graph] ?? Number.NaN));
}

function pictureSections(results: ParityResults): string[] {
  const { pictures, noWebgpu } = results;
  if (noWebgpu !== undefined) return [`WebGPU was not used, so nothing is said of it: ${noWebgpu}`];
  const graphs = Object.keys(pictures[0]?.sameVariant ?? {});
  const differences = graphs.map((graph) => [
    graph,
    shown(greatest(results, 'sameVariant', graph)),
    shown(greatest(results, 'asShipped', graph)),
  ]);
  const captions = pictures.map(({ picture, wasm, webgpu, firstDifference, marginError }) => [
    picture,
    wasm,
    firstDifference === undefined ? 'the same' : webgpu,
    firstDifference === undefined ? '' : `${firstDifference.position}, margin ${shown(firstDifference.margin)}`,
    shown(marginError),
  ]);
  return [
    `Greatest difference of any value of any output over ${pictures.length} pictures, each graph fed by the one before on its own device, the decoder by the caption that WASM gave:`,
    table(
      ['graph', 'float32 on WebGPU from float32 on WASM', 'float32 on WebGPU from int8 on WASM (as shipped)'],
      differences,
    ),
    'Captions by Owlet. Where they part, the margin by which WASM’s token beats its second best has to be below the error: the most by which the distance of two logits of one step differs between the two, as shipped.',
    table(['picture', 'WASM', 'WebGPU', 'first difference', 'error'], captions),
  ];
}

/**
 * The bench as a text to be read.
 *
 * @internal
 */
export function parityReport(results: ParityResults): string {
  const goldens = results.goldens.map(({ graph, variant, device, difference, bound }) => {
    return [graph, variant, device, shown(difference), shown(bound), difference <= bound ? 'yes' : '**no**'];
  });
  return [
    '## Graphs against PyTorch',
    'Greatest difference from the values that the model’s goldens hold of each output.',
    table(['graph', 'variant', 'device', 'difference', 'allowed', 'within'], goldens),
    '## WebGPU against WASM',
    ...pictureSections(results),
    '## Failures',
    results.failures.length === 0 ? 'None.' : results.failures.map((failure) => `- ${failure}`).join('\n'),
  ].join('\n\n');
}
