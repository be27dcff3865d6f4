/** The tiny model, each of its graphs in each of its forms: what tests of weights read. */
import type { GraphVariant } from '@owlet/manifest';
import { tinyModel } from '@owlet/testing';

export const base = 'https://example.test/models/tiny/';

export const { manifest, files } = await tinyModel();

export const choices = Object.entries(manifest.graphs).flatMap(([graph, { variants }]) =>
  variants.map((variant) => ({ graph, variant })),
);

/** One try alone, so that a failure is told at once. */
export const retry = { tries: 1, firstMs: 1, longestMs: 1, longestRetryAfterMs: 1 };

export function variantOf(graph: string, name: string): GraphVariant {
  const variant = manifest.graphs[graph]?.variants.find((each) => each.name === name);
  if (variant === undefined) throw new Error(`No ${name} of ${graph}`);
  return variant;
}
