/** Scripts of MySQL and MariaDB, run by the real client: every type, odd text, triggers; the same rows and the same structure. */
import type { SourceMapping } from '../../src/domain/mapping';
import type { RowBatch } from '../../src/domain/rows';
import type { TableStructure } from '../../src/domain/table';
import { createSchema, numbers, stopMariadb, type MariadbServer, type TestSchema } from '../support/mariadb';
import { fillEdges, typeEdges } from '../support/mysql-edges';
import { describeMariadb, needServer, openTestMysql } from '../support/mysql-source';
import { collect, rowBytes, withRead } from '../support/source-rows';
import { mysqlClient, runMysqlScript } from '../support/sql-clients';
import { mysqlCodec } from '../../src/sources/mysql/row-encoding';

interface Read {
  table: TableStructure;
  batches: RowBatch[];
}

function scriptOf(tables: readonly Read[]): Buffer {
  const script = mysqlCodec.sqlScript;
  const parts = [script.begin(), ...tables.map(({ table }) => script.createTable(table))];
  for (const { table, batches } of tables) {
    const inserts = batches.flatMap((batch) => [...script.inserts(table, batch)]);
    parts.push(script.beforeRows(table), ...inserts, script.afterRows(table));
  }
  return Buffer.from(parts.join('') + script.end());
}

const describeScripts: typeof describe.skip = mysqlClient === null ? describe.skip : describeMariadb;

describeScripts('scripts of the server, run by its client', () => {
  let server: MariadbServer;
  let schema: TestSchema;
  let copy: TestSchema;

  beforeAll(async () => {
    server = await needServer();
  });
  afterAll(() => stopMariadb());
  beforeEach(async () => {
    schema = await createSchema(server, 'script');
    copy = await createSchema(server, 'script');
  });
  afterEach(async () => {
    await schema.drop();
    await copy.drop();
  });

  async function read(of: TestSchema, mapping: SourceMapping): Promise<Read[]> {
    const source = openTestMysql(of.url, mapping);
    try {
      return await withRead(source, async (opened) => {
        const tables: Read[] = [];
        for (const table of opened.tables) tables.push({ table, batches: await collect(opened.readRows(table, {})) });
        return tables;
      });
    } finally {
      await source.close();
    }
  }

  const rowsOf = (tables: readonly Read[]) =>
    tables.map(({ table, batches }) => [table.table, rowBytes(batches).map((row) => row.toString('hex'))]);

  async function checksum(of: TestSchema, table: string): Promise<unknown> {
    const [[sum]] = (await of.connection.query(`CHECKSUM TABLE ${table} EXTENDED`)) as never as [
      [{ Checksum: unknown }],
    ];
    return sum.Checksum;
  }

  const mapped = (...tables: string[]): SourceMapping => tables.map((table) => ({ dataType: 'CONFIG', table }));

  test.each([[[]], [['--init-command=SET sql_mode = "NO_BACKSLASH_ESCAPES,ANSI_QUOTES", time_zone = "+05:00"']]])(
    'every type, in a session with options %j',
    async (options) => {
      await fillEdges(schema, typeEdges(server));
      const tables = await read(schema, mapped('every'));
      await runMysqlScript(copy.url, scriptOf(tables), options);
      const copied = await read(copy, mapped('every'));
      expect(rowsOf(copied)).toEqual(rowsOf(tables));
      expect(copied[0]!.table.createStatement).toBe(tables[0]!.table.createStatement);
      expect(await checksum(copy, 'every')).toEqual(await checksum(schema, 'every'));
    },
  );

  test('text that a client could take for its own commands', async () => {
    await schema.exec(
      'CREATE TABLE `odd ``name` (id INT NOT NULL PRIMARY KEY, note LONGTEXT CHARACTER SET utf8mb4, j JSON)',
      'SET NAMES utf8mb4',
    );
    const texts = [
      "it's; -- no comment", 'DELIMITER ;;', '\r\n\\g\n\\q\nquit\n', '\0\x1a\b\t', '"`', '/* */', "''", '\\', "\\'", 'é😀\uffff', '#',
    ]; // prettier-ignore
    for (const [id, text] of texts.entries())
      await schema.connection.query('INSERT INTO `odd ``name` VALUES (?, ?, ?)', [id, text, JSON.stringify({ text })]);
    const tables = await read(schema, mapped('odd `name'));
    await runMysqlScript(copy.url, scriptOf(tables));
    expect(rowsOf(await read(copy, mapped('odd `name')))).toEqual(rowsOf(tables));
  });

  test('rows that refer in a circle, break a CHECK, are numbered 0, and would set off triggers', async () => {
    await schema.exec(
      'CREATE TABLE egg (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, hen_id BIGINT NULL, n INT, twice INT AS (2 * n) VIRTUAL)',
      `CREATE TABLE hen (id BIGINT NOT NULL PRIMARY KEY, egg_id BIGINT NULL, CONSTRAINT few CHECK (id < 100),
         CONSTRAINT fk_hen_egg FOREIGN KEY (egg_id) REFERENCES egg (id))`,
      'ALTER TABLE egg ADD CONSTRAINT fk_egg_hen FOREIGN KEY (hen_id) REFERENCES hen (id)',
      "SET foreign_key_checks = 0, sql_mode = 'NO_AUTO_VALUE_ON_ZERO'",
      'INSERT INTO egg (id, hen_id, n) VALUES (0, 1, 5), (7, 2, NULL)',
      'INSERT INTO hen VALUES (1, 7), (2, 0)',
      "SET foreign_key_checks = 1, sql_mode = ''",
      `CREATE DEFINER = 'nobody'@'nowhere' TRIGGER more BEFORE INSERT ON egg FOR EACH ROW BEGIN SET NEW.n = 1; SET @x = ';;'; END`,
    );
    if (server.isMariadb)
      await schema.exec(
        'SET check_constraint_checks = 0',
        'INSERT INTO hen VALUES (500, NULL)',
        'SET check_constraint_checks = 1',
      );
    const tables = await read(schema, mapped('egg', 'hen'));
    await runMysqlScript(copy.url, scriptOf(tables));
    const copied = await read(copy, mapped('egg', 'hen'));
    expect(rowsOf(copied)).toEqual(rowsOf(tables));
    const structure = ({ table: { foreignKeys, triggers, generatedColumns } }: Read) => ({
      foreignKeys, generatedColumns, triggers: triggers.map(({ name, sqlMode }) => ({ name, sqlMode })),
    }); // prettier-ignore
    expect(copied.map(structure)).toEqual(tables.map(structure));
    await copy.exec('INSERT INTO egg (n) VALUES (9)');
    const [rows] = await copy.connection.query('SELECT id, n FROM egg ORDER BY id DESC LIMIT 1');
    expect(rows).toEqual([{ id: 8, n: 1 }]);
  });

  test('are cut into statements that any server takes, whatever the rows are', async () => {
    await schema.exec(
      'CREATE TABLE wide (id INT NOT NULL PRIMARY KEY, note LONGTEXT)',
      `INSERT INTO wide SELECT seq, REPEAT('x', seq * 500) FROM ${numbers(1, 200)}`,
    );
    const tables = await read(schema, mapped('wide'));
    const statements = tables.flatMap(({ table, batches }) =>
      batches.flatMap((batch) => [...mysqlCodec.sqlScript.inserts(table, batch)]),
    );
    expect(Math.max(...statements.map(({ length }) => length))).toBeLessThan(512 * 1024);
    expect(statements.length).toBeGreaterThan(20);
  });
});
