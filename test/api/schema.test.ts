/** The schema: no drift from the committed SDL, nothing broken, and the contract is either there or said to be missing. */
import { buildSchema, findBreakingChanges, Kind, parse, type DocumentNode, type TypeDefinitionNode } from 'graphql';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { validate } from 'graphql';
import { emitSchema } from '../../src/api/emit-schema';
import { buildApiSchema } from '../../src/api/schema';

const FOLDER = join(__dirname, '../../schema');
const read = (name: string) => readFileSync(join(FOLDER, name), 'utf8');
const schema = buildApiSchema();

test('the committed SDL is what the code says: run `npm run schema` and `npm run codegen`', () => {
  expect(read('schema.graphql')).toBe(emitSchema());
});

test('nothing that the committed SDL promises is broken', () => {
  expect(findBreakingChanges(buildSchema(read('schema.graphql')), buildSchema(emitSchema()))).toEqual([]);
});

test('every committed operation is valid', () => {
  const folder = join(FOLDER, 'operations');
  for (const name of readdirSync(folder)) {
    expect([name, validate(schema, parse(readFileSync(join(folder, name), 'utf8')))]).toEqual([name, []]);
  }
});

test('exactly one target: the input type is a OneOf', () => {
  expect(schema.getType('RestoreTargetInput')).toMatchObject({ isOneOf: true });
});

describe('the contract', () => {
  const promised = coordinatesOf(parse(read('contract.graphql')));
  const emitted = coordinatesOf(parse(emitSchema()));
  const notYet = new Set(
    [...read('README.md').matchAll(/`([A-Z]\w+(?:\.\w+(?:\(\w+\))?)?)`/g)].map(([, name]) => name!),
  );
  const isNotYet = (coordinate: string) =>
    [coordinate, coordinate.replace(/\(.*/, ''), coordinate.split('.')[0]!].some((name) => notYet.has(name));

  test('is there with the same types, or README.md says that it is not yet', () => {
    const differing = [...promised].filter(([name, type]) => emitted.get(name) !== type && !isNotYet(name));
    expect(differing).toEqual([]);
  });

  test('what README.md calls missing is missing', () => {
    expect([...notYet].filter((name) => emitted.has(name))).toEqual([]);
  });
});

/** `Type`, `Type.field`, `Type.field(argument)` and `Enum.VALUE`, each with its type in SDL. */
function coordinatesOf(document: DocumentNode): Map<string, string> {
  const found = new Map<string, string>();
  for (const definition of document.definitions) {
    if (!('name' in definition) || !definition.name) continue;
    const type = definition as TypeDefinitionNode;
    found.set(type.name.value, type.kind);
    if (type.kind === Kind.ENUM_TYPE_DEFINITION) {
      for (const value of type.values ?? []) found.set(`${type.name.value}.${value.name.value}`, 'value');
    }
    if (!('fields' in type)) continue;
    for (const field of type.fields ?? []) {
      found.set(`${type.name.value}.${field.name.value}`, typeText(field.type));
      if (!('arguments' in field)) continue;
      for (const argument of field.arguments ?? []) {
        found.set(`${type.name.value}.${field.name.value}(${argument.name.value})`, typeText(argument.type));
      }
    }
  }
  return found;
}

function typeText(type: {
  loc?: { startToken: { start: number }; source: { body: string }; start: number; end: number };
}) {
  return type.loc!.source.body.slice(type.loc!.start, type.loc!.end).replace(/\s+/g, '');
}
