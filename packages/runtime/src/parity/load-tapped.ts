import { openStore } from '@owlet/loader';
import { type LoadRequest, OwletError } from '@owlet/protocol';
import * as v from 'valibot';
import { type LoadedModel, loadModel } from '../load-model.ts';
import { browserPlatform } from '../platform.ts';
import { fetchBytes } from './fetch-bytes.ts';

const TAPS = 'taps.json';
const FORM = 'float32';

const Outputs = v.array(v.unknown());

/** By graph: the file that stands in for that of its float32 form, and what it hands on besides. */
const Taps = v.object({ graphs: v.record(v.string(), v.object({ file: v.unknown(), outputs: Outputs })) });

/** As far as it is changed; the rest, and what the change has made of it, is checked when the manifest is read. */
const Manifest = v.looseObject({
  graphs: v.record(
    v.string(),
    v.looseObject({ outputs: Outputs, variants: v.array(v.looseObject({ name: v.string() })) }),
  ),
});

/** A manifest whose graphs are the tapped ones. */
function withTaps(manifest: Uint8Array, taps: Uint8Array, url: string): string {
  try {
    const [json, changes] = [manifest, taps].map((bytes) => JSON.parse(new TextDecoder().decode(bytes)));
    const whole = v.parse(Manifest, json);
    for (const [name, { file, outputs }] of Object.entries(v.parse(Taps, changes).graphs)) {
      const graph = whole.graphs[name];
      const form = graph?.variants.find((variant) => variant.name === FORM);
      if (graph === undefined || form === undefined) throw new Error(`there is no ${name} in ${FORM} to be tapped`);
      Object.assign(graph, { outputs: [...graph.outputs, ...outputs], variants: [{ ...form, file }] });
    }
    return JSON.stringify(whole);
  } catch (cause) {
    throw new OwletError('INVALID_ARGUMENT', {
      message: `The graphs of ${url} can't be tapped: ${cause instanceof Error ? cause.message : String(cause)}`,
      stage: 'start',
      object: url,
      remedy: 'Export the model again, with --taps.',
      cause,
    });
  }
}

/**
 * Loads a model with its tapped graphs in place of those that are shipped. Nothing is kept: the browser's store holds the
 * model as it is.
 *
 * @throws OwletError what loading a model fails with; `NETWORK` or `INVALID_ARGUMENT` where it has no tapped graphs
 * @internal
 */
export async function loadTapped(request: LoadRequest, signal: AbortSignal): Promise<LoadedModel> {
  const [manifestUrl = '', tapsUrl = ''] = ['manifest.json', TAPS].map((name) => new URL(name, request.model).href);
  const [manifest, taps] = await Promise.all([fetchBytes(manifestUrl, signal), fetchBytes(tapsUrl, signal)]);
  const tapped = withTaps(manifest, taps, request.model);
  const platform = {
    ...browserPlatform,
    openStore: () => openStore({ root: () => Promise.reject(new Error('tapped graphs are not kept')) }),
  };
  return loadModel(
    request,
    platform,
    signal,
    () => {},
    async (input, init) => {
      const url = input instanceof Request ? input.url : String(input);
      return url === manifestUrl ? new Response(tapped) : fetch(input, init);
    },
  );
}
