import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { bitmap, predict, readLines, renderersBelow, startPredict } from './run-predict.ts';

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
  expect(lines[2]?.error?.code).toBe('MEDIA_UNSUPPORTED');

  const [line = '', ...others] = readFileSync(file, 'utf8').split('\n');
  writeFileSync(file, `${line}\n${others[0]?.slice(0, 12)}`);
  const second = await predict(folder, [...args, '--resume']);
  expect(second.code, second.said).toBe(0);
  // The first line is the one of the first run, down to its timings.
  expect(readFileSync(file, 'utf8').split('\n')[0]).toBe(line);
  const again = readLines(file);
  const timeless = (list: typeof lines) => list.map(({ timings, ...rest }) => rest);
  expect(timeless(again)).toEqual(timeless(lines));

  const third = await predict(folder, [...args, '--resume']);
  expect(third.code, third.said).toBe(0);
  expect(readLines(file)).toEqual(again);
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
  expect(usage.said).toContain('the only task so far is caption');

  put('a.bmp', bitmap(1));
  const noModel = await predict(folder, ['--media', 'photos', '--out', 'a.jsonl', '--model', 'photos']);
  expect(noModel.code, noModel.said).toBe(1);
  expect(noModel.said).toContain('MANIFEST_NOT_FOUND');
});
