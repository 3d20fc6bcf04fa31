// Every "must never" of the architecture is a rule, and every rule fires: each offending sample below is reported by the rule
// that it names, and the sound samples by none. The real linters run with the real configuration on a small project of samples.
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = join(__dirname, '../../..');
const CRUISER = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
const ESLINT = join(ROOT, 'node_modules/eslint/bin/eslint.js');

let project: string;

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'riskvault-lint-'));
  symlinkSync(join(ROOT, 'node_modules'), join(project, 'node_modules'));
  for (const name of ['.dependency-cruiser.cjs', 'eslint.config.mjs', 'tsconfig.json', 'package.json']) {
    copyFileSync(join(ROOT, name), join(project, name));
  }
});
afterAll(() => rmSync(project, { recursive: true }));

function write(path: string, code: string): void {
  mkdirSync(dirname(join(project, path)), { recursive: true });
  writeFileSync(join(project, path), code);
}

/** Linters end with a failure when they find something; what they found is on standard output. */
function run(script: string, args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [script, ...args], { cwd: project, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      if (stdout.trimStart().startsWith('{') || stdout.trimStart().startsWith('[')) resolve(stdout);
      else reject(new Error(`${error?.message}\n${stderr}\n${stdout}`));
    });
  });
}

describe('who may import what', () => {
  const parts = [
    'domain',
    'engine',
    'catalog',
    'events',
    'services',
    'runner',
    'api',
    'ops',
    'cli',
    'console',
    'repository',
    'sources',
  ];
  /** [file, what it imports, the rule] */
  const offences: [string, string, string][] = [
    ['services/a', '../runner/sound', 'layer-services'],
    ['runner/a', '../services/sound', 'layer-runner'],
    ['runner/b', '../engine/sound', 'layer-runner'],
    ['engine/a', '../repository/sound', 'layer-engine'],
    ['engine/b', '../sources/sound', 'layer-engine'],
    ['engine/c', '../catalog/sound', 'layer-engine'],
    ['engine/rows/a', '../reading/sound', 'engine-rows'],
    ['engine/reading/a', '../writing/sound', 'engine-reading'],
    ['engine/writing/a', '../reading/sound', 'engine-writing'],
    ['engine/taking/a', '../restoring/sound', 'engine-taking'],
    ['engine/taking/b', '../engine', 'engine-taking'],
    ['engine/restoring/a', '../keeping/sound', 'engine-restoring'],
    ['engine/comparing/a', '../restoring/sound', 'engine-comparing'],
    ['engine/keeping/a', '../taking/sound', 'engine-keeping'],
    ['engine/exporting/a', '../restoring/sound', 'engine-exporting'],
    ['domain/a', '../engine/sound', 'layer-domain'],
    ['sources/a', '../repository/sound', 'layer-sources'],
    ['repository/a', '../sources/sound', 'layer-repository'],
    ['catalog/a', '../services/sound', 'layer-catalog'],
    ['events/a', '../runner/sound', 'layer-events'],
    ['api/a', '../engine/sound', 'layer-api'],
    ['api/b', '../catalog/entities', 'api-knows-records-alone'],
    ['ops/a', '../api/sound', 'layer-ops'],
    ['cli/a', '../services/sound', 'layer-cli'],
    ['cli/b', '../sources/sound', 'layer-cli'],
    ['console/a', '../services/sound', 'layer-console'],
    ['services/c', '../ops/sound', 'environment-has-one-home'],
    ['services/d', '../app', 'roots-are-not-imported'],
    ['services/e', 'graphql', 'library-graphql'],
    ['catalog/b', 'type-graphql', 'library-graphql'],
    ['runner/e', '@apollo/server', 'library-graphql'],
    ['services/f', 'fastify', 'library-http'],
    ['services/g', 'typeorm', 'library-typeorm'],
    ['sources/sqlite/a', 'mysql2', 'library-mysql2'],
    ['repository/storage/local/a', '@aws-sdk/client-s3', 'library-s3'],
    ['engine/e', 'libsql', 'library-libsql'],
    ['engine/f', '@toondepauw/node-zstd', 'library-zstd'],
    ['runner/f', 'pino', 'library-ops'],
    ['repository/b', '../domain/source', 'repository-knows-no-rows'],
    ['repository/c', '../domain/table', 'repository-knows-no-rows'],
    ['sources/b', '../domain/backup-store', 'sources-know-no-chunks'],
    ['sources/sqlite/b', '../mysql/sound', 'sources-are-apart'],
    ['domain/cycle-one', './cycle-two', 'no-cycle'],
    ['services/h', 'fast-check', 'declared-dependencies'],
    ['services/i', './nowhere', 'resolvable'],
  ]; // prettier-ignore
  let violations: Map<string, Set<string>>;

  beforeAll(async () => {
    const rooms = ['rows', 'reading', 'writing', 'taking', 'restoring', 'comparing', 'keeping', 'exporting'].map(
      (room) => `engine/${room}`,
    );
    for (const part of [...parts, ...rooms, 'sources/mysql']) write(`src/${part}/sound.ts`, 'export const sound = 1;');
    write('src/engine/engine.ts', "export * from './taking/sound'; export * from './restoring/sound';");
    write(
      'src/engine/taking/uses.ts',
      "export * from '../rows/sound'; export * from '../reading/sound'; export * from '../sound';",
    );
    for (const name of ['source', 'table', 'backup-store'])
      write(`src/domain/${name}.ts`, 'export interface Port { a: 1 }');
    write(
      'src/app.ts',
      "export * from './services/sound'; export * from './runner/sound'; export * from './api/sound';",
    );
    write('src/catalog/catalog.ts', 'export const open = 1; export interface Item { a: 1 }');
    write('src/catalog/entities.ts', 'export interface Row { a: 1 }');
    write('src/api/sound-types.ts', "import type { Item } from '../catalog/catalog'; export type T = Item;");
    write('src/api/calls.ts', "export { open } from '../catalog/catalog';");
    write('src/domain/cycle-two.ts', "export * from './cycle-one';");
    write('src/sources/mysql/client.ts', "import type { Pool } from 'mysql2'; export type P = Pool;");
    write(
      'src/services/uses.ts',
      "export * from '../catalog/sound'; export * from '../events/sound'; export * from '../domain/sound';",
    );
    for (const [file, target] of offences)
      write(`src/${file}.ts`, `import type * as it from '${target}'; export type T = typeof it;`);
    const found = JSON.parse(
      await run(CRUISER, ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'src']),
    );
    violations = new Map();
    for (const { from, rule } of found.summary.violations as { from: string; rule: { name: string } }[]) {
      violations.set(from, (violations.get(from) ?? new Set()).add(rule.name));
    }
  }, 60_000);

  test.each(offences)('src/%s importing %s breaks %s', (file, _, rule) => {
    expect([...(violations.get(`src/${file}.ts`) ?? [])]).toContain(rule);
  });

  test("the api's calling the catalog breaks api-knows-records-as-types", () => {
    expect([...(violations.get('src/api/calls.ts') ?? [])]).toEqual(['api-knows-records-as-types']);
  });

  test('sound imports break nothing', () => {
    const sound = [...violations.keys()].filter((file) => /sound|app|client|uses|engine\/engine/.test(file));
    expect(sound).toEqual([]);
  });

  test('every rule has a sample here', () => {
    const { forbidden } = jest.requireActual<{ forbidden: { name: string }[] }>(join(ROOT, '.dependency-cruiser.cjs'));
    const proven = new Set([...offences.map(([, , rule]) => rule), 'api-knows-records-as-types']);
    expect(forbidden.map((rule) => rule.name).filter((name) => !proven.has(name))).toEqual([]);
  });
});

describe('what a file may say', () => {
  const header = '// A sample.\n';
  /** [file, code, the rule] */
  const offences: [string, string, string][] = [
    ['engine/clock', 'export const at = Date.now();', 'no-restricted-properties'],
    ['engine/date', 'export const at = new Date();', 'no-restricted-syntax'],
    ['engine/date-call', 'export const at = Date();', 'no-restricted-syntax'],
    ['engine/chance', 'export const n = Math.random();', 'no-restricted-properties'],
    ['engine/timer', 'setTimeout(() => undefined, 1);', 'no-restricted-globals'],
    ['engine/interval', 'setInterval(() => undefined, 1);', 'no-restricted-globals'],
    ['engine/timer-import', "export { setTimeout as wait } from 'node:timers/promises';", 'no-restricted-imports'],
    ['engine/timeout', 'export const stop = AbortSignal.timeout(1);', 'no-restricted-properties'],
    ['engine/stopwatch', "import { performance } from 'node:perf_hooks';\nexport const p = performance;", 'no-restricted-imports'],
    ['engine/stopwatch-global', 'export const at = performance.now();', 'no-restricted-globals'],
    ['engine/uuid', "import { randomUUID } from 'node:crypto';\nexport const id = randomUUID();", 'no-restricted-imports'],
    ['engine/environment', 'export const home = process.env.HOME;', 'no-restricted-properties'],
    ['ops/environment', 'export const home = process.env.HOME;', 'no-restricted-properties'],
    ['engine/environment-parts', 'export const { env } = process;', 'no-restricted-properties'],
    ['engine/floating', 'async function work() {}\nexport function start() { work(); }', '@typescript-eslint/no-floating-promises'],
    ['engine/anything', 'export const x = (a: any) => a;', '@typescript-eslint/no-explicit-any'],
    ['engine/many', 'export const f = (a: 1, b: 2, c: 3, d: 4) => [a, b, c, d];', 'max-params'],
    ['engine/long', `export function f() {\n${'  void 0;\n'.repeat(75)}}`, 'max-lines-per-function'],
    ['engine/huge', `export const a = 1;\n${'// more\n'.repeat(505)}`, 'max-lines'],
    ['engine/CamelCase', 'export const a = 1;', 'ours/file-name'],
    ['engine/utils', 'export const a = 1;', 'ours/file-name'],
  ]; // prettier-ignore
  const sound: [string, string][] = [
    ['ops/ambient', 'export const now = () => [new Date(), Math.random(), setTimeout(() => undefined, 1)];'],
    ['ops/config/load-config', 'export const home = process.env.HOME;'],
    ['engine/given', 'export const at = (ms: number) => new Date(ms);'],
    ['engine/awaited', 'async function work() {}\nexport async function start() { await work(); void work(); }'],
  ];
  let messages: Map<string, Set<string>>;

  beforeAll(async () => {
    rmSync(join(project, 'src'), { recursive: true, force: true });
    for (const [file, code] of [...offences, ...sound]) write(`src/${file}.ts`, header + code);
    write('src/engine/headless.ts', 'export const a = 1;\n// Too late.\n');
    const found = JSON.parse(await run(ESLINT, ['--format', 'json', 'src'])) as {
      filePath: string;
      messages: { ruleId: string }[];
    }[];
    messages = new Map(
      found.map(({ filePath, messages }) => [filePath, new Set(messages.map((message) => message.ruleId))]),
    );
  }, 60_000);

  const rulesBroken = (file: string) => [...(messages.get(join(project, 'src', `${file}.ts`)) ?? ['(not linted)'])];

  test.each(offences)('src/%s: %j breaks %s', (file, _, rule) => expect(rulesBroken(file)).toContain(rule));
  test('a file without its first lines breaks ours/file-header', () => {
    expect(rulesBroken('engine/headless')).toContain('ours/file-header');
  });
  test.each(sound)('src/%s is sound', (file) => expect(rulesBroken(file)).toEqual([]));
});
