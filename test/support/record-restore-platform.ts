/**
 * A platform whose single records tests restore: tables that refer to each other by keys of one and of several columns, to themselves, by text
 * that a collation compares, and to a table outside the mapping; and, in a few lines, what restoring records has to make of it.
 */
import type { SourceMapping } from '../../src/domain/mapping';
import type { RecordKey } from '../../src/domain/record-key';
import type { JsonRow } from '../../src/domain/values';
import type { SeededRandom } from '../../src/sources/seeded-random';
import type { SourceContractFixture } from '../contract/source-contract';

export const RECORD_RESTORE_MAPPING: SourceMapping = [
  { dataType: 'BUSINESSES', table: 'tenant' },
  { dataType: 'BUSINESSES', table: 'business', business: { kind: 'COLUMN', column: 'id' } },
  { dataType: 'ASSESSMENTS', table: 'assessment', business: { kind: 'COLUMN', column: 'business_id' } },
  {
    dataType: 'FACTORS',
    table: 'factor',
    business: { kind: 'PATH', column: 'assessment_id', referencedTable: 'assessment', referencedColumn: 'id' },
  },
  { dataType: 'FACTORS', table: 'remark' },
  { dataType: 'CONFIG', table: 'config' },
  { dataType: 'ALERTS', table: 'note' },
];

/** Beside the mapping: one that others refer to, one that refers to others, one that does neither. */
export const OUTSIDE = ['place', 'visit', 'bystander'];
export const MAPPED = RECORD_RESTORE_MAPPING.map(({ table }) => table);

export const recordRestoreTables = ({ exact, caseless }: SourceContractFixture['types']): string[] => [
  `CREATE TABLE place (id BIGINT NOT NULL PRIMARY KEY, name ${exact} NULL)`,
  `CREATE TABLE tenant (id ${exact} NOT NULL PRIMARY KEY, slug ${exact} NOT NULL UNIQUE)`,
  `CREATE TABLE business (id ${exact} NOT NULL PRIMARY KEY, tenant_id ${exact} NOT NULL, name ${exact} NULL,
     FOREIGN KEY (tenant_id) REFERENCES tenant (id))`,
  `CREATE TABLE assessment (id ${exact} NOT NULL PRIMARY KEY, business_id ${exact} NOT NULL, score DECIMAL(7,4) NULL,
     FOREIGN KEY (business_id) REFERENCES business (id))`,
  `CREATE TABLE factor (assessment_id ${exact} NOT NULL, number BIGINT NOT NULL, note TEXT NULL, PRIMARY KEY (assessment_id, number),
     FOREIGN KEY (assessment_id) REFERENCES assessment (id))`,
  `CREATE TABLE remark (id BIGINT NOT NULL PRIMARY KEY, assessment_id ${exact} NULL, number BIGINT NULL, slug ${exact} NULL, text ${exact} NULL,
     FOREIGN KEY (assessment_id, number) REFERENCES factor (assessment_id, number), FOREIGN KEY (slug) REFERENCES tenant (slug))`,
  `CREATE TABLE config (code ${caseless} NOT NULL PRIMARY KEY, value ${exact} NULL, rank_no BIGINT NULL UNIQUE)`,
  `CREATE TABLE note (id BIGINT NOT NULL PRIMARY KEY, code ${caseless} NULL, parent_id BIGINT NULL, place_id BIGINT NULL, text ${exact} NULL,
     FOREIGN KEY (code) REFERENCES config (code), FOREIGN KEY (parent_id) REFERENCES note (id), FOREIGN KEY (place_id) REFERENCES place (id))`,
  `CREATE TABLE visit (id BIGINT NOT NULL PRIMARY KEY, business_id ${exact} NULL, FOREIGN KEY (business_id) REFERENCES business (id))`,
  `CREATE TABLE bystander (id BIGINT NOT NULL PRIMARY KEY, name ${exact} NULL)`,
];

export const CHILDREN_FIRST = ['visit', 'note', 'config', 'remark', 'factor', 'assessment', 'business', 'tenant'];

/** Businesses b0 to b11 of tenants t0 to t3; assessments a<b>-0 and a<b>-1, factors 0 to 2 of each. */
export function recordRestoreRows(): string[] {
  const rows: Record<string, string[]> = {};
  const add = (table: string, row: string): void => void (rows[table] ??= []).push(`(${row})`);
  for (let p = 0; p < 3; p++) add('place', `${p},'place ${p}'`);
  for (let t = 0; t < 4; t++) add('tenant', `'t${t}','slug-${t}'`);
  for (let c = 0; c < 6; c++) add('config', `'code${c}','value ${c}',${c}`);
  for (let b = 0; b < 12; b++) {
    add('business', `'b${b}','t${b % 4}',${b % 5 ? `'Société ${b} 🚀'` : 'NULL'}`);
    for (const a of [0, 1]) {
      add('assessment', `'a${b}-${a}','b${b}',${b}.25`);
      for (let f = 0; f < 3; f++) add('factor', `'a${b}-${a}',${f},'${String(b).repeat(50)}'`);
      add('remark', `${2 * b + a},'a${b}-${a}',${b % 3},'slug-${b % 4}','remark'`);
    }
    add('note', `${b},'code${b % 6}',${b === 0 ? 'NULL' : b - 1},${b % 3},'note ${b}'`);
  }
  add('remark', `900,NULL,1,NULL,'of no factor'`);
  add('bystander', `1,'x'`);
  return Object.entries(rows).map(([table, values]) => `INSERT INTO ${table} VALUES ${values.join(',')}`);
}

export type Row = (string | null)[];
export type State = Record<string, Row[]>;

interface Table {
  name: string;
  columns: string[];
  /** The first columns. */
  keyLength: number;
  isNumber: readonly string[];
  /** `to`: absent for the key. */
  refersTo: { columns: string[]; table: string; to?: string[] }[];
}

const NUMBERS = ['number', 'parent_id', 'place_id', 'rank_no'];
const table = (name: string, columns: string[], more: Partial<Table> = {}): Table => ({
  name, columns, keyLength: 1, refersTo: [], isNumber: ['remark', 'note'].includes(name) ? ['id', ...NUMBERS] : NUMBERS, ...more,
}); // prettier-ignore

export const TABLES: Table[] = [
  table('tenant', ['id', 'slug']),
  table('business', ['id', 'tenant_id', 'name'], { refersTo: [{ columns: ['tenant_id'], table: 'tenant' }] }),
  table('assessment', ['id', 'business_id', 'score'], { refersTo: [{ columns: ['business_id'], table: 'business' }] }),
  table('factor', ['assessment_id', 'number', 'note'], {
    keyLength: 2,
    refersTo: [{ columns: ['assessment_id'], table: 'assessment' }],
  }),
  table('remark', ['id', 'assessment_id', 'number', 'slug', 'text'], {
    refersTo: [
      { columns: ['assessment_id', 'number'], table: 'factor' },
      { columns: ['slug'], table: 'tenant', to: ['slug'] },
    ],
  }),
  table('config', ['code', 'value', 'rank_no']),
  table('note', ['id', 'code', 'parent_id', 'place_id', 'text'], {
    refersTo: [
      { columns: ['code'], table: 'config' },
      { columns: ['parent_id'], table: 'note' },
    ],
  }),
];

const tableNamed = (name: string): Table => TABLES.find((found) => found.name === name) as Table;
const keyColumns = (name: string): string[] => tableNamed(name).columns.slice(0, tableNamed(name).keyLength);
const valueOf = (name: string, row: Row, columns: string[]): string =>
  JSON.stringify(columns.map((column) => row[tableNamed(name).columns.indexOf(column)])).toLowerCase();
const keyOf = (name: string, row: Row): string => valueOf(name, row, keyColumns(name));

/** How a caller names the row. */
export function recordKey(name: string, row: Row): RecordKey {
  const { isNumber } = tableNamed(name);
  const { dataType } = RECORD_RESTORE_MAPPING.find((mapped) => mapped.table === name)!;
  const entries = keyColumns(name).map((column, i) => [column, isNumber.includes(column) ? Number(row[i]) : row[i]]);
  return { dataType, table: name, key: Object.fromEntries(entries) as JsonRow };
}

/** What restoring these rows of the stored state has to make of the live one. */
export function withRecords(live: State, stored: State, wanted: readonly { table: string; row: Row }[]): State {
  const result = Object.fromEntries(Object.entries(live).map(([name, rows]) => [name, [...rows]]));
  const find = (state: State, name: string, columns: string[], value: string): Row | undefined =>
    state[name]!.find((row) => valueOf(name, row, columns) === value);
  const open = [...wanted];
  const put = ({ table: name, row }: { table: string; row: Row }): void => {
    result[name] = [...result[name]!.filter((other) => keyOf(name, other) !== keyOf(name, row)), row];
    for (const { columns, table: parent, to = keyColumns(parent) } of tableNamed(name).refersTo) {
      const value = valueOf(name, row, columns);
      if (value.includes('null') || find(live, parent, to, value)) continue;
      open.push({ table: parent, row: find(stored, parent, to, value) as Row });
    }
  };
  const done = new Set<string>();
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    const id = `${next.table} ${keyOf(next.table, next.row)}`;
    if (!done.has(id)) put(next);
    done.add(id);
  }
  return sorted(result);
}

export function sorted(state: State): State {
  const text = (row: Row): string => JSON.stringify(row);
  return Object.fromEntries(
    Object.entries(state).map(([name, rows]) => [name, [...rows].sort((a, b) => (text(a) < text(b) ? -1 : 1))]),
  );
}

/** Statements that harm the platform, and break no foreign key. */
export function harm(random: SeededRandom): string[] {
  const [b, t, n] = [random.int(0, 11), random.int(0, 3), random.int(0, 5)];
  const below = (where: string): string[] => [
    `DELETE FROM remark WHERE assessment_id IN (SELECT id FROM assessment WHERE ${where})`,
    `DELETE FROM factor WHERE assessment_id IN (SELECT id FROM assessment WHERE ${where})`,
    `DELETE FROM assessment WHERE ${where}`,
  ];
  const ofTenant = `business_id IN (SELECT id FROM business WHERE tenant_id = 't${t}')`;
  return random.pick([
    [
      `UPDATE remark SET slug = NULL WHERE slug = 'slug-${t}'`,
      ...below(ofTenant),
      `DELETE FROM business WHERE tenant_id = 't${t}'`,
      `DELETE FROM tenant WHERE id = 't${t}'`,
    ],
    [...below(`business_id = 'b${b}'`), `DELETE FROM business WHERE id = 'b${b}'`],
    below(`id = 'a${b}-1'`),
    [`DELETE FROM remark WHERE number = ${n % 3}`, `DELETE FROM factor WHERE number = ${n % 3}`],
    [`UPDATE factor SET note = 'harm ${b}' WHERE number = ${n % 3}`],
    [`UPDATE business SET name = 'harm ${n}' WHERE tenant_id = 't${t}'`],
    [`UPDATE assessment SET business_id = (SELECT MIN(id) FROM business), score = NULL WHERE id = 'a${b}-0'`],
    [`UPDATE note SET code = NULL WHERE code = 'code${n}'`, `DELETE FROM config WHERE code = 'code${n}'`],
    [
      `UPDATE note SET code = NULL WHERE code = 'code${n}'`,
      `UPDATE config SET code = 'CODE${n}' WHERE code = 'code${n}'`,
    ],
    [`UPDATE note SET parent_id = NULL WHERE parent_id >= ${b}`, `DELETE FROM note WHERE id >= ${b}`],
    [`UPDATE config SET rank_no = rank_no + ${100 + 100 * n}`],
  ]);
}
