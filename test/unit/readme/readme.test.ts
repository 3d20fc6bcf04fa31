// README.md tells the truth: its commands exist, its settings are all the program's settings, its examples work.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSchema, parse, validate } from 'graphql';
import { z } from 'zod';
import { ENVIRONMENT_SETTINGS, OTHER_VARIABLES } from '../../../src/ops/config/environment';
import { loadConfig } from '../../../src/ops/config/load-config';
import { settingsSchema } from '../../../src/ops/config/schema';

const ROOT = join(__dirname, '../../..');
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
const blocks = (language: string) =>
  [...readme.matchAll(new RegExp('```' + language + '\\n([\\s\\S]*?)```', 'g'))].map(([, text]) => text!);
const table = readme.split('\n').filter((line) => line.startsWith('| `'));

/** Paths of all settings, without a list's numbers. */
function settingPaths(schema: unknown, path: string[] = []): string[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject && path.at(-1) !== 'dataTypes') {
    return Object.entries(inner.shape).flatMap(([name, field]) => settingPaths(field, [...path, name]));
  }
  if (inner instanceof z.ZodArray) return [path.join('.'), ...settingPaths(inner.element, path)];
  return [path.join('.')];
}

function unwrap(schema: unknown): unknown {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) {
    return unwrap(schema.unwrap());
  }
  if (schema instanceof z.ZodPipe) return unwrap(schema.in instanceof z.ZodTransform ? schema.out : schema.in);
  return schema;
}

test('every npm command exists, and every command of the package is told', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const named = [...readme.matchAll(/npm (?:run )?([a-z:]+)/g)]
    .map(([, name]) => name!)
    .filter((name) => name !== 'ci');
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
  const parts = /^(pre.*|build.*|lint|typecheck)$/;
  expect(Object.keys(scripts).filter((name) => !parts.test(name) && !named.includes(name))).toEqual([]);
});

test('the settings table names every setting, and none that is not there', () => {
  const told = table.flatMap((line) =>
    [...line.split(' | ')[0]!.matchAll(/`([a-z]+(?:\.[A-Za-z]+)+|dataFolder|sources)`/g)].map(([, name]) => name!),
  );
  expect([...new Set(told)].sort()).toEqual([...new Set(settingPaths(settingsSchema('/')))].sort());
});

test('the table names every variable beside its setting', () => {
  for (const { name, path } of ENVIRONMENT_SETTINGS) {
    const setting = path.filter((part) => part !== 'default').join('.');
    expect(table.find((line) => line.includes(`\`${name}\``))).toContain(`\`${setting}\``);
  }
  const known = [...ENVIRONMENT_SETTINGS.map(({ name }) => name), ...OTHER_VARIABLES];
  const named = [...readme.matchAll(/RISKVAULT_[A-Z_]+[A-Z]/g)].map(([name]) => name);
  expect(named.filter((name) => !known.includes(name))).toEqual([]);
});

test('the settings of the example are accepted', () => {
  const folder = mkdtempSync(join(tmpdir(), 'riskvault-readme-'));
  const file = join(folder, 'riskvault.yaml');
  try {
    for (const text of blocks('yaml')) {
      writeFileSync(file, text);
      const { settings } = loadConfig({
        environment: { RISKVAULT_CONFIG: file, RISKVAULT_PASSPHRASE: 'a long passphrase' },
      });
      expect(settings.demo).toBe(false);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the GraphQL examples are valid, and so is every committed operation', () => {
  const schema = buildSchema(readFileSync(join(ROOT, 'schema/schema.graphql'), 'utf8'));
  const operations = readdirSync(join(ROOT, 'schema/operations')).map((name) =>
    readFileSync(join(ROOT, 'schema/operations', name), 'utf8'),
  );
  expect(operations.length).toBeGreaterThan(5);
  for (const text of [...blocks('graphql'), ...operations]) expect(validate(schema, parse(text))).toEqual([]);
});

test('whoever is told what is wrong is told what to do: the examples and operations select the hint', () => {
  const operations = readdirSync(join(ROOT, 'schema/operations')).map((name) =>
    readFileSync(join(ROOT, 'schema/operations', name), 'utf8'),
  );
  const selections = [...blocks('graphql'), ...operations].flatMap((text) => [
    ...text.matchAll(/(?:errors|on UserError) \{([^}]*)\}/g),
  ]);
  expect(selections.length).toBeGreaterThan(5);
  expect(
    selections.map(([, fields]) => fields).filter((fields) => !/hint|\.\.\.UserErrorFields/.test(fields!)),
  ).toEqual([]);
});

test('every file that it links to or names is there', () => {
  const linked = [...readme.matchAll(/\]\(([A-Za-z/-]+\.md)\)/g)].map(([, name]) => name!);
  expect(
    [...linked, 'schema/operations', 'schema/schema.graphql'].filter((name) => !existsSync(join(ROOT, name))),
  ).toEqual([]);
});
