/** `npm run parity` behind its command line and its export, which needs Python: a committed model stands in for that. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import { parity } from '../src/parity/parity.ts';

const odd = fileURLToPath(new URL('../../../packages/testing/goldens/odd', import.meta.url));
/** Modules on their device, tensors, encoded texts, searches and rankings. */
const results = 1 + 13 + 4 + 20 + 8;
const never = new AbortController().signal;

let folder: string;

test.beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'owlet-parity-e2e-'));
});

test.afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the command on these vectors and the committed model. */
async function run(goldens: string, exportModel = async (): Promise<string> => join(odd, 'model')) {
  const lines: string[] = [];
  const json = join(folder, 'new', 'out.json');
  const means = { exportModel, print: (line: string) => void lines.push(line) };
  const code = await parity({ goldens, device: 'wasm', json }, means, never);
  return { code, lines, report: JSON.parse(readFileSync(json, 'utf8')) };
}

test('what agrees has its lines, its sum and its file, and the exit code is 0', async () => {
  const { code, lines, report } = await run(odd);
  expect(code, lines.join('\n')).toBe(0);
  expect(lines).toHaveLength(results + 1);
  expect(lines.at(-1)).toBe(`${results} passed, 0 failed`);
  const number = String.raw`\d\.\de[+-]\d+`;
  for (const line of [
    /^passed {2}every module on wasm: equal$/,
    new RegExp(String.raw`^passed {2}image\.visual: max difference ${number} \(bound 0\.0001\)$`),
    /^passed {2}caption\.ids: equal$/,
    new RegExp(
      String.raw`^passed {2}caption video3\.1, beam 5, .*: equal; score max difference ${number} \(bound 0\.001\)$`,
    ),
    new RegExp(String.raw`^passed {2}rank image\.0, k 3: equal; log p .* probability max difference ${number}`),
  ]) {
    expect(lines.filter((each) => line.test(each))).toHaveLength(1);
  }
  expect(report).toMatchObject({ goldens: odd, device: 'wasm', passed: results, failed: 0 });
  expect(report.results).toHaveLength(results);
  expect(report.results[1]).toEqual({
    name: 'image.answer_logits',
    passed: true,
    differences: [{ of: 'values', greatest: expect.any(Number), bound: 1e-4 }],
  });
});

test('one vector that differs is told, and the exit code is 1', async () => {
  const goldens = join(folder, 'goldens');
  cpSync(odd, goldens, { recursive: true, filter: (path) => !path.endsWith('model') });
  const file = join(goldens, 'io.safetensors');
  const bytes = readFileSync(file);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length));
  const at = 8 + length + header['video3.visn'].data_offsets[0];
  bytes.writeFloatLE(bytes.readFloatLE(at) + 0.5, at);
  writeFileSync(file, bytes);
  // Searches have been compared above.
  const cases = JSON.parse(readFileSync(join(goldens, 'io.json'), 'utf8'));
  writeFileSync(join(goldens, 'io.json'), JSON.stringify({ ...cases, generation: [], rank: [] }));

  const { code, lines, report } = await run(goldens);
  expect(code, lines.join('\n')).toBe(1);
  const failed = lines.filter((line) => line.startsWith('FAILED'));
  expect(failed).toEqual(['FAILED  video3.visn: max difference 5.0e-1 (bound 0.0001)']);
  expect(lines.at(-1)).toBe('17 passed, 1 failed');
  expect(report).toMatchObject({ passed: 17, failed: 1 });
});

test('an export that fails is a failure of the run', async () => {
  const { code, lines, report } = await run(odd, () => Promise.reject(new Error('The export of odd ended with 1')));
  expect(code).toBe(1);
  expect(lines).toEqual(['FAILED  the run: The export of odd ended with 1', '0 passed, 1 failed']);
  expect(report).toMatchObject({ passed: 0, failed: 1, results: [{ name: 'the run', passed: false }] });
});
