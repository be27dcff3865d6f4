import { type Manifest, own, type StepOf } from '@owlet/manifest';
import type { Tensor } from 'onnxruntime-web';
import { disposeAll, type GraphRunner, type NamedTensors, type RunScope } from '../../engine.ts';
import { floatsOf } from '../../tensors.ts';
import { joinRows } from './join-rows.ts';

/** Rows `from` … `to` − 1 along axis 1 of some tensors of batch 1; `floats` are their numbers. */
function rowsOf(
  runner: GraphRunner,
  tensors: NamedTensors,
  floats: ReadonlyMap<string, Float32Array>,
  from: number,
  to: number,
): NamedTensors {
  const pieces: Record<string, Tensor> = {};
  for (const [name, numbers] of floats) {
    const [batch = 1, rows = 1, ...dims] = tensors[name]?.dims ?? [];
    const row = numbers.length / rows;
    pieces[name] = runner.tensor(numbers.slice(from * row, to * row), [batch, to - from, ...dims]);
  }
  return pieces;
}

/**
 * Runs a step's graph, whole or in the parts that the step asks for: of equal size as far as can be, so that each run takes
 * as long, with an abort seen between two.
 *
 * @returns the outputs asked for; the caller disposes of them
 * @throws OwletError `RUN_FAILED` or `ABORTED`
 * @internal
 */
export async function runStep(
  runner: GraphRunner,
  { graphs }: Manifest,
  { graph, parts }: StepOf<'run'>,
  inputs: NamedTensors,
  scope: RunScope,
): Promise<NamedTensors> {
  const cut = own(graphs, graph)?.inputs.filter(({ shape }) => shape[1] === parts?.axis) ?? [];
  const rows = inputs[cut[0]?.name ?? '']?.dims[1] ?? 0;
  const count = parts === undefined ? 1 : Math.ceil(rows / parts.most);
  if (count <= 1) return runner.run(graph, inputs, scope);
  const floats = new Map<string, Float32Array>();
  for (const { name } of cut) floats.set(name, await floatsOf(inputs, name));
  const made: NamedTensors[] = [];
  try {
    for (let part = 0; part < count; part += 1) {
      const [from, to] = [part, part + 1].map((at) => Math.floor((rows * at) / count)) as [number, number];
      const pieces = rowsOf(runner, inputs, floats, from, to);
      try {
        made.push(await runner.run(graph, { ...inputs, ...pieces }, scope));
      } finally {
        disposeAll(pieces);
      }
    }
    const joined: Record<string, Tensor> = {};
    for (const name of Object.keys(made[0] ?? {})) {
      joined[name] = await joinRows(
        runner,
        made.flatMap((outputs) => outputs[name] ?? []),
      );
    }
    return joined;
  } finally {
    for (const outputs of made) disposeAll(outputs);
  }
}
