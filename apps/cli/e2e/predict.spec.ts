import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { recordClip } from './clip.ts';
import { bitmap, predict, readLines, renderersBelow, startPredict, tinyModel } from './run-predict.ts';

let folder: string;

test.beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'owlet-predict-'));
  mkdirSync(join(folder, 'photos', 'sub'), { recursive: true });
});

test.afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(path: string, bytes: Uint8Array | string): void {
  writeFileSync(join(folder, 'photos', path), bytes);
}

test('every file gets its line, and an interrupted run is gone on with', async () => {
  put('b.bmp', bitmap(1));
  put('sub/ü #1? 100%.bmp', bitmap(2));
  put('broken.jpg', 'no picture');
  put('clip.mp4', '');
  put('notes.txt', '');
  const args = ['--media', 'photos', '--out', 'out/lines.jsonl', '--device', 'wasm'];

  const first = await predict(folder, args);
  expect(first.code, first.said).toBe(0);
  const file = join(folder, 'out', 'lines.jsonl');
  const lines = readLines(file);
  expect(lines.map(({ media }) => media)).toEqual(['b.bmp', 'broken.jpg', 'clip.mp4', 'sub/ü #1? 100%.bmp']);
  for (const line of [lines[0], lines[3]]) {
    expect(line).toMatchObject({ task: 'caption', device: 'wasm' });
    expect(line?.text).toMatch(/^\S.*\S$/);
    expect(line?.logprob).toBeLessThan(0);
    expect(line?.timings?.['total']).toBeGreaterThan(0);
  }
  expect(lines[1]).toEqual({ media: 'broken.jpg', error: { code: 'MEDIA_NOT_IMAGE', message: expect.any(String) } });
  expect(lines[2]?.error?.code).toBe('MEDIA_EMPTY');

  const [line = '', ...others] = readFileSync(file, 'utf8').split('\n');
  writeFileSync(file, `${line}\n${others[0]?.slice(0, 12)}`);
  const second = await predict(folder, [...args, '--resume']);
  expect(second.code, second.said).toBe(0);
  // The first line is the one of the first run, down to its timings.
  expect(readFileSync(file, 'utf8').split('\n')[0]).toBe(line);
  const again = readLines(file);
  // Written beside other captions, an int8 model's may differ in a word.
  const gists = (list: typeof lines) => list.map(({ media, task, error, text }) => [media, task, error, typeof text]);
  expect(gists(again)).toEqual(gists(lines));

  const third = await predict(folder, [...args, '--resume']);
  expect(third.code, third.said).toBe(0);
  expect(readLines(file)).toEqual(again);
});

test('questions are put together by file, answered in their order, and gone on with', async ({ page }) => {
  await page.goto('/');
  put('a.bmp', bitmap(1));
  put('sub/clip.webm', await recordClip(page));
  const questions = [
    { media: 'a.bmp', question: 'is there a dog' },
    { image: 'sub/clip.webm', question: 'what runs on the grass' },
    { media: 'a.bmp', question: 'is there a dog', candidates: ['dog', 'cat'] },
    { media: 'nowhere.bmp', question: 'is there a dog' },
    { media: 'a.bmp', question: '' },
  ];
  const lineOf = (question: object) => `${JSON.stringify(question)}\n`;
  writeFileSync(join(folder, 'q.jsonl'), questions.map(lineOf).join(''));
  const args = ['--media', 'photos', '--out', 'lines.jsonl', '--device', 'wasm', '--model', tinyModel, '--beams', '3'];
  args.push('--task', 'answer', '--questions', 'q.jsonl', '--resume');

  const first = await predict(folder, args);
  expect(first.code, first.said).toBe(0);
  const file = join(folder, 'lines.jsonl');
  const lines = readLines(file);
  const asked = questions.map(({ media, image, question }) => ({ media: media ?? image, question }));
  expect(lines).toMatchObject(asked);
  expect(lines.map(({ task, error }) => error?.code ?? task)).toEqual([
    ...['answer', 'answer', 'answer'],
    ...['MEDIA_NOT_FOUND', 'INVALID_ARGUMENT'],
  ]);
  expect(lines[2]?.ranking?.map(({ text }) => text).sort()).toEqual(['cat', 'dog']);
  // The second question about a file has no vision to pay for.
  expect(lines.slice(0, 3).map(({ timings }) => 'vision' in (timings ?? {}))).toEqual([true, true, false]);

  const text = readFileSync(file, 'utf8');
  const kept = `${text.split('\n')[0]}\n`;
  writeFileSync(file, text.slice(0, kept.length + 40));
  const second = await predict(folder, args);
  expect(second.code, second.said).toBe(0);
  expect(readFileSync(file, 'utf8').startsWith(kept)).toBe(true);
  const timeless = (list: typeof lines) => list.map(({ timings, ...rest }) => rest);
  expect(timeless(readLines(file))).toEqual(timeless(lines));
});

test('each task writes the lines that it is to write, and no more', async () => {
  put('a.bmp', bitmap(1));
  put('broken.bmp', 'no picture');
  const run = async (task: string, questions: readonly object[], ...more: readonly string[]) => {
    writeFileSync(join(folder, 'q.jsonl'), questions.map((question) => `${JSON.stringify(question)}\n`).join(''));
    const args = ['--media', 'photos', '--out', `${task}.jsonl`, '--device', 'wasm', '--model', tinyModel];
    if (questions.length > 0) args.push('--questions', 'q.jsonl');
    const { code, said } = await predict(folder, [...args, '--task', task, ...more]);
    expect(code, said).toBe(0);
    return { said, lines: readLines(join(folder, `${task}.jsonl`)) };
  };
  const probability = expect.closeTo(0.5, 0);
  const told = { device: 'wasm', timings: expect.objectContaining({ total: expect.any(Number) }) };
  const refused = (code: string) => ({ error: { code, message: expect.stringMatching(/\w/) } });

  const match = await run('match', [
    { media: 'a.bmp', text: 'a dog', label: 1 },
    { media: 'broken.bmp', text: 'a dog' },
    { media: 'a.bmp', text: '' },
    { media: 'a.bmp', text: 'a dog in the snow on the grass' },
  ]);
  const cut = { code: 'TEXT_CUT', message: expect.stringContaining('6 words') };
  expect(match.lines).toEqual([
    { media: 'a.bmp', text: 'a dog', task: 'match', probability, ...told },
    { media: 'broken.bmp', text: 'a dog', ...refused('MEDIA_NOT_IMAGE') },
    { media: 'a.bmp', text: '', ...refused('INVALID_ARGUMENT') },
    { media: 'a.bmp', text: 'a dog in the snow on the grass', task: 'match', probability, ...told, warnings: [cut] },
  ]);

  const embed = await run('embed', [{ text: 'a dog' }, { text: '' }], '--beams', '3');
  const vector = Array.from({ length: 6 }, () => expect.any(Number));
  expect(embed.lines).toEqual([
    { media: 'a.bmp', task: 'embed', vector, ...told },
    { media: 'broken.bmp', ...refused('MEDIA_NOT_IMAGE') },
    { text: 'a dog', task: 'embed', vector, ...told },
    { text: '', ...refused('INVALID_ARGUMENT') },
  ]);
  expect(embed.said).toContain('--beams 3 means nothing for --task embed');

  const classify = await run('classify', []);
  const label = { label: expect.stringMatching(/^(bird|cat|dog)$/), probability };
  expect(classify.lines).toEqual([
    { media: 'a.bmp', task: 'classify', labels: [label, label, label], ...told },
    { media: 'broken.bmp', ...refused('MEDIA_NOT_IMAGE') },
  ]);
  expect(classify.said).not.toContain('--beams');
});

test('a killed renderer costs no line', async () => {
  test.skip(process.platform !== 'linux', 'processes are found by Linux’ /proc');
  const count = 16;
  for (let i = 0; i < count; i += 1) put(`${String(i).padStart(2, '0')}.bmp`, bitmap(i));
  const run = startPredict(folder, ['--media', 'photos', '--out', 'lines.jsonl', '--device', 'wasm']);
  const file = join(folder, 'lines.jsonl');
  await expect.poll(() => readLines(file).length, { timeout: 90_000, intervals: [50] }).toBeGreaterThan(0);
  const killed = renderersBelow(run.process.pid ?? 0);
  expect(killed.length).toBeGreaterThan(0);
  for (const pid of killed) process.kill(pid, 'SIGKILL');
  const before = readLines(file).length;
  const { code, said } = await run.ended;
  expect(code, said).toBe(0);
  expect(before).toBeLessThan(count);
  const lines = readLines(file);
  expect(lines).toHaveLength(count);
  expect(lines.filter(({ error }) => error !== undefined)).toEqual([]);
});

test('what can not be done is refused, with a reason and an exit code', async () => {
  const usage = await predict(folder, ['--media', 'photos', '--out', 'a.jsonl', '--task', 'answer']);
  expect(usage.code).toBe(2);
  expect(usage.said).toContain('--task answer needs --questions');

  writeFileSync(join(folder, 'q.jsonl'), '{"media": "a.bmp", "text": "a dog"}\n{"media": "a.bmp"}\n');
  const match = ['--media', 'photos', '--out', 'a.jsonl', '--task', 'match', '--questions', 'q.jsonl'];
  const questions = await predict(folder, match);
  expect(questions.code).toBe(2);
  expect(questions.said).toContain('q.jsonl, line 2, has no "text"');
  expect(existsSync(join(folder, 'a.jsonl'))).toBe(false);

  put('a.bmp', bitmap(1));
  const noModel = await predict(folder, ['--media', 'photos', '--out', 'a.jsonl', '--model', 'photos']);
  expect(noModel.code, noModel.said).toBe(1);
  expect(noModel.said).toContain('MANIFEST_NOT_FOUND');

  const noFolder = await predict(folder, ['--media', 'photos', '--out', 'photos/a.bmp/a.jsonl']);
  expect(noFolder.code, noFolder.said).toBe(1);
  expect(noFolder.said).toMatch(/ENOTDIR: .*a\.bmp/);
  expect(noFolder.said).not.toContain('    at ');

  mkdirSync(join(folder, 'none'));
  const nothing = await predict(folder, ['--media', 'none', '--out', 'none.jsonl']);
  expect(nothing.code, nothing.said).toBe(0);
  expect(nothing.said).toContain('there is no image or video in');

  const help = await predict(folder, ['--help']);
  expect(help.code).toBe(0);
  expect(help.said).toContain('--questions F.jsonl  answer:');
});
