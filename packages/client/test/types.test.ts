import { expectTypeOf, test } from 'vitest';
import type {
  CallOptions,
  CaptionResult,
  CaptionStream,
  LoadOptions,
  LoadReport,
  Media,
  MediaInfo,
  Owlet,
  TextPiece,
} from '../src/index.ts';
import { isOwletError, type loadOwlet, OwletError, type OwletErrorCode } from '../src/index.ts';

test('the public calls have the types of the contract', () => {
  expectTypeOf<typeof loadOwlet>().parameters.toEqualTypeOf<[options?: LoadOptions]>();
  expectTypeOf<typeof loadOwlet>().returns.resolves.toEqualTypeOf<Owlet>();
  expectTypeOf<Owlet>().toHaveProperty('report').toEqualTypeOf<LoadReport>();
  expectTypeOf<Owlet['open']>().parameter(0).toEqualTypeOf<Blob | URL | string>();
  expectTypeOf<File>().toExtend<Parameters<Owlet['open']>[0]>();
  expectTypeOf<Owlet['open']>().returns.resolves.toEqualTypeOf<Media>();
  expectTypeOf<Owlet>().toExtend<AsyncDisposable & Disposable>();
  expectTypeOf<Media>().toHaveProperty('info').toEqualTypeOf<MediaInfo>();
  expectTypeOf<Media>().toExtend<AsyncDisposable & Disposable>();
  expectTypeOf<Media['caption']>().parameters.toEqualTypeOf<[options?: CallOptions]>();
  expectTypeOf<Media['caption']>().returns.toEqualTypeOf<CaptionStream>();
});

test('a caption is iterable and awaitable', () => {
  expectTypeOf<Awaited<CaptionStream>>().toEqualTypeOf<CaptionResult>();
  expectTypeOf<CaptionStream>().toExtend<AsyncIterable<TextPiece>>();
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
