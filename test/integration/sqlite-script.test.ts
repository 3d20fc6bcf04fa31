/** Scripts of SQLite, run by its shell: every storage class, odd text, all doubles to the bit, and what a table has beside its rows. */
import fc from 'fast-check';
import { join } from 'node:path';
import type { SourceMapping } from '../../src/domain/mapping';
import { realLiteral } from '../../src/sources/sqlite/sql-script';
import { sqliteCodec } from '../../src/sources/sqlite/row-encoding';
import { collect, rowBytes, withRead } from '../support/source-rows';
import { connectSqlite, inTempFolder, openTestSource } from '../support/sqlite';
import { runSqliteScript } from '../support/sql-clients';
import Libsql from 'libsql';

const mapped = (...tables: string[]): SourceMapping => tables.map((table) => ({ dataType: 'CONFIG', table }));

/** Rows and structures as they are, and as a script of them makes them anew. */
async function copied(
  tables: string[],
  statements: string[],
  look: (path: string) => Promise<void> = async () => undefined,
) {
  return inTempFolder(async (folder) => {
    const [path, copy] = [join(folder, 'source.sqlite'), join(folder, 'copy.sqlite')];
    const platform = connectSqlite(path);
    for (const statement of statements) await platform.exec(statement);
    await platform.close();
    const was = await readTables(path, tables);
    await runSqliteScript(copy, Buffer.from(was.script));
    const is = await readTables(copy, tables);
    await look(copy);
    return { was: was.found, is: is.found };
  });
}

async function readTables(path: string, names: string[]) {
  const source = openTestSource(path, mapped(...names));
  try {
    return await withRead(source, async (read) => {
      const { sqlScript } = sqliteCodec;
      const found = new Map<string, unknown>();
      let script = sqlScript.begin() + read.tables.map((table) => sqlScript.createTable(table)).join('');
      for (const table of read.tables) {
        const batches = await collect(read.readRows(table, {}));
        const inserts = batches.flatMap((batch) => [...sqlScript.inserts(table, batch)]);
        script += [sqlScript.beforeRows(table), ...inserts, sqlScript.afterRows(table)].join('');
        const { createStatement, indexes, triggers, lastNumber } = table;
        const rows = rowBytes(batches).map((row) => row.toString('hex'));
        found.set(table.table, { rows, createStatement, indexes, triggers, lastNumber });
      }
      return { script: script + sqlScript.end(), found };
    });
  } finally {
    await source.close();
  }
}

test('every storage class, in columns of every affinity', async () => {
  const values = [
    'NULL', '0', '-9223372036854775808', '9223372036854775807', '1.5', '0.1', '1e300', '-1e-300', '9e999', '-9e999', '-0.0', '5e-324',
    "''", "'text'", "'it''s'", "'é😀'", "'12'", "'1e5'", "'a'||char(10)||'b'", "'a'||char(13,10)||'.quit'", "char(13)", "'a'||char(0)||'b'",
    "CAST(x'ff00fe' AS TEXT)", "x''", "x'00ff'", "CAST('text' AS BLOB)",
  ]; // prettier-ignore
  const rows = values.map((value, i) => `(${i}, ${value}, ${value}, ${value}, ${value}, ${value})`);
  const { was, is } = await copied(
    ['every', 'odd "name"'],
    [
      'CREATE TABLE every (id INTEGER PRIMARY KEY, a, b TEXT, c INTEGER, d REAL, e BLOB)',
      `INSERT INTO every VALUES ${rows.join(', ')}`,
      `CREATE TABLE "odd ""name""" (k TEXT PRIMARY KEY, v) WITHOUT ROWID`,
      `INSERT INTO "odd ""name""" VALUES ('b', 1), ('a', 2.0)`,
    ],
  );
  expect(is).toEqual(was);
});

test('numbers given out, indexes, triggers that do not fire, broken CHECKs, references in a circle', async () => {
  let written = '';
  const { was, is } = await copied(
    ['egg', 'hen'],
    [
      'PRAGMA foreign_keys = OFF',
      'PRAGMA ignore_check_constraints = ON',
      `CREATE TABLE egg (id INTEGER PRIMARY KEY AUTOINCREMENT, hen_id REFERENCES hen (id), n INT CHECK (n < 9), twice AS (2 * n))`,
      'CREATE TABLE hen (id INTEGER PRIMARY KEY ON CONFLICT REPLACE, egg_id REFERENCES egg (id))',
      'INSERT INTO egg (id, hen_id, n) VALUES (1, 2, 5), (2, 1, 100), (40, NULL, 1)',
      'DELETE FROM egg WHERE id = 40',
      'INSERT INTO hen VALUES (1, 2), (2, 1)',
      'CREATE INDEX some ON egg (n) WHERE n > 1',
      `CREATE TRIGGER more AFTER INSERT ON egg BEGIN UPDATE egg SET n = 7 WHERE id = NEW.id; END`,
    ],
    async (path) => {
      const copy = connectSqlite(path);
      await copy.exec('INSERT INTO egg (n) VALUES (1)');
      written = String(await copy.query('SELECT id, n FROM egg ORDER BY id DESC LIMIT 1'));
      await copy.close();
    },
  );
  expect(is).toEqual(was);
  expect(written).toBe('41,7');
});

test('every double, to the bit', () => {
  const database = new Libsql(':memory:');
  const bits = (value: number): string => {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, value);
    return view.getBigUint64(0).toString(16);
  };
  const readBack = (value: number): number =>
    (
      database
        .prepare(`SELECT ${realLiteral(value)}`)
        .raw()
        .get() as [number]
    )[0];
  const examples = [0, 1, 0.1, 1 / 3, 1e22, 1e23, 5e-324, 2.2250738585072014e-308, Number.MAX_VALUE, 73.33333333333333];
  try {
    const same = (value: number): void => expect([value, bits(readBack(value))]).toEqual([value, bits(value)]);
    examples.flatMap((value) => [value, -value]).filter((value) => !Object.is(value, -0)).forEach(same); // prettier-ignore
    fc.assert(fc.property(fc.double({ noNaN: true }).filter((value) => !Object.is(value, -0)), same), { numRuns: 2_000 }); // prettier-ignore
  } finally {
    database.close();
  }
});
