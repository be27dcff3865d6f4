import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadOrtNode, VERSION } from '../src/peers/node-package.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'owlet-peers-'));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function install(version: string, script: string): void {
  const folder = join(root, '.tools', 'peers', 'node_modules', 'onnxruntime-node');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ version, main: 'main.js' }));
  writeFileSync(join(folder, 'main.js'), script);
}

const command = `npm install --prefix .tools/peers --ignore-scripts onnxruntime-node@${VERSION}`;

test('where the package is not there, or another version, the command that brings it is told', () => {
  expect(loadOrtNode(root)).toEqual({ missing: expect.stringContaining(command) });
  install('1.0.0', '');
  expect(loadOrtNode(root)).toEqual({
    missing: expect.stringMatching(/has onnxruntime-node 1\.0\.0, not .*npm install/),
  });
});

test('it is loaded from the folder for peers', () => {
  install(VERSION, 'exports.Tensor = 1;');
  expect(loadOrtNode(root)).toEqual({ version: VERSION, ort: { Tensor: 1 } });
});

test('what can not be loaded is missing too, and no folder of this machine is told', () => {
  install(VERSION, "throw new Error(__filename + ' is for another system\\nstack');");
  const found = loadOrtNode(root);
  expect(found).toEqual({ missing: expect.stringMatching(/can't be loaded: .*main\.js is for another system$/) });
  expect(JSON.stringify(found)).not.toContain(root);
});

test('the version is that of onnxruntime-web', () => {
  const catalog = readFileSync(new URL('../../../pnpm-workspace.yaml', import.meta.url), 'utf8');
  expect(catalog).toContain(`\n  onnxruntime-web: ${VERSION}\n`);
});
