/** Owlet as a page loads it: the real worker, with a model of a few kilobytes that has every task and says nonsense. */
import { expect } from 'vitest';
import { type LoadOptions, loadOwlet, type Owlet } from '../../src/index.ts';

/** Tasks of the model, the first of which is loaded before the others. */
export const tasks = ['caption', 'answer', 'rank', 'match', 'embed', 'embed-text', 'classify'];

export function loadTiny(options: LoadOptions = {}): Promise<Owlet> {
  return loadOwlet({ model: '/packages/runtime/test/fixtures/tiny/', device: 'wasm', threads: 1, ...options });
}

/** An HTML canvas or another on which this was drawn. */
export function drawn<T extends HTMLCanvasElement | OffscreenCanvas>(
  canvas: T,
  draw: (context: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D) => void,
): T {
  const context = canvas.getContext('2d') as CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D | null;
  if (context === null) throw new Error('no canvas');
  draw(context);
  return canvas;
}

/** Of a promise that is refused, and soon, the error. */
export async function refusal(promise: PromiseLike<unknown>): Promise<unknown> {
  const started = performance.now();
  const thrown = await promise.then(
    () => 'no error',
    (error: unknown) => error,
  );
  expect(performance.now() - started).toBeLessThan(1000);
  return thrown;
}
