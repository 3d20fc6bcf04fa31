/**
 * Before all suites: one throwaway MariaDB for the run, if any suite that will run speaks of one; the suites find it by the
 * environment. A run of a few unit tests starts none.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { startMariadb } from './mariadb';

interface JestGlobalConfig {
  rootDir: string;
  testPathPatterns?: { patterns?: readonly string[] };
}

export default async function globalSetup({ rootDir, testPathPatterns }: JestGlobalConfig): Promise<void> {
  const patterns = (testPathPatterns?.patterns ?? []).map((pattern) => new RegExp(pattern, 'i'));
  const wanted = (path: string) => patterns.length === 0 || patterns.some((pattern) => pattern.test(path));
  const suites = testFiles(join(rootDir, 'test')).filter(wanted);
  if (suites.some((path) => usesMariadb(path))) await startMariadb();
}

/** True for a suite that imports the server's support, itself or through other files of test/. */
function usesMariadb(path: string, seen = new Set<string>()): boolean {
  if (seen.has(path)) return false;
  seen.add(path);
  const imports = [...readFileSync(path, 'utf8').matchAll(/from '(\.{1,2}\/[^']+)'/g)].map(([, name]) =>
    join(dirname(path), `${name}.ts`),
  );
  return imports.some(
    (target) =>
      /support\/mariadb\.ts$/.test(target) ||
      (/\/test\//.test(target) && existsSync(target) && usesMariadb(target, seen)),
  );
}

function testFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name));
}
