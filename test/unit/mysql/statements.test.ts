/** How the MySQL source spells statements and takes CREATE TABLE apart, and its row encoding. No server needed. */
import fc from 'fast-check';
import type { ColumnStructure, TableStructure } from '../../../src/domain/table';
import { buildCreateTable, indexesFromStart, parseCreateTable } from '../../../src/sources/mysql/create-table';
import { dialectOf } from '../../../src/sources/mysql/dialect';
import { rangeCondition } from '../../../src/sources/mysql/key-range';
import { decodeFields, encodeField, mysqlCodec } from '../../../src/sources/mysql/row-encoding';
import { parseTarget } from '../../../src/sources/mysql/session';
import { enumMembers, orderLiteral, quoteName, quoteText, valueLiteral } from '../../../src/sources/mysql/sql';

const STATEMENT = `CREATE TABLE \`a(\`\`,b\` (
  \`id\` bigint(20) NOT NULL AUTO_INCREMENT,
  \`KEY x\` varchar(9) DEFAULT 'a, KEY (\`b\`)' COMMENT 'it''s \\\\'' ) ENGINE',
  \`g\` int(11) GENERATED ALWAYS AS (concat(\`id\`,'),(')) VIRTUAL,
  \`e\` enum('x','y,)') NOT NULL,
  UNIQUE KEY \`uq\` (\`e\`,\`id\`),
  KEY \`ix,1\` (\`id\`),
  FULLTEXT KEY \`ft\` (\`KEY x\`),
  CONSTRAINT \`fk\` FOREIGN KEY (\`id\`) REFERENCES \`p\` (\`id\`) ON DELETE CASCADE,
  CONSTRAINT \`ck\` CHECK (\`id\` > 0 and \`e\` <> ',')
) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4 COMMENT='(x), y'`;

test('CREATE TABLE is taken apart whatever its texts hold', () => {
  const table = parseCreateTable(STATEMENT);
  expect(table.definitions.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
    'COLUMN id',
    'COLUMN KEY x',
    'COLUMN g',
    'COLUMN e',
    'INDEX uq',
    'INDEX ix,1',
    'INDEX ft',
    'FOREIGN_KEY fk',
    'CHECK ck',
  ]);
  expect(table.options).toBe("ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4 COMMENT='(x), y'");
  expect(indexesFromStart(table, ['e', 'id'], false)).toEqual(new Set(['uq', 'ix,1']));
  const built = buildCreateTable('`s`', table, ({ kind }) => kind === 'COLUMN');
  expect(parseCreateTable(built).definitions).toEqual(table.definitions.slice(0, 4));
  expect(() => parseCreateTable('CREATE TABLE `x` (`a` int')).toThrow(/could not be understood/);
});

test('fields of every length are found again', () => {
  const value = fc.oneof(
    fc.constant(null),
    fc.uint8Array({ maxLength: 300 }),
    fc.constantFrom(250, 251, 65_535, 65_536, 16_777_215, 16_777_216).map((length) => new Uint8Array(length)),
  );
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 6 }), (values) => {
      const fields = values.map((bytes) => encodeField(bytes && Buffer.from(bytes)));
      const row = Buffer.concat([Buffer.from('before'), ...fields]);
      const out = new Int32Array(values.length * 3);
      expect(mysqlCodec.locate(row, 6, values.length, out)).toBe(row.length);
      const found = decodeFields(row.subarray(6));
      expect(found.every((got, i) => (got === null ? values[i] === null : got.equals(values[i] as Uint8Array)))).toBe(
        true,
      );
    }),
    { seed: 20261122, numRuns: 60 },
  );
});

test('bytes that are no row are refused, never read beyond', () => {
  const out = new Int32Array(6);
  for (const bytes of [
    [],
    [5, 1],
    [0xfc, 1],
    [0xfd, 1, 0],
    [0xfe, 255, 255, 255, 255, 255, 255, 255, 255],
    [0xff],
    [0xfb],
  ]) {
    expect(() => mysqlCodec.locate(Buffer.from(bytes), 0, 2, out)).toThrow(/no row of encoding/);
  }
});

const column = (kind: ColumnStructure['kind'], type: string, charset?: string): ColumnStructure => ({
  name: 'k',
  kind,
  type,
  nullable: false,
  charset,
});

test('values become literals that mean the same bytes, and nothing slips out of them', () => {
  expect(valueLiteral(column('TEXT', 'text', 'latin1'), Buffer.from([0x27, 0xe9]))).toBe("_latin1 X'27e9'");
  expect(valueLiteral(column('BIT', 'bit(64)'), Buffer.alloc(8, 255))).toBe('18446744073709551615');
  expect(valueLiteral(column('INTEGER', 'int(5) zerofill'), Buffer.from('00042'))).toBe('00042');
  expect(() => valueLiteral(column('INTEGER', 'int'), Buffer.from('1 OR 1'))).toThrow(/no int/);
  expect(() => valueLiteral(column('DATE', 'date'), Buffer.from("2024' OR '"))).toThrow(/no date/);
  expect(enumMembers("enum('a','it''s','b,c')")).toEqual(['a', "it's", 'b,c']);
  expect(orderLiteral(column('ENUM', "enum('b','a')", 'utf8mb4'), Buffer.from('a'))).toBe(
    "FIELD(_utf8mb4 X'61', 'b', 'a')",
  );
  expect(quoteName('a`b')).toBe('`a``b`');
  expect(quoteText("a'\\")).toBe("'a''\\\\'");
});

test('a range over a composite key is spelled so that its index serves', () => {
  const columns = ['a', 'b'].map((name) => ({ ...column('INTEGER', 'int'), name }));
  const table = { table: 't', columns, key: ['a', 'b'] } as unknown as TableStructure;
  const bound = Buffer.concat([encodeField(Buffer.from('1')), encodeField(Buffer.from('2'))]);
  expect(rangeCondition(table, { from: bound, to: null })).toBe('`a` >= 1 AND (`a` > 1 OR (`a` = 1 AND `b` >= 2))');
  expect(rangeCondition(table, { from: null, to: encodeField(Buffer.from('9')) })).toBe('`a` < 9');
});

test('each server gets its own dialect', () => {
  expect(dialectOf('5.5.5-10.11.6-MariaDB-log')).toMatchObject({ kind: 'mariadb', hasBackupStages: true });
  expect(dialectOf('10.3.39-MariaDB')).toMatchObject({ kind: 'mariadb', hasBackupStages: false });
  expect(dialectOf('8.4.2')).toMatchObject({
    kind: 'mysql',
    showLogStatus: 'SHOW BINARY LOG STATUS',
    canCastToDouble: true,
  });
  expect(dialectOf('5.7.44-log')).toMatchObject({
    kind: 'mysql',
    showLogStatus: 'SHOW MASTER STATUS',
    canCastToDouble: false,
  });
});

test('a URL that names no database is refused without telling its password', () => {
  for (const url of [
    'mysql://u:secret@h',
    'mysql://u:secret@h/',
    'postgres://u:secret@h/d',
    'mysql://u:sec ret@:x/d',
  ]) {
    expect(() => parseTarget(url, 'main')).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.not.stringContaining('sec') }),
    );
  }
  expect(parseTarget('mariadb://u%40x:p%2Fw@h:3307/my%20db?ssl=true', 'main')).toMatchObject({
    schema: 'my db',
    label: 'h:3307',
    options: { user: 'u@x', password: 'p/w', host: 'h', port: 3307, ssl: { rejectUnauthorized: true } },
  });
});
