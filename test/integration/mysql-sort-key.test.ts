/** The bytes by which keys are sorted without a server, against the order in which a server itself reads them. */
import { keyColumnIndexes } from '../../src/domain/table';
import { KeyReader } from '../../src/engine/rows/key-bytes';
import { stopMariadb } from '../support/mariadb';
import { describeMariadb } from '../support/mysql-source';
import { MysqlStand } from '../support/mysql-stand';
import { collect, rowBytes } from '../support/source-rows';

const NUMBERS = ['0', '1', '-1', '9', '10', '-9', '-10', '99', '100', '101', '-100', '32767', '-32768'];
const ASCII = Array.from({ length: 0x7f - 0x20 }, (_, i) => String.fromCharCode(0x20 + i));
const TEXTS = [
  ...ASCII,
  ...ASCII.map((char) => `a${char}`),
  ...ASCII.map((char) => `a${char}b`),
  '',
  'a',
  'aa',
  'ab',
  'B2',
  '-',
  '--',
  'ä',
  'ß',
  'ÿ',
];
const IDS = [
  'a',
  'b',
  'z',
  'Aa',
  'aB',
  'abc',
  'ABD',
  '0',
  '9',
  '10',
  '-',
  '--',
  '-a',
  'a-',
  'a-b',
  'a0',
  'ab-1',
  'ab-10',
  'ab-2',
  'ch',
  'cz',
  'll',
  'lz',
  'ae',
  'oe',
  'ss',
  'st',
  'é',
  ' ',
  '_',
  'a_b',
  'a b',
];

const quoted = (values: readonly string[]): string[] => values.map((value) => `'${value.replace(/['\\]/g, '\\$&')}'`);
const hex = (values: readonly string[]): string[] => values.map((value) => `x'${value}'`);

const CASELESS = [
  'utf8mb4_general_ci', 'utf8mb4_unicode_ci', 'utf8mb4_unicode_520_ci', 'utf8mb3_general_ci', 'utf8mb3_unicode_ci', 'latin1_swedish_ci', 'ascii_general_ci',
]; // prettier-ignore

/** A type, values of it, and how many of them at least must be sortable. */
const TYPES: [type: string, values: string[], sortable: number][] = [
  ['SMALLINT', NUMBERS, NUMBERS.length],
  ['INT(8) ZEROFILL', ['0', '7', '70', '12345678', '4294967295'], 5],
  ['BIGINT UNSIGNED', ['0', '9', '18446744073709551615', '9223372036854775808', '10'], 5],
  ['DECIMAL(12,4)', ['0', '0.0001', '-0.0001', '-0.5', '-12.5', '-9.99', '9.9999', '10', '99999999.9999', '-99999999.9999'], 10],
  ['DATE', quoted(['0000-00-00', '2024-00-00', '1000-01-01', '2024-02-29', '9999-12-31']), 5],
  ['DATETIME(3)', quoted(['0000-00-00', '2024-01-01 10:00:00', '2024-01-01 10:00:00.001', '2024-01-01 09:59:59.999']), 4],
  ['TIMESTAMP NOT NULL DEFAULT 0', quoted(['1970-01-02 00:00:00', '2024-10-27 00:30:00', '2024-10-27 01:30:00']), 3],
  ['VARBINARY(8)', hex(['', '00', '0000', '0001', '01', 'ff', '00ff', '61', '6100', '6101']), 10],
  ['BINARY(3)', hex(['000000', '000001', '000100', 'ffffff', '610000']), 5],
  ['VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin', quoted(TEXTS), 200],
  ['VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin', quoted(TEXTS), 200],
  ['VARCHAR(9) CHARACTER SET latin1 COLLATE latin1_bin', quoted(TEXTS), 200],
  ['CHAR(9) CHARACTER SET ascii COLLATE ascii_bin', quoted(TEXTS.filter((text) => /^[ -~]*$/.test(text))), 200],
  ...CASELESS.map((collation): [string, string[], number] => [
    `VARCHAR(9) CHARACTER SET ${collation.split('_')[0] as string} COLLATE ${collation}`,
    quoted(collation.startsWith('ascii') ? IDS.filter((id) => id !== 'é') : IDS),
    27,
  ]),
  ['VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_uca1400_ai_ci', quoted(IDS), 27],
  ['VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_czech_ci', quoted(IDS), 0],
  ['VARCHAR(9) CHARACTER SET utf16 COLLATE utf16_bin', quoted(IDS), 0],
  ['DOUBLE', ['1', '2.5', '-3'], 0],
  ["ENUM('b','a')", quoted(['a', 'b']), 0],
  ['UUID', quoted(['00000000-0000-0000-0000-000000000001', '00000001-0000-0000-0000-000000000000']), 0],
  ['TIME', quoted(['-01:00:00', '00:00:00', '100:00:00']), 0],
]; // prettier-ignore

describeMariadb('keys sort without a server as with it', () => {
  afterAll(() => stopMariadb());

  test.each(TYPES)('%s', async (type, values, sortable) => {
    const inserts = values.map((value) => `INSERT IGNORE INTO t VALUES (2, ${value}), (10, ${value})`);
    const stand = await MysqlStand.open([], ['t']);
    try {
      if (!(await isKnown(stand, type))) return;
      await stand.exec(
        "SET SESSION sql_mode = ''",
        `CREATE TABLE t (n INT, k ${type}, PRIMARY KEY (k, n))`,
        ...inserts,
      );
      const found = await readSortKeys(stand);
      expect(found.filter((key) => key !== null).length).toBeGreaterThanOrEqual(2 * sortable);
      if (sortable === 0) expect(found.filter((key) => key !== null)).toEqual([]);
      const sorted = found.filter((key) => key !== null).map((key) => key.toString('hex'));
      expect(sorted).toEqual([...sorted].sort());
      expect(new Set(sorted).size).toBe(sorted.length);
    } finally {
      await stand.close();
    }
  });
});

/** Not every server has every type and collation. */
async function isKnown(stand: MysqlStand, type: string): Promise<boolean> {
  if (type === 'UUID') return /mariadb/i.test(String((await stand.rows('SELECT VERSION()'))[0]));
  const collation = /COLLATE (\w+)/.exec(type)?.[1];
  return collation === undefined || (await stand.rows(`SHOW COLLATION WHERE Collation = '${collation}'`)).length > 0;
}

/** Of each row, in the order in which the server reads them. */
async function readSortKeys({ source }: MysqlStand): Promise<(Buffer | null)[]> {
  const read = await source.openConsistentRead({ dataTypes: ['CONFIG'], connections: 1 });
  try {
    const table = read.tables[0]!;
    const rows = rowBytes(await collect(read.readRows(table, {})));
    const sortKey = source.codec.sortKey?.(table) ?? (() => null);
    const reader = new KeyReader(source.codec, keyColumnIndexes(table));
    return rows.map((row) => {
      reader.read(row, 0);
      return sortKey(reader.copy());
    });
  } finally {
    await read.close();
  }
}
