import { expectTypeOf, test } from 'vitest';
import type {
  CaptionAllOptions,
  CaptionItem,
  Capturable,
  ClassifyOptions,
  EmbeddingResult,
  LabelsResult,
  LoadOptions,
  LoadReport,
  MatchResult,
  Media,
  MediaInfo,
  MediaInput,
  MemoryUse,
  OpenOptions,
  Owlet,
  RankingResult,
  TaskOptions,
  TextOptions,
  TextPiece,
  TextResult,
  TextStream,
} from '../src/index.ts';
import { isOwletError, type loadOwlet, OwletError, type OwletErrorCode } from '../src/index.ts';

test('the public calls have the types of the contract', () => {
  expectTypeOf<typeof loadOwlet>().parameters.toEqualTypeOf<[options?: LoadOptions]>();
  expectTypeOf<typeof loadOwlet>().returns.resolves.toEqualTypeOf<Owlet>();
  expectTypeOf<Owlet>().toHaveProperty('report').toEqualTypeOf<LoadReport>();
  expectTypeOf<Owlet['open']>().parameter(0).toEqualTypeOf<Blob | URL | string | Capturable>();
  expectTypeOf<Owlet['open']>().parameter(1).toEqualTypeOf<OpenOptions | undefined>();
  expectTypeOf<Owlet['embed']>().returns.resolves.toEqualTypeOf<EmbeddingResult>();
  type Sources = Iterable<MediaInput> | AsyncIterable<MediaInput>;
  expectTypeOf<Owlet['captionAll']>().parameters.toEqualTypeOf<[sources: Sources, options?: CaptionAllOptions]>();
  expectTypeOf<FileList>().toExtend<Sources>();
  expectTypeOf<ReturnType<Owlet['captionAll']>>().toExtend<AsyncIterable<CaptionItem>>();
  expectTypeOf<Owlet['memory']>().returns.resolves.toEqualTypeOf<MemoryUse>();
  expectTypeOf<HTMLVideoElement>().toExtend<Parameters<Owlet['open']>[0]>();
  expectTypeOf<File>().toExtend<Parameters<Owlet['open']>[0]>();
  expectTypeOf<Owlet['open']>().returns.resolves.toEqualTypeOf<Media>();
  expectTypeOf<Owlet>().toExtend<AsyncDisposable & Disposable>();
  expectTypeOf<Media>().toHaveProperty('info').toEqualTypeOf<MediaInfo>();
  expectTypeOf<Media>().toExtend<AsyncDisposable & Disposable>();
  expectTypeOf<Media['caption']>().parameters.toEqualTypeOf<[options?: TextOptions]>();
  expectTypeOf<Media['caption']>().returns.toEqualTypeOf<TextStream>();
  expectTypeOf<Media['match']>().returns.resolves.toEqualTypeOf<MatchResult>();
  expectTypeOf<Media['embed']>().parameters.toEqualTypeOf<[options?: TaskOptions]>();
  expectTypeOf<Media['classify']>().parameters.toEqualTypeOf<[options?: ClassifyOptions]>();
  expectTypeOf<Media['classify']>().returns.resolves.toEqualTypeOf<LabelsResult>();
});

test('a question has a text, or with answers a ranking', () => {
  const ask = (media: Media) => [media.ask('q'), media.ask('q', { answers: ['a'] })] as const;
  expectTypeOf<ReturnType<typeof ask>>().toEqualTypeOf<readonly [TextStream, Promise<RankingResult>]>();
});

test('what a task of any kind gives goes by its kind', () => {
  const run = (owlet: Owlet, media: Media) =>
    [
      owlet.run('generate', { text: 'a' }, { task: 'translate', beams: 3 }),
      media.run('classify', {}, { task: 'scene', top: 2 }),
    ] as const;
  expectTypeOf<ReturnType<typeof run>>().toEqualTypeOf<readonly [TextStream, Promise<LabelsResult>]>();
});

test('a text is iterable and awaitable', () => {
  expectTypeOf<Awaited<TextStream>>().toEqualTypeOf<TextResult>();
  expectTypeOf<TextStream>().toExtend<AsyncIterable<TextPiece>>();
});

test('an item has a result or an error', () => {
  const told = (item: CaptionItem) => ('error' in item ? item.error : item.result);
  expectTypeOf(told).returns.toEqualTypeOf<OwletError | TextResult>();
});

test('options are closed', () => {
  expectTypeOf<{ device: 'gpu' }>().not.toExtend<LoadOptions>();
  expectTypeOf<{ threads: string }>().not.toExtend<LoadOptions>();
  expectTypeOf<{ model: URL; device: 'wasm'; tasks: readonly string[] }>().toExtend<LoadOptions>();
});

test('errors are told apart by code', () => {
  const error: unknown = new OwletError('ABORTED', { message: 'm', stage: 'client', remedy: 'r' });
  if (isOwletError(error)) expectTypeOf(error.code).toEqualTypeOf<OwletErrorCode>();
});
