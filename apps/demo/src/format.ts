/** Bytes as people read them: `0.8 MB`, `12.4 MB`. A megabyte is 10⁶ bytes. */
export function formatBytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Milliseconds as people read them: `0.4 ms`, `85 ms`, `1.25 s`. */
export function formatDuration(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}

/** A probability as people read it: `62 %`, `3.4 %`, `under 0.1 %`. */
export function formatShare(probability: number): string {
  const percent = probability * 100;
  if (percent < 0.1) return 'under 0.1 %';
  if (percent < 9.95) return `${percent.toFixed(1)} %`;
  return percent > 99.5 && percent < 100 ? 'over 99 %' : `${percent.toFixed(0)} %`;
}

/** The answers in a list with commas between them. */
export function splitAnswers(list: string): string[] {
  return list
    .split(/[,\n]/)
    .map((answer) => answer.trim())
    .filter((answer) => answer !== '');
}

/** The first letter large, as a sentence begins. */
export function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const MODULES: Readonly<Record<string, string>> = {
  vision: 'Vision',
  universal: 'Universal layers',
  decoder: 'Decoder',
  embeddings: 'Word embeddings',
  text: 'Text encoder',
  fusion: 'Fusion',
  model: 'Tokenizer and other files',
};

/** A module's name for people; one that isn't known keeps the name of the manifest. */
export function moduleLabel(module: string): string {
  return MODULES[module] ?? capitalised(module);
}

const MEDIA_STAGES: Readonly<Record<string, string>> = {
  fetch: 'Fetching the file',
  decode: 'Decoding it to pixels',
  resize: 'Scaling it for the model',
};

const CAPTION_STAGES: Readonly<Record<string, string>> = {
  vision: 'Vision',
  universal: 'Universal layers',
  memory: 'Cross-attention keys and values',
  firstToken: 'From the start to the first word',
  decoder: 'Writing the sentence',
  total: 'The caption in all',
};

/**
 * How long opening a photo or video and captioning it took, by stage, in words.
 *
 * @param media timings of opening, in milliseconds
 * @param caption timings of captioning, in milliseconds
 */
export function timingLines(
  media: Readonly<Record<string, number>>,
  caption: Readonly<Record<string, number>>,
): readonly (readonly [stage: string, time: string])[] {
  const lines = (timings: Readonly<Record<string, number>>, labels: Readonly<Record<string, string>>) =>
    Object.entries(timings).map(([stage, ms]) => [labels[stage] ?? capitalised(stage), formatDuration(ms)] as const);
  return [...lines(media, MEDIA_STAGES), ...lines(caption, CAPTION_STAGES)];
}
