/** The rules of the workspace that hold over all its packages: who may import whom, and what must not be written down. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join, relative, resolve, sep } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { root } from '../process.mjs';

interface PackageJson {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Which of our packages each may import, its tests apart. The client needs the runtime only for its worker's URL. */
const direction: Readonly<Record<string, readonly string[]>> = {
  '@owlet/protocol': [],
  '@owlet/manifest': ['@owlet/protocol'],
  '@owlet/loader': ['@owlet/manifest', '@owlet/protocol'],
  '@owlet/media': ['@owlet/protocol'],
  '@owlet/runtime': ['@owlet/loader', '@owlet/manifest', '@owlet/media', '@owlet/protocol'],
  '@owlet/client': ['@owlet/protocol', '@owlet/runtime'],
  '@owlet/testing': ['@owlet/manifest', '@owlet/protocol'],
  '@owlet/demo': ['@owlet/client'],
  // Parity compares what no page can ask the client for: tensors between graphs.
  '@owlet/cli': ['@owlet/client', '@owlet/runtime', '@owlet/tools'],
  // Benchmarks make their clips as tests do.
  '@owlet/bench': ['@owlet/client', '@owlet/testing', '@owlet/tools'],
  '@owlet/tools': [],
};

/** Tests may import the fakes too, and the tools that start browsers and servers. */
const forTests = ['@owlet/testing', '@owlet/tools'];

function readJson(file: string): PackageJson {
  return JSON.parse(readFileSync(file, 'utf8')) as PackageJson;
}

function folders(): string[] {
  const inside = (parent: string) => readdirSync(join(root, parent)).map((name) => join(parent, name));
  return [...inside('packages'), ...inside('apps'), 'tools'].filter((f) => existsSync(join(root, f, 'package.json')));
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name.startsWith('.') || entry.name === 'node_modules' ? [] : sources(file);
    return /\.(ts|mts|mjs|js)$/.test(entry.name) && !/\.config\.ts$/.test(entry.name) ? [file] : [];
  });
}

function imports(file: string): string[] {
  return ts.preProcessFile(readFileSync(file, 'utf8'), true, true).importedFiles.map((found) => found.fileName);
}

function packageOf(specifier: string): string {
  return specifier
    .replace(/\?.*$/, '')
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function isTest(file: string): boolean {
  return /[\\/](test|e2e)[\\/]/.test(file);
}

/** What is wrong with one import, or undefined. */
function fault(specifier: string, file: string, folder: string, manifest: PackageJson): string | undefined {
  if (specifier.startsWith('node:')) return undefined;
  if (specifier.startsWith('.')) {
    const bare = specifier.replace(/\?.*$/, '');
    if (extname(bare) === '') return 'has no extension';
    const inside = resolve(dirname(file), bare).startsWith(folder + sep);
    return inside ? undefined : "leaves the package's folder";
  }
  const name = packageOf(specifier);
  if (name === '@owlet/runtime' && manifest.name === '@owlet/client' && !specifier.endsWith('?worker&url')) {
    return "is more than the worker's URL";
  }
  if (name === 'onnxruntime-web' && !['@owlet/runtime', '@owlet/bench'].includes(manifest.name) && !isTest(file)) {
    return 'belongs to the runtime';
  }
  const { dependencies, devDependencies, optionalDependencies } = manifest;
  const declared = { ...dependencies, ...optionalDependencies, ...(isTest(file) ? devDependencies : {}) };
  const isTooling = manifest.name === '@owlet/tools' && name in (manifest.devDependencies ?? {});
  return name in declared || isTooling ? undefined : "isn't declared in package.json";
}

describe('dependencies', () => {
  test('the root package has none', () => {
    const manifest = readJson(join(root, 'package.json'));
    expect(Object.keys(manifest).filter((key) => /dependencies$/i.test(key))).toEqual([]);
  });

  test('every package has its row in the table', () => {
    const names = folders().map((folder) => readJson(join(root, folder, 'package.json')).name);
    expect(names.sort()).toEqual(Object.keys(direction).sort());
  });

  describe.each(folders())('%s', (folder) => {
    const manifest = readJson(join(root, folder, 'package.json'));
    const allowed = direction[manifest.name] ?? [];

    test('depends only in the allowed direction', () => {
      const ours = (deps: PackageJson['dependencies']) =>
        Object.keys(deps ?? {}).filter((n) => n.startsWith('@owlet/'));
      expect(ours(manifest.dependencies).filter((name) => !allowed.includes(name))).toEqual([]);
      expect(ours(manifest.devDependencies).filter((n) => ![...allowed, ...forTests].includes(n))).toEqual([]);
    });

    test('takes every version from the catalog or the workspace', () => {
      const { dependencies, devDependencies, optionalDependencies } = manifest;
      const all = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies });
      const wrong = all.filter(([name, v]) => v !== (name.startsWith('@owlet/') ? 'workspace:*' : 'catalog:'));
      expect(wrong).toEqual([]);
    });

    test('imports what it declares, and nothing from the inside of another package', () => {
      const faults = sources(join(root, folder)).flatMap((file) =>
        imports(file).flatMap((specifier) => {
          const why = fault(specifier, file, join(root, folder), manifest);
          return why === undefined ? [] : [`${relative(root, file)}: "${specifier}" ${why}`];
        }),
      );
      expect(faults).toEqual([]);
    });
  });

  test('the table has no circle', () => {
    const visit = (name: string, path: readonly string[]): void => {
      if (path.includes(name)) throw new Error([...path, name].join(' → '));
      for (const next of direction[name] ?? []) visit(next, [...path, name]);
    };
    for (const name of Object.keys(direction)) visit(name, []);
  });
});

describe('what is written down', () => {
  test('the lock file names no download address', () => {
    const lines = readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8').split('\n');
    expect(lines.filter((line) => /https?:\/\/|\btarball:/.test(line))).toEqual([]);
  });

  const inGit = existsSync(join(root, '.git'));
  test.runIf(inGit)('no file names a folder of one machine', () => {
    // Written in parts, so that this file isn't its own finding.
    const machine = new RegExp(['root', 'work', 'home/[a-z]+'].map((name) => `(?<![\\w./:~-])/${name}/`).join('|'));
    const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
    const files = execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 }).split('\0');
    const found = files.filter((file) => {
      if (file === '' || !existsSync(join(root, file))) return false;
      const bytes = readFileSync(join(root, file));
      return !bytes.subarray(0, 8_000).includes(0) && machine.test(bytes.toString('utf8'));
    });
    expect(found).toEqual([]);
  });
});
