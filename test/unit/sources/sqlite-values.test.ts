/** What a row's fields of a SQLite backup are as JSON, and how a caller's JSON compares with them, against SQLite's own comparing. */
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { ColumnStructure } from '../../../src/domain/table';
import type { ColumnValues, JsonValue } from '../../../src/domain/values';
import { parseExactJson } from '../../../src/sources/json-text';
import { Database, type SqlValue } from '../../../src/sources/sqlite/database';
import { rowSql, sqliteCodec, withReals } from '../../../src/sources/sqlite/row-encoding';

const TYPES = ['', 'INTEGER', 'REAL', 'DECIMAL(9,2)', 'VARCHAR(40)', 'BLOB'];
const COLUMNS: ColumnStructure[] = TYPES.map((type, i) => ({ name: `c${i}`, type, kind: 'DYNAMIC', nullable: true }));
const CREATE = `CREATE TABLE t (${COLUMNS.map(({ name, type }) => `${name} ${type}`).join(', ')})`;
const path = join(tmpdir(), `riskvault-values-${randomUUID()}.sqlite`);
let database: Database;

beforeAll(() => {
  database = Database.open(path, { create: true });
  database.exec(`PRAGMA synchronous = OFF; ${CREATE}`);
});

afterAll(() => {
  database.close();
  rmSync(path, { force: true });
});

const value = fc.oneof<fc.Arbitrary<SqlValue>[]>(
  fc.constantFrom<SqlValue>(
    0,
    1.5,
    -1.5,
    2n ** 53n,
    2n ** 53n + 1n,
    -(2n ** 63n),
    1e300,
    Infinity,
    -Infinity,
    '',
    'a',
    'é',
    '😀',
    '\uffee',
    '12',
    '1.50',
    'a\0b',
  ),
  fc.bigInt({ min: -9n, max: 9n }),
  fc.double({ noNaN: true }),
  fc.string({ maxLength: 3 }),
  fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes)),
);

/** Both rows as they are stored, one after the other. */
function store(rows: SqlValue[][]): { row: Buffer; fields: Int32Array }[] {
  database.exec('DELETE FROM t');
  for (const values of rows) database.run(`INSERT INTO t VALUES (${values.map(() => '?').join(', ')})`, values);
  const sql = rowSql(COLUMNS, 't');
  const select = [sql.row, ...sql.reals.map((real) => real.sql)].join(', ');
  return database.rows(`SELECT ${select} FROM t ORDER BY rowid`).map((found) => {
    const fields = new Int32Array(3 * COLUMNS.length);
    const row = withReals(found, sql, fields);
    sqliteCodec.locate(row, 0, COLUMNS.length, fields);
    return { row, fields };
  });
}

const values = (createStatement = CREATE): ColumnValues[] => sqliteCodec.values({ columns: COLUMNS, createStatement });

it('compares every value with what it shows of another as SQLite compares the two', () => {
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 6, maxLength: 6 }),
      fc.array(value, { minLength: 6, maxLength: 6 }),
      (left, right) => {
        const [a, b] = store([left, right]);
        const order = COLUMNS.map(({ name }) => `(a.${name} > b.${name}) - (a.${name} < b.${name})`);
        const [expected] = database.rows(`SELECT ${order.join(', ')} FROM t a JOIN t b ON a.rowid < b.rowid`);
        for (const [i, reader] of values().entries()) {
          const shown = reader.toJson(b!.row, b!.fields, 3 * i);
          const [same, other] = [b!, a!].map(({ row, fields }) =>
            Math.sign(reader.comparing(JSON.parse(JSON.stringify(shown)) as JsonValue)(row, fields, 3 * i)),
          );
          // Digits in a column that keeps text as text may be an integer beyond 2^53: only there are the two not told apart.
          if (typeof shown === 'string' && /^-?\d{16,}$/.test(shown) && !/INT|REAL|DEC/.test(TYPES[i]!)) continue;
          expect([i, shown, same, other]).toEqual([i, shown, 0, Number(expected![i])]);
        }
      },
    ),
    { seed: 11, numRuns: 300 },
  );
});

it('finds the stored bytes again by what it shows, or says that it can not', () => {
  fc.assert(
    fc.property(fc.array(value, { minLength: 6, maxLength: 6 }), (row) => {
      const [stored] = store([row]);
      for (const [i, reader] of values().entries()) {
        const shown = reader.toJson(stored!.row, stored!.fields, 3 * i);
        const isReal = stored!.row[stored!.fields[3 * i] as number] === 2;
        const encoded = reader.encode(shown);
        if (encoded === null || isReal || (typeof shown === 'string' && /^-?\d{16,}$/.test(shown))) continue;
        expect(encoded).toEqual(stored!.row.subarray(stored!.fields[3 * i], stored!.fields[3 * i + 2]));
      }
    }),
    { seed: 12, numRuns: 200 },
  );
});

it('shows each storage class so that it is told from the others', () => {
  const [stored] = store([[2n ** 53n + 1n, 7n, 7, 1.25, 'text', Buffer.from([0xff])]]);
  const shown = values().map((reader, i) => reader.toJson(stored!.row, stored!.fields, 3 * i));
  expect(shown).toEqual(['9007199254740993', 7, 7, 1.25, 'text', { base64: '/w==' }]);
});

it('shows text in a column that the table checks for JSON as its value', () => {
  const [stored] = store([['{"a": [1.5, null]}', null, null, null, '{"a": 1.0000000000000000001}', null]]);
  const readers = values('CREATE TABLE t (c0 CHECK (json_valid(c0)), c4 TEXT CHECK(json_valid("c4")))');
  const shown = [0, 4].map((i) => readers[i]!.toJson(stored!.row, stored!.fields, 3 * i));
  expect(shown).toEqual([{ a: [1.5, null] }, '{"a": 1.0000000000000000001}']);
  expect(readers[0]!.comparing({ a: [1.5, null] })(stored!.row, stored!.fields, 0)).toBe(0);
  expect(readers[0]!.comparing({ a: [1.5] })(stored!.row, stored!.fields, 0)).not.toBe(0);
});

it.each<[string, JsonValue]>([
  ['{"a": 1, "b": [true, null, "x\\"y: 1e999"]}', { a: 1, b: [true, null, 'x"y: 1e999'] }],
  ['1.50', 1.5],
  ['1e2', 100],
  ['"text"', 'text'],
  ['{"__proto__": 1}', JSON.parse('{"__proto__": 1}') as JsonValue],
  ['{"a": {"a": 1}, "b" : {"a": 2}}', { a: { a: 1 }, b: { a: 2 } }],
])('parses the JSON %s', (text, expected) => {
  expect(parseExactJson(text)).toEqual(expected);
});

it.each([
  '9007199254740993',
  '0.1234567890123456789',
  '1e400',
  '-0',
  '{"a": 1, "a": 2}',
  '{"a":1,"\\u0061":1}',
  'null',
  'no JSON',
  '',
])('keeps as text what parsing would change: %s', (text) => {
  expect(parseExactJson(text)).toBeNull();
});

it.each<[number, JsonValue]>([
  [1, 9007199254740992],
  [1, true],
  [0, null],
  [0, ['a']],
  [0, { base64: 'no base64' }],
  [0, { base64: 'AA==', more: 1 }],
])('refuses for column %i what none of its values can be: %j', (column, operand) => {
  expect(() => values()[column]!.comparing(operand)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
});
