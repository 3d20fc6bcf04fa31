/** Where the server says that keys stand is where its own ranges have them, for every type that the log tells keys of. */
import type { KeyBytes } from '../../src/domain/rows';
import type { ConsistentRead, Source } from '../../src/domain/source';
import type { TableStructure } from '../../src/domain/table';
import { createSeededRandom, type SeededRandom } from '../../src/sources/seeded-random';
import { createSchema, stopMariadb, type TestSchema } from '../support/mariadb';
import { describeMariadb, needServer, openTestMysql } from '../support/mysql-source';
import { batchOf, keyOf, readTable, rowBytes, collect, tableNamed, withRead } from '../support/source-rows';

const ROWS = 120;
const LETTERS = ['a', 'A', 'b', 'B', 'ss', 'ß', 'e', 'é', 'E', ' ', '  ', 'ä', 'æ', 'ae', '_', '0', 'z'];
const LENIENT = "SET time_zone = '+00:00', sql_mode = 'ALLOW_INVALID_DATES'";

type Values = (random: SeededRandom) => string;

const integer =
  (low: bigint, high: bigint): Values =>
  (random) => {
    const near = BigInt(random.int(0, 300));
    return String(random.pick([low + near, high - near, (low + high) / 2n + near]));
  };
const decimal: Values = (random) =>
  `${random.pick(['', '-'])}${random.int(0, 99)}.${random.int(0, 9)}${random.int(0, 9)}`;
const text =
  (prefix = '', letters = LETTERS): Values =>
  (random) => {
    const parts = Array.from({ length: random.int(0, 5) }, () => random.pick(letters));
    return `_utf8mb4 X'${Buffer.from((prefix + parts.join('')).trimEnd()).toString('hex')}'`;
  };
const bytes: Values = (random) => `X'${Array.from({ length: random.int(0, 4) }, () => random.pick(['00', '01', '20', '61', 'ff'])).join('')}'`; // prettier-ignore
const two = (value: number): string => String(value).padStart(2, '0');
const day: Values = (random) =>
  `'${random.pick(['0000', '0001', '1999', '2024', '9999'])}-${two(random.int(0, 12))}-${two(random.int(0, 31))}'`;
const moment: Values = (random) => `${day(random).slice(0, -1)} ${two(random.int(0, 23))}:00:0${random.int(0, 9)}.${random.int(0, 999_999)}'`; // prettier-ignore
const instant: Values = (random) =>
  random.pick(["'0000-00-00 00:00:00'", `'${random.int(1971, 2037)}-01-0${random.int(1, 9)} 02:30:00.${random.int(0, 999)}'`]); // prettier-ignore
const uuid: Values = (random) => {
  const hex = Array.from({ length: 32 }, () => random.int(0, 15).toString(16)).join('');
  const version = random.pick(['1', '4', '7', '0']);
  return `'${hex.slice(0, 8)}-${hex.slice(8, 12)}-${version}${hex.slice(13, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}'`;
};

const TYPES: [string, Values][] = [
  ['TINYINT', integer(-128n, 127n)],
  ['SMALLINT(5) UNSIGNED ZEROFILL', integer(0n, 65_535n)],
  ['INT', integer(-(2n ** 31n), 2n ** 31n - 1n)],
  ['BIGINT', integer(-(2n ** 63n), 2n ** 63n - 1n)],
  ['BIGINT UNSIGNED', integer(0n, 2n ** 64n - 1n)],
  ['DECIMAL(7,4)', decimal],
  ['DECIMAL(65,30)', decimal],
  ['CHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci', text()],
  ['VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci', text()],
  ['VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci', text()],
  ['VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci', text()],
  ['VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_german2_ci', text()],
  ['VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin', text()],
  ['VARCHAR(700) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci', text('é'.repeat(650))],
  ['VARCHAR(700) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin', text('é'.repeat(650))],
  ['VARCHAR(20) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci', text()],
  ['VARCHAR(20) CHARACTER SET utf8mb3 COLLATE utf8mb3_unicode_ci', text()],
  ['CHAR(20) CHARACTER SET latin1', text()],
  ['VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_german2_ci', text()],
  ['VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_bin', text()],
  [
    'VARCHAR(20) CHARACTER SET ascii',
    text(
      '',
      LETTERS.filter((letter) => Buffer.from(letter).length === letter.length),
    ),
  ],
  ['BINARY(4)', bytes],
  ['VARBINARY(20)', bytes],
  ['DATE', day],
  ['DATETIME', moment],
  ['DATETIME(6)', moment],
  ['TIMESTAMP', instant],
  ['TIMESTAMP(3)', instant],
  ["ENUM('z','a','M','b''c','')", (random) => random.pick(["'z'", "'a'", "'M'", "'b''c'", "''"])],
];

const ONLY_MARIADB: [string, Values][] = [
  ['UUID', uuid],
  ['CHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_nopad_ci', text()],
  ['VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_nopad_ci', text()],
  ['VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin', text()],
  ['VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_uca1400_ai_ci', text()],
  ['VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_uca1400_swedish_as_cs', text()],
];

describeMariadb('placing keys', () => {
  let schema: TestSchema;
  let source: Source;

  const open = async (statements: string[]): Promise<void> => {
    schema = await createSchema(await needServer(), 'place');
    await schema.exec(LENIENT, ...statements);
    source = openTestMysql(schema.url, [{ dataType: 'CONFIG', table: 't' }]);
  };
  const reading = (work: (read: ConsistentRead, table: TableStructure, keys: KeyBytes[]) => Promise<void>) =>
    withRead(source, async (read) => {
      const table = tableNamed(read, 't');
      await work(
        read,
        table,
        (await readTable(read, 't')).map((row) => keyOf(source.codec, table, row)),
      );
    });

  afterEach(async () => {
    await source.close();
    await schema.drop();
  });
  afterAll(() => stopMariadb());

  /** Every third key bounds a range: whichever row the server finds in a range, its key is placed there. */
  const expectAgreement = async (read: ConsistentRead, table: TableStructure, keys: KeyBytes[]): Promise<void> => {
    const bounds = keys.filter((_, i) => i % 3 === 1);
    const shuffled = [...keys].reverse();
    const places = (await read.byKey!.placeKeys(table, { keys: shuffled, bounds }))!;
    const placed = new Map(shuffled.map((key, i) => [key.toString('hex'), places[i]]));
    expect(bounds.length).toBeGreaterThan(1);
    for (let place = 0; place <= bounds.length; place++) {
      const range = { from: bounds[place - 1] ?? null, to: bounds[place] ?? null };
      for (const row of await readTable(read, 't', { range })) {
        const key = keyOf(source.codec, table, row).toString('hex');
        expect({ key, place: placed.get(key) }).toEqual({ key, place });
        placed.delete(key);
      }
    }
    expect(placed.size).toBe(0);
  };

  test.each([...TYPES, ...ONLY_MARIADB])(
    'of type %s agrees with the ranges that rows are read in',
    async (type, value) => {
      const { isMariadb } = await needServer();
      if (!isMariadb && ONLY_MARIADB.some(([only]) => only === type))
        return open(['CREATE TABLE t (k INT PRIMARY KEY)']);
      const random = createSeededRandom(20261125);
      const rows = Array.from({ length: ROWS }, () => `(${value(random)}, ${random.int(0, 3)})`);
      const inserts = rows.map((row) => `INSERT IGNORE INTO t VALUES ${row}`);
      try {
        await open([`CREATE TABLE t (k ${type} NOT NULL, n INT NOT NULL, PRIMARY KEY (k, n))`, ...inserts]);
      } catch (error) {
        if (/Unknown collation/.test(String(error))) return; // servers before 10.10
        throw error;
      }
      await reading(async (read, table, keys) => {
        await expectAgreement(read, table, keys);
        await expectFound(read, table, keys);
      });
    },
  );

  /** Rows by key are those rows, and as many. */
  const expectFound = async (read: ConsistentRead, table: TableStructure, keys: KeyBytes[]): Promise<void> => {
    const wanted = keys.filter((_, i) => i % 2 === 0);
    const range = { from: null, to: keys.at(-1)! };
    const found = rowBytes(await collect(read.byKey!.readKeys(table, { keys: wanted, range })));
    const within = wanted.filter((key) => !key.equals(keys.at(-1)!)).map((key) => key.toString('hex'));
    expect(found.map((row) => keyOf(source.codec, table, row).toString('hex'))).toEqual(within);
  };

  test('of rows that are not there, of many at once, and by a key that is not the primary one', async () => {
    const sizes = `CREATE TABLE t (a VARCHAR(9) COLLATE utf8mb4_general_ci NOT NULL, b INT NOT NULL, UNIQUE (b, a))`;
    await open([sizes, `INSERT INTO t VALUES ('m', 10), ('M', 20), ('ä', 30)`]);
    await reading(async (read, table, bounds) => {
      const key = (a: string, b: number) => batchOf([Buffer.from([`${b}`.length]), Buffer.from(`${b}`), Buffer.from([a.length]), Buffer.from(a)]).bytes; // prettier-ignore
      const keys = Array.from({ length: 5000 }, (_, n) => key('M', n));
      const places = (await read.byKey!.placeKeys(table, { keys, bounds }))!;
      expect([9, 10, 19, 20, 30, 31, 4999].map((n) => places[n])).toEqual([0, 1, 1, 2, 3, 3, 3]);
      expect(
        rowBytes(await collect(read.byKey!.readKeys(table, { keys, range: { from: null, to: null } }))),
      ).toHaveLength(2);
    });
  });

  test.each(['a\\0', 'a '])(
    'is not told for texts like %j, which some collations sort otherwise than they compare',
    async (text) => {
      await open([
        'CREATE TABLE t (k VARCHAR(9) COLLATE utf8mb4_bin PRIMARY KEY)',
        `INSERT INTO t VALUES ('b'), ('${text}'), ('c')`,
      ]);
      await reading(async (read, table, keys) => {
        expect(await read.byKey!.placeKeys(table, { keys, bounds: [keys.at(-1)!] })).toBeNull();
      });
    },
  );

  test('is refused where the bounds do not stand in the order of the key', async () => {
    await open(['CREATE TABLE t (k INT PRIMARY KEY)', 'INSERT INTO t VALUES (1), (2), (3)']);
    await reading(async (read, table, keys) => {
      const bounds = [...keys].reverse();
      await expect(read.byKey!.placeKeys(table, { keys, bounds })).rejects.toMatchObject({ code: 'INTEGRITY_FAILURE' });
    });
  });
});
