/** The coverage floors leave out files of types alone; code that slips into one of them would go uncounted. */
import { transformSync } from '@swc/core';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '../../..');
const { collectCoverageFrom } = jest.requireActual<{ collectCoverageFrom: string[] }>('../../../jest.config.js');
const leftOut = collectCoverageFrom
  .filter((pattern) => pattern.startsWith('!'))
  .flatMap((pattern) => expand(pattern.slice(1)));

/** `a/{b,c}.ts` as `a/b.ts` and `a/c.ts`. */
function expand(pattern: string): string[] {
  const braces = /^(.*)\{(.*)\}(.*)$/.exec(pattern);
  if (!braces) return [pattern];
  const [, before = '', names = '', after = ''] = braces;
  return names.split(',').map((name) => `${before}${name}${after}`);
}

function compiled(path: string): string {
  const { code } = transformSync(readFileSync(join(ROOT, path), 'utf8'), {
    jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
    module: { type: 'es6' },
  });
  return code.replace(/\/\*[\s\S]*?\*\/|\/\/.*|export \{\s*\};?/g, '').trim();
}

test.each(leftOut)('%s holds types alone', (path) => {
  expect(compiled(path)).toBe('');
});

test('something is left out, and code would be noticed', () => {
  expect(leftOut.length).toBeGreaterThan(5);
  expect(compiled('src/domain/errors.ts')).not.toBe('');
});
