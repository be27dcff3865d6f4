import { Tokenizer } from '@huggingface/tokenizers';
import { OwletError } from '@owlet/protocol';

/**
 * Turns text into tokens and back.
 *
 * @internal
 */
export interface TextTokenizer {
  /** The ids of a text, with nothing put before or behind; a special token that the text names is one. */
  encode(text: string): number[];
  /**
   * The text of some tokens. Special tokens have none. The text of a longer list begins with that of a shorter one
   * (from two tokens on the library's clean-up across tokens would break that, so it is off).
   */
  decode(ids: readonly number[]): string;
  /** The id of what the vocabulary doesn't have; undefined where it has everything. */
  readonly unknown: number | undefined;
}

function parse(file: Uint8Array, path: string): object {
  try {
    const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(file));
    if (typeof json === 'object' && json !== null) return json;
    throw new TypeError(`it holds ${json === null ? 'null' : typeof json}, not an object`);
  } catch (cause) {
    throw invalid(path, cause);
  }
}

function invalid(path: string, cause: unknown): OwletError {
  return new OwletError('MANIFEST_INVALID', {
    message: `The tokenizer's file ${path} can't be used: ${cause instanceof Error ? cause.message : String(cause)}`,
    stage: 'compile',
    object: path,
    remedy: 'Export the model again: the file is what its manifest promises, but no tokenizer.',
    cause,
  });
}

/**
 * The tokenizer of a model, from its files in the format of Hugging Face's tokenizers.
 *
 * @param tokenizer - path and bytes of `tokenizer.json`
 * @param config - path and bytes of `tokenizer_config.json`
 * @throws OwletError `MANIFEST_INVALID` when the files hold no tokenizer
 * @internal
 */
export function createTokenizer(
  tokenizer: { readonly path: string; readonly bytes: Uint8Array },
  config: { readonly path: string; readonly bytes: Uint8Array },
): TextTokenizer {
  const files = [parse(tokenizer.bytes, tokenizer.path), parse(config.bytes, config.path)] as const;
  try {
    const made = new Tokenizer(...files);
    return {
      encode: (text) => made.encode(text, { add_special_tokens: false }).ids,
      unknown: made.token_to_id('[UNK]'),
      decode: (ids) =>
        ids.length === 0
          ? ''
          : made.decode([...ids], { skip_special_tokens: true, clean_up_tokenization_spaces: false }),
    };
  } catch (cause) {
    throw invalid(tokenizer.path, cause);
  }
}
