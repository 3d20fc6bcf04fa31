/** The encoding sqlite-v1: what SQLite builds is what FORMAT.md says, for every storage class, and comes back bit by bit. */
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { ColumnStructure } from '../../../src/domain/table';
import { Database, type SqlValue } from '../../../src/sources/sqlite/database';
import { parameterOf, rowSql, sqliteCodec, withReals } from '../../../src/sources/sqlite/row-encoding';

const COLUMNS: ColumnStructure[] = ['a', 'b', 'c'].map((name) => ({ name, type: '', kind: 'DYNAMIC', nullable: true }));
const path = join(tmpdir(), `riskvault-encoding-${randomUUID()}.sqlite`);
let database: Database;

beforeAll(() => {
  database = Database.open(path, { create: true });
  database.exec('PRAGMA synchronous = OFF; CREATE TABLE t (a, b, c); CREATE TABLE u (a, b, c)');
});

afterAll(() => {
  database.close();
  rmSync(path, { force: true });
});

function readBack(table: string): Buffer {
  const sql = rowSql(COLUMNS, 't');
  const select = [sql.row, ...sql.reals.map((real) => real.sql)].join(', ');
  return withReals(database.rows(`SELECT ${select} FROM ${table} t`)[0] ?? [], sql, new Int32Array(9));
}

/** What FORMAT.md says, written down once more. */
type Value = { class: 'text' | 'blob'; bytes: Buffer } | bigint | number | null;

function expected(value: Value): Buffer {
  if (value === null) return Buffer.from([0]);
  const eight = Buffer.alloc(9);
  if (typeof value === 'bigint') {
    eight[0] = 1;
    eight.writeBigInt64BE(value, 1);
    return eight;
  }
  if (typeof value === 'number') {
    eight[0] = 2;
    eight.writeDoubleBE(value, 1);
    return eight;
  }
  const length: number[] = [];
  let rest = value.bytes.length;
  for (; rest >= 128; rest >>= 7) length.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([value.class === 'text' ? 3 : 4, ...length, rest]), value.bytes]);
}

function store(values: readonly Value[]): void {
  database.exec('DELETE FROM t');
  const places = values.map((value) => (isBytes(value) && value.class === 'text' ? 'CAST(? AS TEXT)' : '?'));
  database.run(
    `INSERT INTO t VALUES (${places.join(', ')})`,
    values.map((value) => (isBytes(value) ? value.bytes : value)),
  );
}

function isBytes(value: Value): value is { class: 'text' | 'blob'; bytes: Buffer } {
  return typeof value === 'object' && value !== null;
}

/** Writes the encoded row into another table, as a restore does. */
function restore(row: Buffer): void {
  const out = new Int32Array(9);
  expect(sqliteCodec.locate(row, 0, 3, out)).toBe(row.length);
  const bound = [0, 1, 2].map((i) => parameterOf(row, out[3 * i] as number, out[3 * i + 2] as number));
  database.exec('DELETE FROM u');
  const places = bound.map(({ castToText }) => (castToText ? 'CAST(? AS TEXT)' : '?'));
  database.run(
    `INSERT INTO u VALUES (${places.join(', ')})`,
    bound.map(({ value }): SqlValue => value),
  );
}

function expectRoundTrip(values: readonly Value[]): void {
  store(values);
  const row = readBack('t');
  expect(row.equals(Buffer.concat(values.map(expected)))).toBe(true);
  restore(row);
  expect(readBack('u').equals(row)).toBe(true);
}

const bytes = (size: number, fill = 0x61): Buffer => Buffer.alloc(size, fill);

test.each<[string, Value[]]>([
  ['nulls', [null, null, null]],
  ['integers at the ends', [-(2n ** 63n), 2n ** 63n - 1n, 0n]],
  ['reals', [-0, Number.MIN_VALUE, Number.MAX_VALUE]],
  ['infinities and whole reals', [Infinity, -Infinity, 3]],
  ['integers beside equal reals', [1n, 1, 0.1 + 0.2]],
  ['text with NUL, invalid UTF-8, a BOM', [text('a\0b'), raw([0xff, 0x00, 0x80]), text('\ufeffx')]],
  ['empty text and empty blob', [text(''), { class: 'blob', bytes: bytes(0) }, text('😀')]],
  ['lengths around 7 bits', [text('x'.repeat(127)), text('x'.repeat(128)), { class: 'blob', bytes: bytes(129) }]],
  [
    'lengths around 14 bits',
    [text('x'.repeat(16_383)), text('x'.repeat(16_384)), { class: 'blob', bytes: bytes(16_385) }],
  ],
  [
    'lengths around 21 bits',
    [{ class: 'blob', bytes: bytes(2_097_151) }, { class: 'blob', bytes: bytes(2_097_152) }, 1n],
  ],
])('%s', (_, values) => expectRoundTrip(values));

function text(value: string): Value {
  return { class: 'text', bytes: Buffer.from(value, 'utf8') };
}

function raw(values: number[]): Value {
  return { class: 'text', bytes: Buffer.from(values) };
}

test('any row', () => {
  const anyBytes = fc.uint8Array({ maxLength: 300 }).map((value) => Buffer.from(value));
  const value: fc.Arbitrary<Value> = fc.oneof(
    fc.constant(null),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.double({ noNaN: true }),
    anyBytes.map((content): Value => ({ class: 'blob', bytes: content })),
    anyBytes.map((content): Value => ({ class: 'text', bytes: content })),
    fc.string({ unit: 'grapheme' }).map((content) => text(content)),
  );
  fc.assert(fc.property(fc.tuple(value, value, value), expectRoundTrip), {
    seed: 7,
    numRuns: process.env.LONG === '1' ? 3000 : 150,
  });
});

test('bytes that are no row are refused', () => {
  for (const broken of [[5], [1, 0, 0], [3, 4, 0x61], [3], [3, 0xff, 0xff], []]) {
    expect(() => sqliteCodec.locate(Buffer.from(broken), 0, 1, new Int32Array(3))).toThrow(/sqlite-v1/);
  }
});

test('fields as text for people', () => {
  store([-5n, 2.5, { class: 'blob', bytes: Buffer.from([1, 255]) }]);
  const row = readBack('t');
  const out = new Int32Array(9);
  sqliteCodec.locate(row, 0, 3, out);
  const shown = [0, 1, 2].map((i) => sqliteCodec.valueText(row, out[3 * i] as number, out[3 * i + 2] as number));
  expect(shown).toEqual(['-5', '2.5', '0x01ff']);
  expect(sqliteCodec.encodeText('ü').equals(expected(text('ü')))).toBe(true);
});
