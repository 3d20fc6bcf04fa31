/** What becomes of values when a column changes, and of defaults, told without SQLite, against what SQLite itself makes of them. */
import { join } from 'node:path';
import type { TableStructure } from '../../src/domain/table';
import { fitTable } from '../../src/engine/reading/adaptation';
import { sqliteCodec } from '../../src/sources/sqlite/row-encoding';
import { collect, rowBytes } from '../support/source-rows';
import { connectSqlite, inTempFolder, openTestSource } from '../support/sqlite';

const VALUES = ['NULL', '0', '-1', '9007199254740993', '1.5', '1.0', "'1'", "'1.50'", "'x'", "''", "x'00ff'", "'1e3'"];
const TYPES = [
  'INTEGER',
  'BIGINT',
  'TEXT',
  'VARCHAR(9)',
  'BLOB',
  '',
  'REAL',
  'DOUBLE',
  'NUMERIC',
  'DECIMAL(7,4)',
  'DATETIME',
  'ANY',
];
const STRICT_TYPES = ['INTEGER', 'REAL', 'TEXT', 'BLOB', 'ANY'];

type Column = [type: string, strict: string];

interface Read {
  table: TableStructure;
  rows: Buffer[];
}

/** Values as a column of the one type holds them, and as each of the others does that they were stored into. */
async function move([from, strict]: Column, others: readonly Column[]): Promise<{ before: Read; after: Read[] }> {
  return inTempFolder(async (folder) => {
    const path = join(folder, 'source.sqlite');
    const sql = connectSqlite(path);
    await sql.exec(`CREATE TABLE t (n INTEGER PRIMARY KEY, v ${from}) ${strict}`);
    const fill = VALUES.map((value, n) => `INSERT OR IGNORE INTO t VALUES (${n}, ${value})`);
    for (const statement of fill) await sql.exec(statement).catch(() => undefined);
    for (const [i, [to, strictTo]] of others.entries()) {
      await sql.exec(`CREATE TABLE u${i} (n INTEGER PRIMARY KEY, v ${to}) ${strictTo}`);
      const copies = VALUES.map((_, n) => `INSERT INTO u${i} SELECT * FROM t WHERE n = ${n}`);
      for (const statement of copies) await sql.exec(statement).catch(() => undefined);
    }
    await sql.close();
    const [before, ...after] = await readTables(path, ['t', ...others.map((_, i) => `u${i}`)]);
    return { before: before!, after };
  });
}

async function readTables(path: string, tables: readonly string[]): Promise<Read[]> {
  const source = openTestSource(
    path,
    tables.map((table) => ({ dataType: 'CONFIG', table })),
  );
  const read = await source.openConsistentRead({ dataTypes: ['CONFIG'], connections: 1 });
  try {
    const found: Read[] = [];
    for (const name of tables) {
      const table = read.tables.find((candidate) => candidate.table === name)!;
      found.push({ table, rows: rowBytes(await collect(read.readRows(table, {}))) });
    }
    return found;
  } finally {
    await read.close();
    await source.close();
  }
}

describe('changed columns of SQLite', () => {
  const loose = TYPES.map((type): Column => [type, '']);
  const strict = STRICT_TYPES.map((type): Column => [type, 'STRICT']);

  test.each([...loose, ...strict])('%s %s to any other keeps every value, or is refused', async (...from) => {
    const others = [...loose, ...strict];
    const { before, after } = await move(from, others);
    for (const [i, { table, rows }] of after.entries()) {
      const fit = fitTable({ ...before.table, table: table.table }, table, sqliteCodec);
      if (fit.kind !== 'UNFIT') expect([others[i], rows]).toEqual([others[i], before.rows]);
      else expect(fit.problems.filter((problem) => !/^u\d+\.[nv] is /.test(problem))).toEqual([]);
      if (from.join() === others[i]!.join()) expect(fit.kind).toBe('SAME');
    }
  });

  test.each([
    'INTEGER', 'INTEGER NOT NULL DEFAULT 7', 'INTEGER DEFAULT -7', "TEXT NOT NULL DEFAULT 'it''s'", "TEXT DEFAULT ''", 'TEXT DEFAULT 5', 'REAL DEFAULT 0',
    'REAL DEFAULT 1.5', 'NUMERIC DEFAULT 1.5', 'DEFAULT NULL', "BLOB DEFAULT 'x'", 'BOOLEAN NOT NULL DEFAULT TRUE', 'DECIMAL(7,4) DEFAULT 3', "DATETIME DEFAULT 'never'",
  ])('the default of %s is what an inserted row gets', async (definition) => {
    const { field, inserted } = await defaultOf(definition);
    expect(field?.toString('hex')).toBe(inserted.toString('hex'));
  }); // prettier-ignore

  test.each([
    'TEXT DEFAULT (1 + 1)',
    "BLOB DEFAULT x'00'",
    'REAL DEFAULT 1e3',
    "INTEGER DEFAULT '7'",
    "DATETIME DEFAULT '2026-01-01'",
  ])('the default of %s is left to SQLite', async (definition) => {
    expect((await defaultOf(definition)).field).toBeNull();
  });

  test('a column without default that takes no NULL has none', async () => {
    expect((await defaultOf('TEXT NOT NULL', 'c')).field).toBeNull();
  });
});

async function defaultOf(definition: string, also = ''): Promise<{ field: Buffer | null; inserted: Buffer }> {
  return inTempFolder(async (folder) => {
    const path = join(folder, 'source.sqlite');
    const sql = connectSqlite(path);
    await sql.exec(`CREATE TABLE t (n INTEGER PRIMARY KEY, c ${definition})`);
    await sql.exec(also === '' ? 'INSERT INTO t (n) VALUES (1)' : `INSERT INTO t (n, ${also}) VALUES (1, 'x')`);
    await sql.close();
    const [{ table, rows }] = (await readTables(path, ['t'])) as [Read];
    const places = new Int32Array(6);
    sqliteCodec.locate(rows[0]!, 0, 2, places);
    const field = sqliteCodec.defaultField({ column: table.columns[1]!, table });
    return { field, inserted: rows[0]!.subarray(places[3], places[5]) };
  });
}
