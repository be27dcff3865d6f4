import { describe, expect, test } from 'vitest';
import type { MediaFile } from '../src/media-files.ts';
import type { Answer, Caption } from '../src/page/protocol.ts';
import { type Captioner, CaptionerLost, predictAll } from '../src/predict-all.ts';
import type { ResultLine } from '../src/result-file.ts';

const caption: Caption = { text: 'a dog', logprob: -1, device: 'wasm', timings: { total: 5 } };
const good: Answer<Caption> = { ok: true, value: caption };
const bad = (code: string): Answer<Caption> => ({ ok: false, error: { code, message: code } });

function listOf(...names: string[]) {
  return names.map((media, index) => {
    const kind: MediaFile['kind'] = media.endsWith('.mp4') ? 'video' : 'image';
    return { file: { media, file: `/${media}`, kind }, index };
  });
}

/** Browsers whose answers are given by `behave`; notes what was started, asked and closed. */
class FakeBrowsers {
  readonly log: string[] = [];
  readonly lines: ResultLine[] = [];
  readonly stop = new AbortController();
  readonly #behave: (name: string, browser: number) => Answer<Caption>;
  #count = 0;

  constructor(behave: (name: string, browser: number) => Answer<Caption>) {
    this.#behave = behave;
  }

  readonly start = async (): Promise<Captioner> => {
    this.#count += 1;
    const browser = this.#count;
    this.log.push(`start ${browser}`);
    return {
      caption: async ({ media }) => {
        this.log.push(media);
        return this.#behave(media, browser);
      },
      close: async () => {
        this.log.push(`close ${browser}`);
      },
    };
  };

  run(files: ReturnType<typeof listOf>, start = this.start) {
    return predictAll(files, start, (line) => this.lines.push(line), this.stop.signal);
  }
}

function lost(): never {
  throw new CaptionerLost('it died');
}

describe('a run', () => {
  test('writes a line per file in order, in one browser', async () => {
    const browsers = new FakeBrowsers((name) => (name === 'b' ? bad('MEDIA_DAMAGED') : good));
    expect(await browsers.run(listOf('a', 'b', 'c'))).toEqual({ captioned: 2, failed: 1 });
    expect(browsers.log).toEqual(['start 1', 'a', 'b', 'c', 'close 1']);
    expect(browsers.lines).toEqual([
      { media: 'a', task: 'caption', ...caption },
      { media: 'b', error: { code: 'MEDIA_DAMAGED', message: 'MEDIA_DAMAGED' } },
      { media: 'c', task: 'caption', ...caption },
    ]);
    expect(Object.keys(browsers.lines[0] ?? {})).toEqual(['media', 'task', 'text', 'logprob', 'device', 'timings']);
  });

  test('gives videos their error without asking the browser', async () => {
    const browsers = new FakeBrowsers(() => good);
    expect(await browsers.run(listOf('clip.mp4'))).toEqual({ captioned: 0, failed: 1 });
    expect(browsers.log).toEqual([]);
    expect(browsers.lines).toMatchObject([{ media: 'clip.mp4', error: { code: 'MEDIA_UNSUPPORTED' } }]);
  });

  test.each(['WORKER_DIED', 'RUN_FAILED', 'INTERNAL'])('tries a file again in a new browser after %s', async (code) => {
    const browsers = new FakeBrowsers((name, browser) => (name === 'b' && browser === 1 ? bad(code) : good));
    expect(await browsers.run(listOf('a', 'b', 'c'))).toEqual({ captioned: 3, failed: 0 });
    expect(browsers.log).toEqual(['start 1', 'a', 'b', 'close 1', 'start 2', 'b', 'c', 'close 2']);
  });

  test('gives up a file that kills two browsers, and goes on', async () => {
    const browsers = new FakeBrowsers((name) => (name === 'b' ? lost() : good));
    expect(await browsers.run(listOf('a', 'b', 'c'))).toEqual({ captioned: 2, failed: 1 });
    expect(browsers.log.filter((entry) => entry.startsWith('start'))).toHaveLength(3);
    expect(browsers.lines[1]).toEqual({ media: 'b', error: { code: 'WORKER_DIED', message: 'it died' } });
    expect(browsers.lines[2]).toMatchObject({ media: 'c', text: 'a dog' });
  });

  test('starts again once when the browser dies while it starts', async () => {
    const browsers = new FakeBrowsers(() => good);
    let tries = 0;
    const start = () => {
      tries += 1;
      return tries === 1 ? Promise.reject(new CaptionerLost('x')) : browsers.start();
    };
    expect(await browsers.run(listOf('a'), start)).toEqual({ captioned: 1, failed: 0 });
    tries = 0;
    const never = () => {
      tries += 1;
      return Promise.reject(new CaptionerLost('it dies each time'));
    };
    await expect(browsers.run(listOf('a'), never)).rejects.toThrow('it dies each time');
    expect(tries).toBe(2);
  });

  test('ends at once with what no new browser can mend', async () => {
    const browsers = new FakeBrowsers(() => good);
    const start = () => Promise.reject(new Error('no such model'));
    await expect(browsers.run(listOf('a'), start)).rejects.toThrow('no such model');
    expect(browsers.lines).toEqual([]);
  });

  test('writes nothing for the file during which it is stopped', async () => {
    const browsers = new FakeBrowsers((name) => {
      if (name !== 'b') return good;
      browsers.stop.abort();
      return lost();
    });
    expect(await browsers.run(listOf('a', 'b', 'c'))).toEqual({ captioned: 1, failed: 0 });
    expect(browsers.lines).toHaveLength(1);
    expect(browsers.log.at(-1)).toBe('close 1');
  });
});
