import { describe, expect, test } from 'vitest';
import { type Predictor, PredictorLost } from '../src/browsers.ts';
import type { Job } from '../src/jobs.ts';
import type { Answer, Findings } from '../src/page/protocol.ts';
import { predictAll } from '../src/predict-all.ts';

const good: Answer<Findings> = {
  ok: true,
  value: { text: 'a dog', logprob: -1, device: 'wasm', timings: { total: 5 } },
};
const bad = (code: string): Answer<Findings> => ({ ok: false, error: { code, message: code } });

/** Classes of files called like this; `a?x` is the question x about a, `=x` the text x. */
function listOf(...names: string[]): Job[] {
  return names.map((name) => {
    const [media = '', question] = name.split('?');
    if (name.startsWith('=')) return { subject: { text: name }, request: { task: 'embed-text', text: name } };
    if (question === undefined) return { subject: { media }, request: { task: 'classify' } };
    return { subject: { media, question }, request: { task: 'answer', question, beams: 1 } };
  });
}

/** Captions of files called like this. */
function captionsOf(...names: string[]): Job[] {
  return names.map((media) => ({ subject: { media }, request: { task: 'caption', beams: 1 } }));
}

const nameOf = ({ subject: { media, question, text } }: Job): string =>
  text ?? (question === undefined ? `${media}` : `${media}?${question}`);

/** Browsers whose answers are given by `behave`; notes what was started, asked and closed. */
class FakeBrowsers {
  readonly log: string[] = [];
  /** Jobs in the order of their results, with the codes of errors. */
  readonly results: string[] = [];
  readonly stop = new AbortController();
  readonly #behave: (name: string, browser: number, batch: number) => Answer<Findings>;
  /** Files that no folder has. */
  readonly missing = new Set<string>();
  done = 0;
  #count = 0;

  constructor(behave: (name: string, browser: number, batch: number) => Answer<Findings> = () => good) {
    this.#behave = behave;
  }

  readonly start = async (): Promise<Predictor> => {
    this.#count += 1;
    const browser = this.#count;
    this.log.push(`start ${browser}`);
    return {
      captionAll: async (_, files, ahead) => {
        const names = files.map(({ media }) => media);
        this.log.push(names.join('+'), ...ahead.map(({ media }) => `(${media}`));
        return names.map((name) => this.#behave(name, browser, names.length));
      },
      run: async (request, file) => {
        const text = 'question' in request ? `?${request.question}` : 'text' in request ? request.text : '';
        const name = `${file?.media ?? ''}${text}`;
        this.log.push(name);
        return this.#behave(name, browser, 1);
      },
      prepare: ({ media }) => void this.log.push(`(${media}`),
      release: ({ media }) => void this.log.push(`${media})`),
      close: async () => {
        this.log.push(`close ${browser}`);
      },
    };
  };

  run(jobs: readonly Job[], start = this.start) {
    const media = jobs.flatMap(({ subject }) => subject.media ?? []).filter((path) => !this.missing.has(path));
    return predictAll(jobs, {
      indices: new Map(media.map((path, index) => [path, index])),
      start,
      onResult: (job, answer) => this.results.push(answer.ok ? nameOf(job) : `${nameOf(job)}: ${answer.error.code}`),
      onDone: () => {
        this.done += 1;
      },
      signal: this.stop.signal,
    });
  }
}

function lost(): never {
  throw new PredictorLost('it died');
}

describe('captions', () => {
  const letters = [...'abcdefghijklmnopqrs'];

  test('are written eight at a time, in order, the next files fetched meanwhile', async () => {
    const browsers = new FakeBrowsers((name) => (name === 'b' ? bad('MEDIA_DAMAGED') : good));
    await browsers.run(captionsOf(...letters));
    expect(browsers.log).toEqual([
      ...['start 1', 'a+b+c+d+e+f+g+h', ...letters.slice(8, 16).map((name) => `(${name}`)],
      ...['i+j+k+l+m+n+o+p', '(q', '(r', '(s', 'q+r+s', 'close 1'],
    ]);
    expect(browsers.results).toEqual(letters.map((name) => (name === 'b' ? 'b: MEDIA_DAMAGED' : name)));
    expect(browsers.done).toBe(19);
  });

  test('of a batch that a browser died of are written one by one, the bad one is found', async () => {
    const browsers = new FakeBrowsers((name) => (name === 'c' ? lost() : good));
    await browsers.run(captionsOf('a', 'b', 'c', 'd'));
    expect(browsers.log).toEqual([
      ...['start 1', 'a+b+c+d', 'close 1'],
      ...['start 2', 'a', 'b', 'c', 'close 2'],
      ...['start 3', 'c', 'close 3'],
      ...['start 4', 'd', 'close 4'],
    ]);
    expect(browsers.results).toEqual(['a', 'b', 'c: WORKER_DIED', 'd']);
  });

  test('that only a batch could not write cost a second browser, no more', async () => {
    const browsers = new FakeBrowsers((name, _, batch) => (name === 'b' && batch > 1 ? bad('RUN_FAILED') : good));
    await browsers.run(captionsOf('a', 'b', 'c'));
    expect(browsers.log).toEqual(['start 1', 'a+b+c', 'close 1', 'start 2', 'b', 'close 2']);
    expect(browsers.results).toEqual(['a', 'b', 'c']);
  });

  test('go on in batches after a bad one', async () => {
    const browsers = new FakeBrowsers((_, browser) => (browser === 1 ? lost() : good));
    await browsers.run(captionsOf(...letters.slice(0, 10)));
    expect(browsers.log.slice(0, 5)).toEqual(['start 1', 'a+b+c+d+e+f+g+h', '(i', '(j', 'close 1']);
    expect(browsers.log.slice(5)).toEqual(['start 2', ...letters.slice(0, 8), 'i+j', 'close 2']);
    expect(browsers.results).toEqual(letters.slice(0, 10));
  });

  test('are not begun after the run was stopped; a stopped batch has no results', async () => {
    const browsers = new FakeBrowsers((name) => {
      if (name === 'j') browsers.stop.abort();
      return name === 'j' ? lost() : good;
    });
    await browsers.run(captionsOf(...letters));
    expect(browsers.results).toEqual(letters.slice(0, 8));
    expect(browsers.log.at(-1)).toBe('close 1');
    expect(browsers.log).not.toContain('start 2');
  });
});

describe('a run', () => {
  test('gives every job its result in order, in one browser, and opens one file ahead', async () => {
    const browsers = new FakeBrowsers((name) => (name === 'b' ? bad('MEDIA_DAMAGED') : good));
    await browsers.run(listOf('a', 'b', 'c'));
    expect(browsers.log).toEqual(['start 1', 'a', '(b', 'a)', 'b', '(c', 'b)', 'c', 'c)', 'close 1']);
    expect(browsers.results).toEqual(['a', 'b: MEDIA_DAMAGED', 'c']);
    expect(browsers.done).toBe(3);
  });

  test('puts the questions about a file together, and their results in the order of the questions', async () => {
    const browsers = new FakeBrowsers();
    await browsers.run(listOf('a?1', 'b?2', 'a?3', '=4', 'b?5', '=6', 'a?7'));
    expect(browsers.log).toEqual([
      ...['start 1', 'a?1', '(b', 'a?3', 'a?7', 'a)'],
      ...['b?2', 'b?5', 'b)', '=4', '=6', 'close 1'],
    ]);
    expect(browsers.results).toEqual(['a?1', 'b?2', 'a?3', '=4', 'b?5', '=6', 'a?7']);
  });

  test('gives questions about files that are not there an error without asking the browser', async () => {
    const browsers = new FakeBrowsers();
    browsers.missing.add('a').add('b');
    await browsers.run(listOf('a?1', 'b?2'));
    expect(browsers.log).toEqual([]);
    expect(browsers.results).toEqual(['a?1: MEDIA_NOT_FOUND', 'b?2: MEDIA_NOT_FOUND']);
  });

  test.each(['WORKER_DIED', 'RUN_FAILED', 'INTERNAL'])('tries a job again in a new browser after %s', async (code) => {
    const browsers = new FakeBrowsers((name, browser) => (name === 'b' && browser === 1 ? bad(code) : good));
    await browsers.run(listOf('a', 'b', 'c'));
    // What was opened ahead may have been the trouble: not again.
    expect(browsers.log).toEqual([
      ...['start 1', 'a', '(b', 'a)', 'b', '(c', 'close 1'],
      ...['start 2', 'b', 'b)', 'c', 'c)', 'close 2'],
    ]);
    expect(browsers.results).toEqual(['a', 'b', 'c']);
  });

  test('gives up a job that kills two browsers, and goes on', async () => {
    const browsers = new FakeBrowsers((name) => (name === 'b' ? lost() : good));
    await browsers.run(listOf('a', 'b', 'c'));
    expect(browsers.log.filter((entry) => entry.startsWith('start'))).toHaveLength(3);
    expect(browsers.results).toEqual(['a', 'b: WORKER_DIED', 'c']);
  });

  test('starts again once when the browser dies while it starts', async () => {
    const browsers = new FakeBrowsers();
    let tries = 0;
    const start = () => {
      tries += 1;
      return tries === 1 ? Promise.reject(new PredictorLost('x')) : browsers.start();
    };
    await browsers.run(listOf('a'), start);
    expect(browsers.results).toEqual(['a']);
    tries = 0;
    const never = () => {
      tries += 1;
      return Promise.reject(new PredictorLost('it dies each time'));
    };
    await expect(browsers.run(listOf('a'), never)).rejects.toThrow('it dies each time');
    expect(tries).toBe(2);
  });

  test('ends at once with what no new browser can mend', async () => {
    const browsers = new FakeBrowsers();
    const start = () => Promise.reject(new Error('no such model'));
    await expect(browsers.run(listOf('a'), start)).rejects.toThrow('no such model');
    expect(browsers.results).toEqual([]);
  });

  test('has no result for the job during which it is stopped', async () => {
    const browsers = new FakeBrowsers((name) => {
      if (name !== 'b') return good;
      browsers.stop.abort();
      return lost();
    });
    await browsers.run(listOf('a', 'b', 'c'));
    expect(browsers.results).toEqual(['a']);
    expect(browsers.log.at(-1)).toBe('close 1');
  });
});
