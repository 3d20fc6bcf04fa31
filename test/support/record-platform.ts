/** A platform whose records tests read out of backups: its tables, random rows and changes, and random filters beside the SQL that means the same. */
import type { SourceMapping } from '../../src/domain/mapping';
import type { JsonValue } from '../../src/domain/values';
import type { SeededRandom } from '../../src/sources/seeded-random';
import type { SourceContractFixture } from '../contract/source-contract';

export const RECORDS_MAPPING: SourceMapping = [
  { dataType: 'BUSINESSES', table: 'business', business: { kind: 'COLUMN', column: 'id' } },
  { dataType: 'ASSESSMENTS', table: 'item', business: { kind: 'COLUMN', column: 'business_id' } },
  {
    dataType: 'FACTORS',
    table: 'part',
    business: { kind: 'PATH', column: 'item_id', referencedTable: 'item', referencedColumn: 'id' },
  },
  { dataType: 'CONFIG', table: 'setting' },
  { dataType: 'TRENDS', table: 'odd' },
];

export const recordTables = ({ exact }: SourceContractFixture['types']): string[] => [
  `CREATE TABLE business (id ${exact} NOT NULL PRIMARY KEY)`,
  `CREATE TABLE item (id BIGINT NOT NULL PRIMARY KEY, business_id ${exact} NOT NULL, n INT NULL, amount DECIMAL(9,2) NULL, ratio DOUBLE NULL,
     note ${exact} NULL, day DATE NULL, data BLOB NULL, pad TEXT NULL)`,
  `CREATE TABLE part (item_id BIGINT NOT NULL, name ${exact} NOT NULL, n INT NULL, PRIMARY KEY (item_id, name))`,
  // How its keys sort is the source's business alone.
  `CREATE TABLE odd (k DOUBLE NOT NULL PRIMARY KEY, n INT NULL)`,
  `CREATE TABLE setting (name ${exact} NOT NULL PRIMARY KEY, n INT NULL)`,
];

export const BUSINESSES = 12;
export const ITEMS = 3_000;
const LETTERS = ['a', 'B', 'é', '😀', '0', '_', '\uffee'];
const DAYS = ['2024-02-29', '2025-12-31', '2026-01-01', '2026-11-25'];

/** A filter, and the condition in SQL that means the same. */
export interface Wanted {
  json: JsonValue;
  sql: string;
}

const OPERATORS = { eq: '=', ne: '<>', lt: '<', lte: '<=', gt: '>', gte: '>=' } as const;

export class Filters {
  constructor(
    private readonly random: SeededRandom,
    private readonly isSqlite: boolean,
  ) {}

  text(): string {
    return Array.from({ length: this.random.int(0, 3) }, () => this.random.pick(LETTERS)).join('');
  }

  any(depth = 0): Wanted {
    const kind = depth > 2 ? 0 : this.random.int(0, 6);
    if (kind === 4) return this.not(this.any(depth + 1));
    if (kind === 5 || kind === 6)
      return this.listed(kind === 5 ? 'and' : 'or', [this.any(depth + 1), this.any(depth + 1)]);
    return this.column();
  }

  private not({ json, sql }: Wanted): Wanted {
    return { json: { not: json }, sql: `NOT (${sql})` };
  }

  private listed(kind: 'and' | 'or', parts: Wanted[]): Wanted {
    const sql = parts.map((part) => `(${part.sql})`).join(kind === 'and' ? ' AND ' : ' OR ');
    return { json: { [kind]: parts.map(({ json }) => json) }, sql };
  }

  private column(): Wanted {
    const name = this.random.pick(['id', 'n', 'amount', 'ratio', 'note', 'day', 'data', 'business_id']);
    const kind = this.random.int(0, 4);
    if (kind === 0) {
      const isNull = this.random.chance(0.5);
      return { json: { [name]: { isNull } }, sql: `${name} IS ${isNull ? '' : 'NOT '}NULL` };
    }
    if (kind === 1) {
      const values = [this.value(name), this.value(name), this.value(name)];
      return {
        json: { [name]: { in: values.map(({ json }) => json) } },
        sql: `${name} IN (${values.map(({ sql }) => sql).join(', ')})`,
      };
    }
    if (kind === 2 && name === 'note') return this.partOfText();
    const comparator = this.random.pick(Object.keys(OPERATORS) as (keyof typeof OPERATORS)[]);
    const value = this.value(name);
    return { json: { [name]: { [comparator]: value.json } }, sql: `${name} ${OPERATORS[comparator]} ${value.sql}` };
  }

  private partOfText(): Wanted {
    const text = this.text();
    if (this.random.chance(0.5)) return { json: { note: { contains: text } }, sql: `INSTR(note, '${text}') > 0` };
    return { json: { note: { startsWith: text } }, sql: `SUBSTR(note, 1, ${[...text].length}) = '${text}'` };
  }

  private value(name: string): Wanted {
    const { random } = this;
    const thirds = random.int(-30, 30) / 3;
    switch (name) {
      case 'id':
        return number(random.int(0, ITEMS + 50));
      case 'n':
        return number(random.int(-5, 5));
      case 'amount':
        return number(Number(random.decimal(-9, 9, 1)));
      case 'ratio':
        return { json: thirds, sql: `${thirds}e0` };
      case 'note':
        return quoted(this.text());
      case 'day':
        return quoted(random.pick(DAYS));
      case 'business_id':
        return quoted(`b${random.int(0, BUSINESSES)}`);
    }
    const bytes = Buffer.from([random.int(0, 3), 255]);
    const base64 = bytes.toString('base64');
    return { json: this.isSqlite ? { base64 } : base64, sql: `X'${bytes.toString('hex')}'` };
  }
}

function number(value: number): Wanted {
  return { json: value, sql: String(value) };
}

function quoted(value: string): Wanted {
  return { json: value, sql: `'${value}'` };
}

export function recordRows(random: SeededRandom, filters: Filters): string[] {
  const item = (id: number): string => itemOf(id, random, filters);
  const all = Array.from({ length: ITEMS }, (_, i) => i + 1);
  const businesses = Array.from({ length: BUSINESSES }, (_, i) => `('b${i}')`);
  const parts = all.filter((id) => id % 5 === 0).flatMap((id) => [`(${id},'x',1)`, `(${id},'y',NULL)`]);
  return [
    `INSERT INTO business VALUES ${businesses.join(',')}`,
    `INSERT INTO item VALUES ${all.map(item).join(',')}`,
    `INSERT INTO part VALUES ${parts.join(',')}`,
    `INSERT INTO odd VALUES ${all
      .slice(0, 50)
      .map((i) => `(${i / 4}e0, ${i})`)
      .join(',')}`,
  ];
}

function itemOf(id: number, random: SeededRandom, filters: Filters): string {
  const orNull = (sql: string): string => (random.chance(0.15) ? 'NULL' : sql);
  const values = [
    orNull(String(random.int(-5, 5))),
    orNull(random.decimal(-9, 9, 1)),
    orNull(`${random.int(-30, 30) / 3}e0`),
    orNull(`'${filters.text()}'`),
    orNull(`'${random.pick(DAYS)}'`),
    orNull(`X'0${random.int(0, 3)}ff'`),
  ];
  return `(${id},'b${random.int(0, BUSINESSES - 1)}',${values.join(',')},'${String(id).padStart(6, '.').repeat(120)}')`;
}

/** Rows changed, deleted, moved to another business, and added in the middle and at the end. */
export function recordChanges(random: SeededRandom, filters: Filters, from: number): string[] {
  const some = Array.from({ length: 60 }, () => random.int(1, ITEMS));
  const added = Array.from({ length: 20 }, (_, i) => itemOf(from + i, random, filters));
  return [
    `UPDATE item SET n = 4, note = 'é' WHERE id IN (${some.slice(0, 20).join(',')})`,
    `UPDATE item SET business_id = 'b0' WHERE id IN (${some.slice(20, 30).join(',')})`,
    `DELETE FROM part WHERE item_id IN (${some.slice(30).join(',')})`,
    `DELETE FROM item WHERE id IN (${some.slice(30).join(',')})`,
    `INSERT INTO item VALUES ${added.join(',')}`,
    `INSERT INTO part VALUES (${from}, 'z', 2)`,
    `DELETE FROM odd WHERE n = ${from % 7}`,
    `UPDATE odd SET n = n + 100 WHERE n BETWEEN 10 AND 20`,
    `INSERT INTO odd VALUES (${from}.5e0, NULL)`,
  ];
}
