/** A process of its own for onnxruntime-node, told what to do by messages: threads of one peer never meet another's. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ownPeak } from '../memory.ts';
import { captionWithCache, type OrtModule, type Sessions } from './caption.ts';
import { type PeerCaption, type PeerModel, roles } from './model.ts';

/**
 * What the child is asked.
 *
 * @internal
 */
export type NodeRequest =
  | { readonly kind: 'load'; readonly folder: string; readonly model: PeerModel; readonly threads: number }
  | { readonly kind: 'caption'; readonly pixels: string }
  | { readonly kind: 'memory' };

/**
 * What it answers: the caption; the version when it has loaded; its peak resident memory in bytes.
 *
 * @internal
 */
export type NodeAnswer =
  | { readonly caption: PeerCaption }
  | { readonly version: string }
  | { readonly peakBytes: number | undefined }
  | { readonly missing: string }
  | { readonly failed: string };

let loaded: { readonly ort: OrtModule; readonly sessions: Sessions; readonly model: PeerModel } | undefined;

async function load({ folder, model, threads }: Extract<NodeRequest, { kind: 'load' }>): Promise<NodeAnswer> {
  const require = createRequire(import.meta.url);
  let ort: OrtModule;
  let version: string;
  try {
    ort = (await import('onnxruntime-node')) as unknown as OrtModule;
    ({ version } = require('onnxruntime-node/package.json') as { version: string });
  } catch (error) {
    // Without the folder of this machine, which has no place in a report.
    const reason = error instanceof Error ? error.message : String(error);
    return { missing: reason.replace(/( imported from .*)?(\n.*)*$/, '') };
  }
  const create = (graph: string) =>
    ort.InferenceSession.create(join(folder, graph, 'model.onnx'), {
      executionProviders: ['cpu'],
      graphOptimizationLevel: 'all',
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      logSeverityLevel: 3,
    });
  const entries: [string, Awaited<ReturnType<typeof create>>][] = [];
  for (const role of roles) entries.push([role, await create(model.graphs[role])]);
  loaded = { ort, sessions: Object.fromEntries(entries) as Sessions, model };
  return { version };
}

async function answer(request: NodeRequest): Promise<NodeAnswer> {
  if (request.kind === 'load') return load(request);
  if (request.kind === 'memory') return { peakBytes: ownPeak() };
  if (loaded === undefined) throw new Error('nothing has been loaded');
  const bytes = readFileSync(request.pixels);
  const pixels = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  return { caption: await captionWithCache(loaded.ort, loaded.sessions, loaded.model, pixels) };
}

process.on('message', (request: NodeRequest) => {
  answer(request)
    .catch((error: unknown): NodeAnswer => ({ failed: error instanceof Error ? error.message : String(error) }))
    .then((reply) => process.send?.(reply));
});
process.once('disconnect', () => process.exit());
