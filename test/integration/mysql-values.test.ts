/** What a row's fields are as JSON, and how a caller's JSON compares with them, against what the server itself says of the same values. */
import type { TableStructure } from '../../src/domain/table';
import type { ColumnValues, JsonValue } from '../../src/domain/values';
import { mysqlCodec } from '../../src/sources/mysql/row-encoding';
import { createSeededRandom, type SeededRandom } from '../../src/sources/seeded-random';
import { stopMariadb } from '../support/mariadb';
import { describeMariadb } from '../support/mysql-source';
import { MysqlStand } from '../support/mysql-stand';
import { readTable, tableNamed, withRead } from '../support/source-rows';

const ROWS = 24;
const LETTERS = ['a', 'B', 'z', ' ', '0', '-', '~', 'é', 'ÿ', '€'];
const WIDE = [...LETTERS, 'Ω', 'ж', '中', '\uffee', '😀', '𝄞'];

type Made = (random: SeededRandom) => string;
/** How the server shows a column so that its text is what `toJson` should give, and so that it compares as documented. */
interface Expectation {
  sql: (column: string) => string;
  order: (column: string) => string;
  json: (text: string) => JsonValue;
}

const plain = (column: string): string => `CAST(${column} AS CHAR)`;
const utf8 = (column: string): string => `CONVERT(${column} USING utf8mb4)`;
const bytes = (column: string): string => `CAST(${utf8(column)} AS BINARY)`;
const itself = (column: string): string => column;

const INTEGERS: Expectation = {
  sql: plain,
  order: itself,
  json: (text) => (Number.isSafeInteger(Number(text)) ? Number(text) : String(BigInt(text))),
};
const NUMBERS: Expectation = { sql: (column) => `CAST(${column} AS DOUBLE)`, order: itself, json: Number };
const FLOATS: Expectation = { ...NUMBERS, json: (text) => Math.fround(Number(text)) };
const AS_PRINTED: Expectation = { sql: plain, order: itself, json: (text) => text };
const TEXTS: Expectation = { sql: utf8, order: bytes, json: (text) => text };
const BASE64: Expectation = {
  sql: (column) => `REPLACE(TO_BASE64(${column}), '\\n', '')`,
  order: (column) => `CAST(${column} AS BINARY)`,
  json: (text) => text,
};

const text =
  (letters: readonly string[]): Made =>
  (random) =>
    quoted(Array.from({ length: random.int(0, 4) }, () => random.pick(letters)).join(''));
const whole =
  (low: number, high: number): Made =>
  (random) =>
    String(random.int(low, high));
const blob: Made = (random) => `X'${random.bytes(random.int(0, 6)).toString('hex')}'`;
const two = (random: SeededRandom, low: number, high: number): string => String(random.int(low, high)).padStart(2, '0');
const date: Made = (random) =>
  `'${random.pick(['1000', '1999', '2024', '2026', '9999'])}-${two(random, 1, 12)}-${two(random, 1, 28)}'`;
const moment = (random: SeededRandom): string =>
  `${random.pick(['1971', '2024', '2026', '2037'])}-${two(random, 1, 2)}-${two(random, 1, 28)} ${two(random, 0, 23)}:${two(random, 0, 59)}:${two(random, 0, 59)}.${random.pick(['0', '5', '123456', '999999'])}`;

const TYPES: [type: string, edges: string[], made: Made, expected: Expectation][] = [
  ['TINYINT UNSIGNED ZEROFILL', ['0', '7', '255'], whole(0, 255), INTEGERS],
  ['INT', ['-2147483648', '2147483647'], whole(-20, 20), INTEGERS],
  [
    'BIGINT',
    ['-9223372036854775808', '9223372036854775807', '9007199254740993', '9007199254740992', '9007199254740991'],
    whole(-9e9, 9e9),
    INTEGERS,
  ],
  ['BIGINT UNSIGNED', ['18446744073709551615', '18446744073709551614'], whole(0, 9), INTEGERS],
  [
    'DECIMAL(65,30)',
    ['-99999999999999999999999999999999999.999999999999999999999999999999', '0.000000000000000000000000000001', '-0.5'],
    (random) => random.decimal(-9, 9, 3),
    AS_PRINTED,
  ],
  ['DECIMAL(7,4)', ['0', '-999.9999', '999.9999'], (random) => random.decimal(-9, 9, 4), AS_PRINTED],
  ['DECIMAL(6,2) ZEROFILL', ['0', '7.5'], (random) => random.decimal(0, 9, 2), AS_PRINTED],
  ['DECIMAL(20,0)', ['99999999999999999999', '-1'], whole(-9, 9), AS_PRINTED],
  ['FLOAT', ['1e-45', '3.4028234e38', '0.1', '16777217', '-123456.789'], (random) => random.decimal(-9, 9, 3), FLOATS],
  ['DOUBLE', ['5e-324', '1.7976931348623157e308', '0.1', '1e16'], (random) => random.decimal(-9, 9, 5), NUMBERS],
  ['DATE', ["'0000-00-00'", "'9999-12-31'", "'2024-02-30'", "'2024-00-15'"], date, AS_PRINTED],
  ['TIME', ["'-838:59:59'", "'838:59:59'", "'-00:00:01'"], (random) => `'${random.int(-99, 99)}:00:00'`, AS_PRINTED],
  ['TIME(6)', ["'-838:59:59.999999'", "'00:00:00.000001'"], (random) => `'-00:00:0${random.int(0, 9)}.5'`, AS_PRINTED],
  [
    'DATETIME',
    ["'0000-00-00 00:00:00'", "'9999-12-31 23:59:59'"],
    (random) => `'${moment(random).slice(0, 19)}'`,
    AS_PRINTED,
  ],
  ['DATETIME(3)', ["'2024-03-31 02:30:00.123'"], (random) => `'${moment(random).slice(0, 22)}'`, AS_PRINTED],
  ['TIMESTAMP(6) NULL', ["'1970-01-01 00:00:01.000001'"], (random) => `'${moment(random)}'`, AS_PRINTED],
  ['YEAR', ["'0000'", "'1901'", "'2155'"], whole(1990, 2030), { ...INTEGERS, json: Number }],
  ['CHAR(10) CHARACTER SET latin1', ["''", "_latin1 X'80819D9F'"], text(LETTERS), TEXTS],
  ['VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci', ["'é'", "'e\u0301'", "'a\\0b'"], text(WIDE), TEXTS],
  ['VARCHAR(20) CHARACTER SET utf8mb3', ["'€'"], text(WIDE.slice(0, -2)), TEXTS],
  ['VARCHAR(20) CHARACTER SET utf16', ["_utf16 X'D83DDE00'", "_utf16 X'FEFF0041'"], text(WIDE), TEXTS],
  ['VARCHAR(20) CHARACTER SET utf32', ["_utf32 X'0001F600'"], text(WIDE), TEXTS],
  ['VARCHAR(20) CHARACTER SET ucs2', ["_ucs2 X'0041'"], text(WIDE.slice(0, -2)), TEXTS],
  ...['latin2', 'latin7', 'cp1250', 'cp1251', 'cp1257', 'koi8r'].map(
    (charset): [string, string[], Made, Expectation] => [
      `VARCHAR(20) CHARACTER SET ${charset}`,
      [],
      // What the server itself has no letter for in the set is another test's.
      (random) =>
        `_${charset} X'${Buffer.from([random.int(0xc0, 0xff), random.int(0x20, 0x7e), random.int(0xc0, 0xff)]).toString('hex')}'`,
      TEXTS,
    ],
  ),
  ['VARCHAR(20) CHARACTER SET ascii', [], text(LETTERS.slice(0, 7)), TEXTS],
  ["ENUM('b','a','it''s','ü')", ["'a'", "''"], (random) => random.pick(["'b'", "'ü'"]), TEXTS],
  ["SET('y','x','ü')", ["''", "'x,y'"], (random) => random.pick(["'y'", "'ü'"]), TEXTS],
  ['LONGTEXT CHARACTER SET utf8mb4', ["REPEAT('ab', 70000)"], text(WIDE), TEXTS],
  [
    'BIT(10)',
    ["b'1000000001'", "b'0'"],
    whole(0, 1023),
    { ...BASE64, sql: (column) => `TO_BASE64(CAST(${column} AS BINARY(2)))` },
  ],
  ['VARBINARY(300)', ["X''", "X'00'", "REPEAT(X'09', 251)"], blob, BASE64],
  ['BLOB', ["REPEAT(X'00FF', 300)"], blob, BASE64],
  ['POINT', ["ST_GeomFromText('POINT(1 -2.5)', 4326)"], (random) => `POINT(${random.int(0, 9)}, 1)`, BASE64],
];

function textOf(value: unknown): string {
  return Buffer.isBuffer(value) ? value.toString() : String(value);
}

function quoted(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

/** The fields of a column, one a row, with what shows them. */
class Shown {
  private readonly fields: Int32Array;

  constructor(
    private readonly table: TableStructure,
    readonly rows: readonly Buffer[],
    private readonly column: number,
  ) {
    this.fields = new Int32Array(3 * table.columns.length);
  }

  get values(): ColumnValues {
    return mysqlCodec.values(this.table)[this.column] as ColumnValues;
  }

  json(row: number): JsonValue {
    return this.values.toJson(this.rows[row] as Buffer, this.locate(row), 3 * this.column);
  }

  compare(row: number, operand: JsonValue): number {
    return Math.sign(this.values.comparing(operand)(this.rows[row] as Buffer, this.locate(row), 3 * this.column));
  }

  field(row: number): Buffer {
    const fields = this.locate(row);
    return (this.rows[row] as Buffer).subarray(fields[3 * this.column], fields[3 * this.column + 2]);
  }

  private locate(row: number): Int32Array {
    mysqlCodec.locate(this.rows[row] as Buffer, 0, this.table.columns.length, this.fields);
    return this.fields;
  }
}

describeMariadb('values of a backup of MariaDB or MySQL', () => {
  let stand: MysqlStand;
  let table: TableStructure;
  let rows: Buffer[];

  beforeAll(async () => {
    const random = createSeededRandom(7);
    const columns = TYPES.map(([type], i) => `c${i} ${type}${/NULL$/.test(type) ? '' : ' NULL'}`);
    stand = await MysqlStand.open([`CREATE TABLE every (id INT PRIMARY KEY, ${columns.join(', ')})`], ['every']);
    await stand.exec("SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00', NAMES utf8mb4");
    for (let row = 0; row < ROWS; row++) {
      const values = TYPES.map(([, edges, made]) => (row === ROWS - 1 ? 'NULL' : (edges[row] ?? made(random))));
      await stand.exec(`INSERT INTO every VALUES (${row}, ${values.join(', ')})`);
    }
    [table, rows] = await withRead(stand.source, async (read) => [
      tableNamed(read, 'every'),
      await readTable(read, 'every'),
    ]);
  });
  afterAll(async () => {
    await stand.close();
    await stopMariadb();
  });

  it.each(TYPES.map(([type], i) => [type, i] as const))('shows %s as the server does', async (_, i) => {
    const { sql, json } = TYPES[i]![3];
    const shown = new Shown(table, rows, i + 1);
    const expected = await stand.rows(`SELECT ${sql(`c${i}`)} FROM every ORDER BY id`);
    for (const [row, [value]] of expected.entries()) {
      const found = shown.json(row);
      const same = TYPES[i]![3] === FLOATS && found !== null ? Math.fround(found as number) : found;
      expect(same).toEqual(value === null ? null : json(textOf(value)));
    }
  });

  it.each(TYPES.map(([type], i) => [type, i] as const))(
    'compares %s with what it shows, as the server compares both',
    async (_, i) => {
      const { order } = TYPES[i]![3];
      const shown = new Shown(table, rows, i + 1);
      const [left, right] = [order(`a.c${i}`), order(`b.c${i}`)];
      const pairs = await stand.rows(
        `SELECT a.id, b.id, (${left} > ${right}) - (${left} < ${right}) FROM every a JOIN every b ON a.c${i} IS NOT NULL AND b.c${i} IS NOT NULL`,
      );
      for (const [a, b, expected] of pairs) {
        expect([a, b, shown.compare(Number(a), shown.json(Number(b)))]).toEqual([a, b, Number(expected)]);
      }
    },
  );

  it.each(TYPES.map(([type], i) => [type, i] as const))(
    'finds the stored bytes of %s again by what it shows, or says that it can not',
    (_, i) => {
      const shown = new Shown(table, rows, i + 1);
      for (let row = 0; row < ROWS - 1; row++) {
        const encoded = shown.values.encode(shown.json(row));
        if (encoded !== null) expect(encoded).toEqual(shown.field(row));
      }
    },
  );

  it('gives back by JSON alone the bytes of the key types that it reads by', () => {
    const known = TYPES.flatMap(([type], i) =>
      new Shown(table, rows, i + 1).values.encode(new Shown(table, rows, i + 1).json(1)) ? [type] : [],
    );
    expect(known).toEqual(expect.arrayContaining(['INT', 'BIGINT', 'DECIMAL(7,4)', 'DATE', 'DATETIME', 'DATETIME(3)', 'TIMESTAMP(6) NULL', 'VARBINARY(300)', 'VARCHAR(20) CHARACTER SET ascii'])); // prettier-ignore
  });
});

describeMariadb('values that a column can not hold, and ways to write those that it can', () => {
  let stand: MysqlStand;
  let values: Record<string, ColumnValues>;
  let shown: (column: string) => JsonValue;
  let compare: (column: string, operand: JsonValue) => number;

  beforeAll(async () => {
    stand = await MysqlStand.open(
      [
        `CREATE TABLE odd (id INT PRIMARY KEY, number INT, amount DECIMAL(9,2), ratio FLOAT, day DATE, at DATETIME, seen TIMESTAMP(6) NULL,
           span TIME, doc JSON, gbk VARCHAR(9) CHARACTER SET gbk, data BLOB)`,
        `INSERT INTO odd VALUES (1, 5, 1.50, 0.1, '2026-11-25', '2026-11-25 00:00:00', '2026-11-25 14:30:00.5', '01:00:00',
           '{"a": [1, 2.5], "b": {"c": null}}', _gbk X'BF5C', X'00')`,
      ],
      ['odd'],
    );
    const [table, [row]] = await withRead(
      stand.source,
      async (read) => [tableNamed(read, 'odd'), await readTable(read, 'odd')] as const,
    );
    const fields = new Int32Array(3 * table.columns.length);
    mysqlCodec.locate(row as Buffer, 0, table.columns.length, fields);
    const all = mysqlCodec.values(table);
    const at = (name: string): number => table.columns.findIndex((column) => column.name === name);
    values = Object.fromEntries(table.columns.map(({ name }, i) => [name, all[i] as ColumnValues]));
    shown = (name) => values[name]!.toJson(row as Buffer, fields, 3 * at(name));
    compare = (name, operand) => Math.sign(values[name]!.comparing(operand)(row as Buffer, fields, 3 * at(name)));
  });
  afterAll(async () => {
    await stand.close();
    await stopMariadb();
  });

  it.each<[string, JsonValue]>([
    ['number', 'five'],
    ['number', true],
    ['number', 2 ** 53],
    ['amount', '1,5'],
    ['ratio', 'x'],
    ['day', '25.11.2026'],
    ['day', 20261125],
    ['at', '2026-11-25T00:00:00Z'],
    ['seen', 'today'],
    ['span', '1 hour'],
    ['data', 'no base64'],
    ['gbk', 5],
    ['gbk', null],
    ['gbk', ['a']],
  ])('refuses for %s: %j', (column, operand) => {
    expect(() => values[column]!.comparing(operand)).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', hint: expect.any(String) }),
    );
  });

  it.each<[string, JsonValue]>([
    ['number', 5],
    ['number', '5'],
    ['number', '5.0'],
    ['amount', 1.5],
    ['amount', '1.50'],
    ['ratio', 0.1],
    ['at', '2026-11-25'],
    ['at', '2026-11-25T00:00:00'],
    ['seen', '2026-11-25T14:30:00.500Z'],
    ['span', '01:00:00.000'],
    ['doc', { b: { c: null }, a: [1, 2.5] }],
    ['gbk', { textBase64: 'v1w=' }],
    ['data', 'AA=='],
  ])('takes for %s: %j', (column, operand) => {
    expect(compare(column, operand)).toBe(0);
  });

  it('shows JSON as its value, and text in a character set that it does not know as its bytes', () => {
    expect(shown('doc')).toEqual({ a: [1, 2.5], b: { c: null } });
    expect(shown('gbk')).toEqual({ textBase64: 'v1w=' });
    expect(values.doc!.isOrdered).toBe(false);
  });
});
