/** What only SQLite does: its kinds of tables and keys, its journal modes, its freedom of types, the demo database. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../src/domain/ambient';
import { DEFAULT_MAPPING, type SourceMapping } from '../../src/domain/mapping';
import type { Source } from '../../src/domain/source';
import { systemClock } from '../../src/ops/ambient';
import { createDemoDatabase } from '../../src/sources/sqlite/demo';
import { openSqliteSource } from '../../src/sources/sqlite/source';
import type { ContractConnection } from '../contract/source-contract';
import { ALL_TYPES, batchOf, collect, readAll, rowBytes, stream, tableNamed, withRead } from '../support/source-rows';
import { connectSqlite, inTempFolder, openTestSource, sqliteSettings, testAmbient } from '../support/sqlite';

const mapped = (...tables: string[]): SourceMapping => tables.map((table) => ({ dataType: 'CONFIG', table }));

interface Bench {
  path: string;
  folder: string;
  platform: ContractConnection;
  source: Source;
}

/** A database with these statements run, and a source that maps these tables. */
function inDatabase(tables: string[], statements: string[], work: (bench: Bench) => Promise<void>): Promise<void> {
  return inTempFolder(async (folder) => {
    const path = join(folder, 'source.sqlite');
    const platform = connectSqlite(path);
    const source = openTestSource(path, mapped(...tables));
    try {
      for (const statement of statements) await platform.exec(statement);
      await work({ path, folder, platform, source });
    } finally {
      await source.close();
      await platform.close();
    }
  });
}

async function restoreInBulk(source: Source): Promise<void> {
  const kept = await withRead(source, async (read) => ({ tables: read.tables, rows: await readAll(read) }));
  const writer = await source.openBulkWriter({
    jobId: 'copy',
    scratchSchema: 'copy',
    tables: kept.tables,
    connections: 1,
  });
  for (const table of kept.tables) await writer.load(table, stream([batchOf(kept.rows.get(table.table) ?? [])]));
  await writer.finishTables();
  const back = await writer.openReadBack();
  for (const table of kept.tables) {
    expect(rowBytes(await collect(back.readRows(table, {})))).toEqual(kept.rows.get(table.table));
  }
  await writer.publish();
}

const MIXED = `(1), (2.5), ('1'), (x'31'), ('a'), ('B'), (x'00'), (-9223372036854775807), (1e300), ('é')`;

test.each<[string, string, string]>([
  ['a table without rowid', 'CREATE TABLE t (k TEXT PRIMARY KEY, v) WITHOUT ROWID', `('b'), ('a'), ('C'), ('é')`],
  ['keys of every storage class', 'CREATE TABLE t (k NOT NULL PRIMARY KEY, v)', MIXED],
  [
    'a caseless key on a case-sensitive column',
    'CREATE TABLE t (k TEXT NOT NULL, v, PRIMARY KEY (k COLLATE NOCASE))',
    `('b'), ('A'), ('c'), ('D')`,
  ],
  [
    'a case-sensitive key on a caseless column',
    'CREATE TABLE t (k TEXT NOT NULL COLLATE NOCASE, v, PRIMARY KEY (k COLLATE BINARY))',
    `('b'), ('A'), ('a'), ('B')`,
  ],
  ['a descending key', 'CREATE TABLE t (k INT NOT NULL, v, PRIMARY KEY (k DESC))', `(3), (1), (2), (-5)`],
  ['a strict table', 'CREATE TABLE t (k INTEGER PRIMARY KEY, v ANY) STRICT', '(7), (1), (3), (2)'],
])('%s is read in ranges and restored', async (_, create, keys) => {
  await inDatabase(['t'], [create, `INSERT INTO t (k) VALUES ${keys}`], async ({ source }) => {
    await withRead(source, async (read) => {
      const table = tableNamed(read, 't');
      const all = rowBytes(await collect(read.readRows(table, {})));
      expect(all).toHaveLength(keys.split('),').length);
      const ranges = await read.planRanges(table, 1);
      expect(ranges).toHaveLength(all.length);
      const parts: Buffer[] = [];
      for (const range of ranges) parts.push(...rowBytes(await collect(read.readRows(table, { range }))));
      expect(parts).toEqual(all);
    });
    await restoreInBulk(source);
  });
});

test('pages by composite keys seek within the index, whatever the collation', async () => {
  const rows = Array.from({ length: 3000 }, (_, i) => `('${i % 2 ? 'x' : 'Y'}', ${i})`).join(', ');
  const create = 'CREATE TABLE t (k TEXT NOT NULL COLLATE NOCASE, l INT NOT NULL, PRIMARY KEY (k, l))';
  await inDatabase(['t'], [create, `INSERT INTO t VALUES ${rows}`], async ({ source }) => {
    await withRead(source, async (read) => {
      expect(rowBytes(await collect(read.readRows(tableNamed(read, 't'), {})))).toHaveLength(3000);
    });
  });
});

test('large rows among small ones come one by one, and whole', async () => {
  const statements = ['CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB)'];
  for (let i = 0; i < 60; i++)
    statements.push(`INSERT INTO t VALUES (${i}, randomblob(${i % 9 === 0 ? 700_000 : 50}))`);
  await inDatabase(['t'], statements, async ({ source, platform }) => {
    const batches = await withRead(source, (read) => collect(read.readRows(tableNamed(read, 't'), {})));
    expect(rowBytes(batches)).toHaveLength(60);
    for (const batch of batches) expect(batch.bytes.length).toBeLessThan(1_000_000);
    const total = Number((await platform.query('SELECT sum(length(v)) FROM t'))[0]?.[0]);
    expect(rowBytes(batches).reduce((sum, row) => sum + row.length, 0)).toBeGreaterThan(total);
  });
});

test('a table of very many columns is read and restored', async () => {
  const names = Array.from({ length: 1500 }, (_, i) => `c${i}`);
  const create = `CREATE TABLE t (k INTEGER PRIMARY KEY, ${names.join(', ')})`;
  const insert = `INSERT INTO t VALUES (1, ${names.map((_, i) => (i % 3 ? i / 7 : `'v${i}'`)).join(', ')})`;
  await inDatabase(['t'], [create, insert], async ({ source }) => restoreInBulk(source));
});

test('an ON CONFLICT REPLACE of the table replaces nothing', async () => {
  const statements = [
    'CREATE TABLE t (k INTEGER PRIMARY KEY, u INT UNIQUE ON CONFLICT REPLACE)',
    'INSERT INTO t VALUES (1, 10), (2, 20)',
  ];
  await inDatabase(['t'], statements, async ({ source, platform }) => {
    const kept = await withRead(source, async (read) => ({ tables: read.tables, rows: await readAll(read) }));
    await platform.exec('DELETE FROM t WHERE k = 1');
    await platform.exec('INSERT INTO t VALUES (3, 10)');
    const writer = await source.openChangeWriter({ jobId: 'j', tables: kept.tables });
    const first = batchOf((kept.rows.get('t') ?? []).slice(0, 1));
    await expect(writer.insertRows(tableNamed(kept, 't'), first)).rejects.toMatchObject({ code: 'CONFLICT' });
    await writer.rollback();
    expect(await platform.query('SELECT k FROM t')).toEqual([['2'], ['3']]);
  });
});

test('rows that dangled before a restore do not stop it; those it would add do', async () => {
  const statements = [
    'CREATE TABLE p (k INTEGER PRIMARY KEY)',
    'CREATE TABLE c (k INTEGER PRIMARY KEY, p INT REFERENCES p (k))',
    'INSERT INTO p VALUES (1), (2)',
    'PRAGMA foreign_keys = OFF',
    'INSERT INTO c VALUES (1, 99), (2, 2)',
  ];
  await inDatabase(['p', 'c'], statements, async ({ source }) => {
    const kept = await withRead(source, async (read) => ({ tables: read.tables, rows: await readAll(read) }));
    const rows = kept.rows.get('p') ?? [];
    for (const [row, fine] of [
      [rows[0], true],
      [rows[1], false],
    ] as const) {
      const writer = await source.openChangeWriter({ jobId: 'j', tables: kept.tables });
      await writer.deleteRows(tableNamed(kept, 'p'), batchOf([row as Buffer]));
      if (fine) await writer.checkReferences();
      else await expect(writer.checkReferences()).rejects.toMatchObject({ code: 'CONFLICT' });
      await writer.rollback();
    }
  });
});

test('a row that a CHECK would refuse today comes back in bulk all the same', async () => {
  const statements = [
    'CREATE TABLE t (k INTEGER PRIMARY KEY, v INT CHECK (v > 0))',
    'PRAGMA ignore_check_constraints = ON',
    'INSERT INTO t VALUES (1, -1)',
  ];
  await inDatabase(['t'], statements, async ({ source }) => restoreInBulk(source));
});

test('a database in rollback mode is switched to WAL, so that reading holds up no writer', async () => {
  await inDatabase(['t'], ['CREATE TABLE t (k INTEGER PRIMARY KEY)'], async ({ source, platform }) => {
    expect(await platform.query('PRAGMA journal_mode')).toEqual([['delete']]);
    const findings = await source.diagnose();
    expect(findings.find(({ check }) => check === 'journal mode')).toMatchObject({ ok: false, severity: 'WARNING' });
    await withRead(source, async () => platform.exec('INSERT INTO t VALUES (1)'));
    expect(await platform.query('PRAGMA journal_mode')).toEqual([['wal']]);
  });
});

test('a UTF-16 database is refused, with what to do', async () => {
  const statements = ['PRAGMA encoding = "UTF-16"', 'CREATE TABLE t (k INTEGER PRIMARY KEY)'];
  await inDatabase(['t'], statements, async ({ source }) => {
    expect(await source.checkMapping()).toMatchObject([
      { problem: 'UNSUPPORTED', hint: expect.stringContaining('UTF-8') },
    ]);
    const read = source.openConsistentRead({ dataTypes: ALL_TYPES, connections: 1 });
    await expect(read).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' });
  });
});

test('a virtual table is no table', async () => {
  await inDatabase(['f'], ['CREATE VIRTUAL TABLE f USING fts5 (x)'], async ({ source }) => {
    expect(await source.checkMapping()).toMatchObject([{ problem: 'NOT_A_TABLE' }]);
  });
});

test('a file that is no database is named as such, and left alone', async () => {
  await inTempFolder(async (folder) => {
    const path = join(folder, 'source.sqlite');
    writeFileSync(path, 'not a database, '.repeat(300));
    const source = openTestSource(path, mapped('t'));
    await expect(source.info()).resolves.toBeDefined();
    await expect(source.checkMapping()).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE', retryable: false });
    const read = source.openConsistentRead({ dataTypes: ALL_TYPES, connections: 1 });
    await expect(read).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
    await source.close();
  });
});

test('a writer that never lets go makes the restore fail, to be tried again', async () => {
  const impatient: Clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() * 100 };
  await inDatabase(['t'], ['CREATE TABLE t (k INTEGER PRIMARY KEY)'], async ({ path, platform }) => {
    const source = openSqliteSource({ settings: sqliteSettings(path, mapped('t')), ...testAmbient, clock: impatient });
    const { tables } = await source.openConsistentRead({ dataTypes: ALL_TYPES, connections: 1 });
    await platform.exec('BEGIN IMMEDIATE');
    const opening = source.openChangeWriter({ jobId: 'j', tables });
    await expect(opening).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE', retryable: true });
    await platform.exec('COMMIT');
    await (await source.openChangeWriter({ jobId: 'j', tables })).rollback();
    await source.close();
  });
});

test('a scratch file that somebody else made is neither filled nor dropped', async () => {
  await inDatabase(['t'], ['CREATE TABLE t (k INTEGER PRIMARY KEY)'], async ({ path, source }) => {
    copyFileSync(path, `${path}.mine.scratch.sqlite`);
    const { tables } = await source.openConsistentRead({ dataTypes: ALL_TYPES, connections: 1 });
    const opening = source.openBulkWriter({ jobId: 'j', scratchSchema: 'mine', tables, connections: 1 });
    await expect(opening).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(source.dropScratch('mine')).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    expect(existsSync(`${path}.mine.scratch.sqlite`)).toBe(true);
  });
});

test('a statement in a backup that does anything but create its table is not run', async () => {
  await inDatabase(
    ['t'],
    ['CREATE TABLE t (k INTEGER PRIMARY KEY)', 'CREATE TABLE safe (k)'],
    async ({ source, platform }) => {
      const table = (await source.openConsistentRead({ dataTypes: ALL_TYPES, connections: 1 })).tables[0];
      await platform.exec('DROP TABLE t');
      for (const createStatement of ['DROP TABLE safe', 'CREATE TABLE other (k)', 'CREATE TABLE t (z)']) {
        const tables = [{ ...table, createStatement } as never];
        const opening = source.openBulkWriter({ jobId: 'j', tables, connections: 1 });
        await expect(opening).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' });
      }
      expect(await platform.query(`SELECT name FROM sqlite_schema WHERE type = 'table'`)).toEqual([['safe']]);
    },
  );
});

describe('the demo database', () => {
  test('is whole, consistent, mapped by default, and made once', async () => {
    await inTempFolder(async (folder) => {
      const path = join(folder, 'new', 'demo.sqlite');
      expect(await createDemoDatabase(path, { businesses: 12 })).toBeGreaterThan(300);
      expect(await createDemoDatabase(path, { businesses: 12 })).toBe(0);
      expect(readdirSync(join(folder, 'new'))).toEqual(['demo.sqlite']);
      const platform = connectSqlite(path);
      expect(await platform.query('PRAGMA foreign_key_check')).toEqual([]);
      expect(await platform.query('PRAGMA integrity_check')).toEqual([['ok']]);
      await platform.close();
      const source = openTestSource(path, DEFAULT_MAPPING);
      expect(await source.checkMapping()).toEqual([]);
      expect((await source.diagnose()).filter(({ severity, ok }) => !ok && severity === 'ERROR')).toEqual([]);
      await restoreInBulk(source);
      await source.close();
    });
  });

  test('begins anew where an earlier start was cut off', async () => {
    await inTempFolder(async (folder) => {
      const path = join(folder, 'demo.sqlite');
      writeFileSync(`${path}.unfinished`, 'half');
      expect(await createDemoDatabase(path, { businesses: 2 })).toBeGreaterThan(0);
      expect(readdirSync(folder)).toEqual(['demo.sqlite']);
    });
  });

  test('takes away what a dead builder left, and nothing of a living one', async () => {
    await inTempFolder(async (folder) => {
      const path = join(folder, 'demo.sqlite');
      const dead = spawnSync(process.execPath, ['-e', '']).pid;
      writeFileSync(`${path}.${dead}.unfinished`, 'half');
      writeFileSync(`${path}.${dead}.unfinished-journal`, 'half');
      writeFileSync(`${path}.${process.ppid}.unfinished`, 'half');
      expect(await createDemoDatabase(path, { businesses: 2 })).toBeGreaterThan(0);
      expect(readdirSync(folder).sort()).toEqual(['demo.sqlite', `demo.sqlite.${process.ppid}.unfinished`]);
    });
  });
});
