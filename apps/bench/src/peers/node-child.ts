/** A process of its own for onnxruntime-node, told what to do by messages: threads of one peer never meet another's. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InferenceSession } from 'onnxruntime-web';
import { ownPeak } from '../memory.ts';
import { captionWithCache, type OrtModule, type Sessions } from './caption.ts';
import { graphList, type PeerCaption, type PeerModel } from './model.ts';
import { loadOrtNode, type MissingOrtNode } from './node-package.ts';

/**
 * How onnxruntime-node runs.
 *
 * @internal
 */
export interface NodeSetup {
  readonly threads: number;
  /**
   * Whether a session's threads stop spinning when a run ends. By default they spin on for a while; each session has
   * threads of its own, so that on as many processors as threads they are in the way of the session that runs next.
   */
  readonly stopsSpinning: boolean;
}

/**
 * What the child is asked.
 *
 * @internal
 */
export type NodeRequest =
  | { readonly kind: 'load'; readonly folder: string; readonly model: PeerModel; readonly setup: NodeSetup }
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
  | MissingOrtNode
  | { readonly failed: string };

let loaded: { readonly ort: OrtModule; readonly sessions: Sessions; readonly model: PeerModel } | undefined;

async function load({ folder, model, setup }: Extract<NodeRequest, { kind: 'load' }>): Promise<NodeAnswer> {
  const found = loadOrtNode();
  if ('missing' in found) return found;
  const { ort, version } = found;
  const create = (graph: string) =>
    ort.InferenceSession.create(join(folder, graph, 'model.onnx'), {
      executionProviders: ['cpu'],
      graphOptimizationLevel: 'all',
      intraOpNumThreads: setup.threads,
      interOpNumThreads: 1,
      logSeverityLevel: 3,
      ...(setup.stopsSpinning ? { extra: { session: { force_spinning_stop: '1' } } } : {}),
    });
  const sessions = new Map<string, InferenceSession>();
  for (const graph of graphList(model.graphs)) sessions.set(graph, await create(graph));
  loaded = { ort, sessions, model };
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
