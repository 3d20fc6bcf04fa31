/** Business conditions: the shapes that a live database does not show. Their results are tested by the source contract. */
import type { Ownership, TableMapping } from '../../../src/domain/mapping';
import type { ForeignKey, TableStructure } from '../../../src/domain/table';
import { businessCondition } from '../../../src/sources/ownership-sql';

const quote = (name: string): string => `[${name}]`;

function structure(mapping: TableMapping, references: Record<string, string> = {}): TableStructure {
  const foreignKeys = Object.entries(references).map(([column, referencedTable]): ForeignKey => {
    return {
      name: column,
      columns: [column],
      referencedTable,
      referencedColumns: ['id'],
      onDelete: 'CASCADE',
      onUpdate: 'CASCADE',
    };
  });
  return {
    table: mapping.table,
    mapping,
    columns: [],
    generatedColumns: [],
    key: ['id'],
    keyIsPrimary: true,
    foreignKeys,
    indexes: [],
    triggers: [],
    createStatement: '',
    rowEncoding: 'x',
    estimatedRows: 0,
    estimatedBytes: 0,
  };
}

const by = (column: string): Ownership => ({ kind: 'COLUMN', column });
const via = (referencedTable: string): Ownership => ({
  kind: 'PATH',
  column: 'up',
  referencedTable,
  referencedColumn: 'id',
});
const parent = structure({ dataType: 'BUSINESSES', table: 'parent' });
const owned = structure({ dataType: 'ALERTS', table: 'owned', business: by('b') }, { p: 'parent' });
const below = structure({ dataType: 'FACTORS', table: 'below', business: via('owned') });
const apart = structure({ dataType: 'CONFIG', table: 'apart' });

function condition(table: TableStructure, tables: TableStructure[]): string | null {
  return businessCondition({ table, tables, quote, businessLiteral: "'7'" });
}

test('a column, a path, a parent, and nothing', () => {
  const tables = [parent, owned, below, apart];
  expect(condition(owned, tables)).toBe("[owned].[b] = '7'");
  expect(condition(below, tables)).toBe("[below].[up] IN (SELECT rv1.[id] FROM [owned] rv1 WHERE rv1.[b] = '7')");
  expect(condition(parent, tables)).toBe("([parent].[id] IN (SELECT rv1.[p] FROM [owned] rv1 WHERE rv1.[b] = '7'))");
  expect(condition(apart, tables)).toBeNull();
});

test('a path may lead through a mapped table that takes no part', () => {
  const options = { table: below, tables: [below], mapping: [owned.mapping, below.mapping] };
  expect(businessCondition({ ...options, quote, businessLiteral: "'7'" })).toContain('[owned] rv1');
});

test('parents that refer to each other in a circle are refused, with the way named', () => {
  const one = structure({ dataType: 'CONFIG', table: 'one' }, { x: 'two' });
  const two = structure({ dataType: 'CONFIG', table: 'two' }, { x: 'one' });
  const child = structure({ dataType: 'ALERTS', table: 'child', business: by('b') }, { p: 'one' });
  expect(() => condition(one, [one, two, child])).toThrow(/one -> two -> one/);
});
