/** Every exported symbol of the packages says what it is, in a sentence, and for whom: `@public` or `@internal`. */
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { root } from '../process.mjs';

/** Starts like a sentence (or with code), has three words or more, and its first paragraph ends like one. */
const SENTENCE = /^[\p{Lu}\d`{"“∑√(][^\s]*(?:\s+\S+){2,}[.:?!…)]$/u;

/** What is wrong with the docblocks of the symbols that these files declare and export. */
function faults(files: readonly string[], host?: ts.CompilerHost): string[] {
  // Names and comments only: nothing is resolved, so types are unknown and the program is made at once.
  const options: ts.CompilerOptions = { noResolve: true, noLib: true, target: ts.ScriptTarget.ESNext, types: [] };
  const program = ts.createProgram(files, options, host);
  const checker = program.getTypeChecker();
  return files.flatMap((file) => {
    const source = program.getSourceFile(file);
    const module = source && checker.getSymbolAtLocation(source);
    if (source === undefined || module === undefined) return [];
    return checker.getExportsOfModule(module).flatMap((exported) => {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      // What is passed on from another file is looked at there.
      if (!symbol.declarations?.some((node) => node.getSourceFile() === source)) return [];
      const text = ts.displayPartsToString(symbol.getDocumentationComment(checker));
      const tags = symbol.getJsDocTags(checker).map(({ name }) => name);
      const [paragraph = ''] = text.split(/\n\s*\n/);
      const audiences = new Set(tags.filter((name) => name === 'public' || name === 'internal'));
      const wrong = [
        ...(SENTENCE.test(paragraph.replace(/\s+/g, ' ').trim()) ? [] : [`no sentence ("${paragraph}")`]),
        ...(audiences.size === 1 ? [] : ['not one of @public and @internal']),
      ];
      return wrong.map((why) => `${relative(root, file)}: ${symbol.name}: ${why}`);
    });
  });
}

function sourcesOf(name: string): string[] {
  const folder = join(root, 'packages', name, 'src');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .map((file) => join(folder, file));
}

test.each(readdirSync(join(root, 'packages')))('packages/%s', (name) => {
  const files = sourcesOf(name);
  expect(files.length).toBeGreaterThan(0);
  expect(faults(files)).toEqual([]);
});

test.each([
  ['export const a = 1;', 2],
  ['/** The answer to it all. */ export const a = 1;', 1],
  ['/** @public */ export function a(): void {}', 1],
  ['/** todo @internal */ export class A {}', 1],
  ['/**\n * The answer.\n *\n * @public\n */ export interface A {}', 1],
  ['/**\n * The answer to it all.\n *\n * @public\n * @internal\n */ export type A = 1;', 1],
  ['/**\n * The answer to it all.\n *\n * @public\n */ export type A = 1;', 0],
  ['const a = 1;\nexport { a };', 2],
])('%o has %i faults', (text, count) => {
  const host = ts.createCompilerHost({});
  const read = host.getSourceFile;
  host.getSourceFile = (file, version) =>
    file === 'made.ts' ? ts.createSourceFile(file, text, version) : read(file, version);
  expect(faults(['made.ts'], host)).toHaveLength(count);
});
