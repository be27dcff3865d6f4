import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { within } from '../limit.ts';
import type { PeerCaption, PeerModel } from './model.ts';
import type { NodeAnswer, NodeRequest, NodeSetup } from './node-child.ts';

/** What one request may take, in milliseconds. */
const LIMIT_MS = 120_000;

/**
 * onnxruntime-node isn't there, or can't be loaded here; the message says why.
 *
 * @internal
 */
export class NodePeerMissing extends Error {}

/**
 * onnxruntime-node with a number of threads, in a process of its own.
 *
 * @internal
 */
export class NodePeer {
  /** Version of onnxruntime-node. */
  readonly version: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, version: string) {
    this.#child = child;
    this.version = version;
  }

  /**
   * Starts the process and makes its sessions.
   *
   * @param folder - with `<graph>/model.onnx`
   * @throws NodePeerMissing
   */
  static async start(folder: string, model: PeerModel, setup: NodeSetup): Promise<NodePeer> {
    const child = fork(fileURLToPath(new URL('./node-child.ts', import.meta.url)), { stdio: 'inherit' });
    try {
      const answer = await ask(child, { kind: 'load', folder, model, setup });
      if ('missing' in answer) throw new NodePeerMissing(answer.missing);
      if (!('version' in answer)) throw new Error('onnxruntime-node gave no version');
      return new NodePeer(child, answer.version);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  /**
   * Captions a picture.
   *
   * @param pixels - file of float32 values
   */
  async caption(pixels: string): Promise<PeerCaption> {
    const answer = await ask(this.#child, { kind: 'caption', pixels });
    if (!('caption' in answer)) throw new Error('onnxruntime-node gave no caption');
    return answer.caption;
  }

  /** Peak resident memory of the process so far, in bytes; undefined where the system doesn't tell. */
  async peakBytes(): Promise<number | undefined> {
    const answer = await ask(this.#child, { kind: 'memory' });
    return 'peakBytes' in answer ? answer.peakBytes : undefined;
  }

  /** Ends the process. */
  close(): void {
    this.#child.kill('SIGKILL');
  }
}

async function ask(child: ChildProcess, request: NodeRequest): Promise<NodeAnswer> {
  const stopping = new AbortController();
  const { signal } = stopping;
  try {
    const answer = new Promise<NodeAnswer>((resolve, reject) => {
      const onMessage = (message: unknown): void => resolve(message as NodeAnswer);
      const onExit = (code: number | null, by: string | null): void => {
        reject(new NodePeerMissing(`its process ended with ${code ?? by} (${request.kind})`));
      };
      child.once('message', onMessage).once('exit', onExit);
      signal.addEventListener('abort', () => child.off('message', onMessage).off('exit', onExit));
    });
    child.send(request);
    const got = await within(`onnxruntime-node (${request.kind})`, LIMIT_MS, answer);
    if ('failed' in got) throw new Error(`onnxruntime-node failed (${request.kind}): ${got.failed}`);
    return got;
  } finally {
    stopping.abort();
  }
}
