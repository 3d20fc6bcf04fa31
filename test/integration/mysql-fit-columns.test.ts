/** What becomes of values when a column changes, told without a server, against what the server itself makes of them; and defaults. */
import { AppError } from '../../src/domain/errors';
import type { RowBatch } from '../../src/domain/rows';
import type { TableStructure } from '../../src/domain/table';
import { fitTable } from '../../src/engine/reading/adaptation';
import { RowAdapter } from '../../src/engine/rows/row-adapter';
import { mysqlCodec } from '../../src/sources/mysql/row-encoding';
import { stopMariadb } from '../support/mariadb';
import { describeMariadb } from '../support/mysql-source';
import { MysqlStand } from '../support/mysql-stand';
import { batchOf } from '../support/engine-rows';
import { collect, rowBytes } from '../support/source-rows';

const quoted = (...values: string[]): string[] => values.map((value) => `'${value.replace(/'/g, "''")}'`);
const UTF8 = 'CHARACTER SET utf8mb4 COLLATE utf8mb4_bin';
const UTF8MB3 = 'CHARACTER SET utf8mb3 COLLATE utf8mb3_bin';
const TEXTS = quoted('', 'a', 'ß 🚀', "it's", '\\\\', 'trailing');
const DATES = quoted('2026-11-25', '0000-00-00', '2024-02-29', '9999-12-31', '1000-01-01');
const MOMENTS = quoted('2026-11-25 14:30:00', '0000-00-00 00:00:00', '9999-12-31 23:59:59', '1970-01-02 00:00:00');
const FLOATS = ['0', '-0.0', '1', '-1.5', '0.1', '3.4e38', '1e-38', '16777217', '1234567.9', '-0.333333333'];
const INTEGERS = ['0', '-1', '1', '127', '-128', '9', '100'];

/** What was, what it becomes, and values that it held. */
const KEPT: [from: string, to: string, values: string[]][] = [
  ['TINYINT', 'SMALLINT', INTEGERS],
  ['SMALLINT', 'INT', [...INTEGERS, '32767', '-32768']],
  ['INT', 'BIGINT', [...INTEGERS, '2147483647', '-2147483648']],
  ['MEDIUMINT UNSIGNED', 'INT', ['0', '16777215']],
  ['INT UNSIGNED', 'BIGINT', ['0', '4294967295']],
  ['INT UNSIGNED', 'BIGINT UNSIGNED', ['0', '4294967295']],
  ['TINYINT(1)', 'TINYINT(4)', INTEGERS],
  ['INT', 'DECIMAL(12,2)', [...INTEGERS, '2147483647', '-2147483648']],
  ['BIGINT UNSIGNED', 'DECIMAL(20,0) UNSIGNED', ['0', '18446744073709551615']],
  ['DECIMAL(10,2)', 'DECIMAL(14,4)', ['0', '1.5', '-1.5', '-0.01', '99999999.99', '-99999999.99']],
  ['DECIMAL(5,0)', 'DECIMAL(8,3)', ['0', '7', '-99999', '99999']],
  ['DECIMAL(10,2) UNSIGNED', 'DECIMAL(12,2)', ['0', '99999999.99']],
  ['FLOAT', 'DOUBLE', FLOATS],
  ['FLOAT(9,3)', 'DOUBLE', ['0', '1.125', '-1234.567', '0.001']],
  ['FLOAT(9,3)', 'FLOAT', ['0', '1.125', '-1234.567', '0.001']],
  ['DOUBLE(12,4)', 'DOUBLE', ['0', '1.1', '-12345678.1234']],
  ['FLOAT UNSIGNED', 'FLOAT', ['0', '0.1', '3e38']],
  ['BIT(1)', 'BIT(8)', ["b'0'", "b'1'"]],
  ['BIT(7)', 'BIT(20)', ["b'0'", "b'1111111'", "b'101'"]],
  ['BIT(20)', 'BIT(64)', ["b'0'", "b'11111111111111111111'"]],
  [`VARCHAR(20) ${UTF8}`, `VARCHAR(300) ${UTF8}`, TEXTS],
  [`VARCHAR(20) ${UTF8}`, `TEXT ${UTF8}`, [...TEXTS, "'space '"]],
  [`VARCHAR(20) ${UTF8}`, `TINYTEXT ${UTF8}`, TEXTS],
  [`TEXT ${UTF8}`, `LONGTEXT ${UTF8}`, TEXTS],
  [`TINYTEXT ${UTF8}`, `VARCHAR(255) ${UTF8}`, [...TEXTS, "'space '"]],
  [`CHAR(20) ${UTF8}`, `VARCHAR(20) ${UTF8}`, [...TEXTS, "'space '"]],
  [`CHAR(20) ${UTF8}`, `CHAR(36) ${UTF8}`, [...TEXTS, "'space '"]],
  [`VARCHAR(20) ${UTF8MB3}`, `VARCHAR(20) ${UTF8}`, quoted('', 'a', 'ß', '日本')],
  [`TEXT ${UTF8MB3}`, `MEDIUMTEXT ${UTF8}`, quoted('', 'a', 'ß', '日本')],
  [`VARCHAR(20) CHARACTER SET ascii`, `VARCHAR(20) ${UTF8}`, quoted('', 'a', 'A-9')],
  [`CHAR(8) CHARACTER SET ascii`, `VARCHAR(20) CHARACTER SET latin1`, quoted('', 'a', 'A-9')],
  ["ENUM('LOW','HIGH')", "ENUM('LOW','HIGH','CRITICAL')", quoted('LOW', 'HIGH', '')],
  ["ENUM('LOW','HIGH')", "ENUM('CRITICAL','HIGH','LOW')", quoted('LOW', 'HIGH', '')],
  ["ENUM('LOW','it''s')", `VARCHAR(20) ${UTF8}`, quoted('LOW', "it's", '')],
  ["SET('a','b','c')", "SET('a','x','b','c','d')", quoted('', 'a', 'c,a', 'a,b,c')],
  ["SET('a','b','c')", `TEXT ${UTF8}`, quoted('', 'a', 'c,a', 'a,b,c')],
  ['BINARY(4)', 'BINARY(8)', ["x'00000000'", "x'61'", "x'ffffffff'"]],
  ['BINARY(4)', 'VARBINARY(4)', ["x'00000000'", "x'61'", "x'ffffffff'"]],
  ['BINARY(4)', 'BLOB', ["x'00000000'", "x'61'", "x'ffffffff'"]],
  ['VARBINARY(8)', 'BLOB', ["x''", "x'00'", "x'6100'"]],
  ['BLOB', 'MEDIUMBLOB', ["x''", "x'00'", "x'6100'"]],
  ['DATE', 'DATETIME', DATES],
  ['DATE', 'DATETIME(3)', DATES],
  ['DATETIME', 'DATETIME(6)', MOMENTS],
  ['DATETIME(2)', 'DATETIME(4)', quoted('2026-11-25 14:30:00.12', '0000-00-00 00:00:00.00')],
  ['TIMESTAMP NULL', 'TIMESTAMP(6) NULL', quoted('2026-11-25 14:30:00', '1970-01-02 00:00:00')],
  ['TIME', 'TIME(3)', quoted('-838:59:59', '00:00:00', '-00:00:01', '23:59:59')],
]; // prettier-ignore

const REFUSED: [from: string, to: string][] = [
  ['INT', 'SMALLINT'],
  ['INT', 'INT UNSIGNED'],
  ['INT UNSIGNED', 'INT'],
  ['BIGINT UNSIGNED', 'BIGINT'],
  ['INT', 'VARCHAR(20)'],
  ['INT', 'INT ZEROFILL'],
  ['INT', 'DECIMAL(10,2)'],
  ['DECIMAL(10,2)', 'DECIMAL(10,4)'],
  ['DECIMAL(10,2)', 'DECIMAL(12,1)'],
  ['DECIMAL(10,2)', 'DECIMAL(12,2) UNSIGNED'],
  ['DECIMAL(10,2)', 'DOUBLE'],
  ['DOUBLE', 'FLOAT'],
  ['FLOAT', 'DOUBLE(10,2)'],
  ['BIT(8)', 'BIT(4)'],
  [`VARCHAR(20) ${UTF8}`, `VARCHAR(19) ${UTF8}`],
  [`VARCHAR(20) ${UTF8}`, `CHAR(20) ${UTF8}`],
  [`VARCHAR(64) ${UTF8}`, `TINYTEXT ${UTF8}`],
  [`TEXT ${UTF8}`, `VARCHAR(16000) ${UTF8}`],
  [`VARCHAR(20) ${UTF8}`, 'VARCHAR(20) CHARACTER SET latin1'],
  ['VARCHAR(20) CHARACTER SET latin1', `VARCHAR(20) ${UTF8}`],
  [`VARCHAR(20) ${UTF8}`, 'VARBINARY(80)'],
  ["ENUM('LOW','HIGH')", "ENUM('LOW')"],
  ["ENUM('LOW','HIGH')", "ENUM('LOW','HIGH','')"],
  ["ENUM('LOW','HIGH')", `VARCHAR(3) ${UTF8}`],
  ["SET('a','b')", "SET('b','a')"],
  ['VARBINARY(8)', 'BINARY(8)'],
  ['BINARY(8)', 'BINARY(4)'],
  ['DATETIME(6)', 'DATETIME'],
  ['DATETIME', 'DATE'],
  ['DATETIME', 'TIMESTAMP NULL'],
  ['TIMESTAMP NULL', 'DATETIME'],
]; // prettier-ignore

const CERTAIN = [
  'INT NULL', 'INT NOT NULL DEFAULT 7', 'BIGINT NOT NULL DEFAULT -9223372036854775808', 'TINYINT(1) NOT NULL DEFAULT 1',
  'DECIMAL(10,4) NOT NULL DEFAULT 1.5', 'DECIMAL(6,2) NULL DEFAULT NULL', 'DECIMAL(6,2) NOT NULL DEFAULT -0.5',
  'DOUBLE NOT NULL DEFAULT 0', 'DOUBLE NOT NULL DEFAULT -12.75', 'FLOAT NOT NULL DEFAULT 0.5', 'BIT(12) NOT NULL DEFAULT b\'101\'',
  `VARCHAR(20) ${UTF8} NOT NULL DEFAULT 'it''s \\\\ ß'`, `VARCHAR(20) ${UTF8} NOT NULL DEFAULT ''`, `VARCHAR(9) ${UTF8} NOT NULL DEFAULT 'NULL'`,
  `CHAR(9) ${UTF8} NOT NULL DEFAULT 'DEFAULT' COMMENT 'DEFAULT 8'`, "ENUM('LOW','HIGH') NOT NULL DEFAULT 'HIGH'", "SET('a','b') NOT NULL DEFAULT 'a,b'",
  "DATE NOT NULL DEFAULT '2026-01-31'", "DATETIME(3) NOT NULL DEFAULT '2026-01-31 10:00:00'", `TEXT ${UTF8} NULL`, 'BLOB NULL', 'TIMESTAMP NULL',
]; // prettier-ignore

const UNCERTAIN = [
  'INT NOT NULL', `VARCHAR(9) ${UTF8} NOT NULL`, 'DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP', 'TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP',
  `VARCHAR(40) ${UTF8} NULL DEFAULT (uuid())`, 'INT NOT NULL DEFAULT (1 + 1)', 'FLOAT NOT NULL DEFAULT 0.1', 'INT(6) ZEROFILL NOT NULL DEFAULT 5',
  'BIGINT NOT NULL AUTO_INCREMENT, ADD KEY (c)',
]; // prettier-ignore

/** A table `t` whose column `v` changes while rows are in it. */
class ChangingTable {
  private constructor(private readonly stand: MysqlStand) {}

  static async open(...statements: string[]): Promise<ChangingTable> {
    const stand = await MysqlStand.open([], ['t']);
    await stand.exec("SET SESSION sql_mode = '', time_zone = '+00:00'", ...statements);
    return new ChangingTable(stand);
  }

  exec(...statements: string[]): Promise<void> {
    return this.stand.exec(...statements);
  }

  async read(): Promise<{ table: TableStructure; rows: Buffer[] }> {
    const read = await this.stand.source.openConsistentRead({ dataTypes: ['CONFIG'], connections: 1 });
    try {
      const table = read.tables[0]!;
      return { table, rows: rowBytes(await collect(read.readRows(table, {}))) };
    } finally {
      await read.close();
    }
  }

  close(): Promise<void> {
    return this.stand.close();
  }
}

function rowsOf({ bytes, ends }: RowBatch): string[] {
  return Array.from(ends, (end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end).toString('latin1'));
}

async function withTable(type: string, work: (table: ChangingTable) => Promise<void>): Promise<void> {
  const table = await ChangingTable.open(`CREATE TABLE t (n INT NOT NULL PRIMARY KEY, v ${type}, z INT NULL)`);
  try {
    await work(table);
  } finally {
    await table.close();
  }
}

describeMariadb('changed columns', () => {
  afterAll(() => stopMariadb());

  test.each(KEPT)('%s to %s: values are what the server makes of them', (from, to, values) =>
    withTable(from, async (table) => {
      const rows = [...values, 'NULL'].map((value, n) => `(${n},${value},${n})`);
      await table.exec(`INSERT IGNORE INTO t VALUES ${rows.join(', ')}`);
      const before = await table.read();
      expect(before.rows).toHaveLength(values.length + 1);
      await table.exec(`ALTER TABLE t MODIFY v ${to}`);
      const after = await table.read();
      const fit = fitTable(before.table, after.table, mysqlCodec);
      if (fit.kind === 'UNFIT') throw new Error(fit.problems.join());
      if (fit.kind === 'SAME') return expect(before.rows).toEqual(after.rows);
      const adapter = new RowAdapter(fit.adaptation, before.table.columns.length, mysqlCodec);
      expect(rowsOf(adapter.apply(batchOf(before.rows)))).toEqual(after.rows.map((row) => row.toString('latin1')));
    }),
  );

  test.each(REFUSED)('%s to %s is refused by the name of the column', (from, to) =>
    withTable(from, async (table) => {
      const before = await table.read();
      await table.exec(`ALTER TABLE t MODIFY v ${to}`);
      const fit = fitTable(before.table, (await table.read()).table, mysqlCodec);
      expect(fit).toEqual({ kind: 'UNFIT', problems: [expect.stringMatching(/^t\.v is .* instead of /)] });
    }),
  );

  test('no byte that is no ASCII gets into another character set', () =>
    withTable('VARCHAR(9) CHARACTER SET ascii', async (table) => {
      const before = await table.read();
      await table.exec(`ALTER TABLE t MODIFY v VARCHAR(9) ${UTF8}`);
      const fit = fitTable(before.table, (await table.read()).table, mysqlCodec);
      if (fit.kind !== 'ADAPTED') throw new Error(fit.kind);
      const adapter = new RowAdapter(fit.adaptation, 3, mysqlCodec);
      const row = Buffer.from([1, 0x30, 1, 0xe4, 0xfb]);
      expect(() => adapter.apply(batchOf([row]))).toThrow(AppError);
    }));

  test.each(CERTAIN)('the default of %s is what an inserted row gets', (definition) =>
    withTable('INT NULL', async (table) => {
      await table.exec(`ALTER TABLE t ADD COLUMN c ${definition}`, 'INSERT INTO t (n) VALUES (1)');
      const { table: structure, rows } = await table.read();
      const found = mysqlCodec.defaultField({ column: structure.columns[3]!, table: structure });
      const places = new Int32Array(12);
      mysqlCodec.locate(rows[0]!, 0, 4, places);
      expect(found?.toString('hex')).toBe(rows[0]!.subarray(places[9], places[11]).toString('hex'));
    }),
  );

  test.each(UNCERTAIN)('the default of %s is left to the server', (definition) =>
    withTable('INT NULL', async (table) => {
      await table.exec(`ALTER TABLE t ADD COLUMN c ${definition}`);
      const { table: structure } = await table.read();
      expect(mysqlCodec.defaultField({ column: structure.columns[3]!, table: structure })).toBeNull();
    }),
  );
});
