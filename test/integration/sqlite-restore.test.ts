/** What SQLite keeps beside rows, and what it does not say by itself: seen by whoever restores. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { backup, restore, type EngineBench } from '../support/engine-context';
import { openStore } from '../support/engine-scenarios';
import { sqliteFixture } from '../support/sqlite';
import { withRead } from '../support/source-rows';
import type { ContractConnection, ContractDatabase } from '../contract/source-contract';

describe('a SQLite source', () => {
  let database: ContractDatabase;
  let sql: ContractConnection;
  let bench: EngineBench;
  let folder: string;

  beforeEach(async () => {
    database = await sqliteFixture.createDatabase();
    sql = await database.connect();
    await sql.exec(`CREATE TABLE ticket (id INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT UNIQUE, place INTEGER);
      CREATE UNIQUE INDEX ticket_place ON ticket (place);
      CREATE TABLE seen (id INTEGER PRIMARY KEY, ticket_id INTEGER);
      CREATE VIEW open_ticket AS SELECT t.code FROM ticket t JOIN seen s ON s.ticket_id = t.id;
      CREATE TRIGGER ticket_seen AFTER INSERT ON ticket BEGIN INSERT INTO seen (ticket_id) VALUES (NEW.id); END;
      INSERT INTO ticket (code, place) VALUES ('a', 1), ('b', 2), ('c', 3), ('d', 4);
      DELETE FROM ticket WHERE code = 'd'`);
    folder = mkdtempSync(join(tmpdir(), 'riskvault-sqlite-restore-'));
    const mapping = (['ticket', 'seen'] as const).map((table) => ({ dataType: 'CONFIG' as const, table }));
    bench = { source: database.open(mapping), store: await openStore(folder) };
  });
  afterEach(async () => {
    await bench.source.close();
    await sql.close();
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  const state = async () => [
    await sql.query('SELECT * FROM ticket ORDER BY id'),
    await sql.query('SELECT * FROM seen ORDER BY id'),
    await sql.query('SELECT * FROM open_ticket ORDER BY 1'),
    await sql.query(
      "SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE '%\\_riskvault%' ESCAPE '\\' ORDER BY name",
    ),
  ];
  const lastNumber = async () => (await sql.query("SELECT seq FROM sqlite_sequence WHERE name = 'ticket'"))[0]?.[0];

  test('tells of UNIQUE constraints, so that swapped values are moved aside at once', async () => {
    const [indexes, statements] = await withRead(bench.source, async ({ tables }) => {
      const found = tables.find(({ table }) => table === 'ticket')?.indexes ?? [];
      return [found.map(({ unique, columns }) => [unique, columns]), found.filter(({ statement }) => statement).length];
    });
    expect(indexes).toEqual(expect.arrayContaining([[true, ['code']], [true, ['place']]])); // prettier-ignore
    expect(statements).toBe(1);
    const before = await state();
    const { stored } = await backup(bench);
    await sql.exec(`UPDATE ticket SET code = NULL, place = NULL WHERE id = 1;
      UPDATE ticket SET code = 'a', place = 1 WHERE id = 2; UPDATE ticket SET code = 'b', place = 2 WHERE id = 1`);
    const result = await restore(bench, { backupId: stored.manifest.backupId });
    expect(result).toMatchObject({ mode: 'IN_PLACE', updates: 2, inserts: 0, deletes: 0 });
    expect(result.tables.flatMap(({ warnings }) => warnings)).toEqual([]);
    expect(await state()).toEqual(before);
  });

  test.each([
    ['dropped', 'DROP TABLE ticket; DROP TABLE seen'],
    ['emptied', "DELETE FROM ticket; DELETE FROM seen; DELETE FROM sqlite_sequence WHERE name = 'ticket'"],
    ['spoiled', "UPDATE ticket SET place = 9 WHERE id = 1; UPDATE sqlite_sequence SET seq = 3 WHERE name = 'ticket'"],
  ])('gives out no number twice after a table was %s', async (_, damage) => {
    const before = await state();
    const { stored } = await backup(bench);
    await sql.exec(damage);
    await restore(bench, { backupId: stored.manifest.backupId });
    expect(await state()).toEqual(before);
    expect(await lastNumber()).toBe('4');
  });

  test('keeps a higher number that it gave out since', async () => {
    const { stored } = await backup(bench);
    await sql.exec("INSERT INTO ticket (code) VALUES ('e')");
    await restore(bench, { backupId: stored.manifest.backupId });
    expect(await lastNumber()).toBe('5');
  });

  test('finds the parents of a business whose keys ignore case, though only a key tells its collation', async () => {
    await sql.exec(`CREATE TABLE tenant (id TEXT NOT NULL PRIMARY KEY COLLATE NOCASE, name TEXT);
      CREATE TABLE business (id TEXT NOT NULL PRIMARY KEY, tenant_id TEXT NOT NULL REFERENCES tenant (id));
      INSERT INTO tenant VALUES ('t1', 'One'), ('T2', 'Two'); INSERT INTO business VALUES ('b1', 'T1'), ('b2', 't2')`);
    const source = database.open([
      { dataType: 'BUSINESSES', table: 'tenant' },
      { dataType: 'BUSINESSES', table: 'business', business: { kind: 'COLUMN', column: 'id' } },
    ]);
    const { stored } = await backup({ ...bench, source });
    await sql.exec(`DELETE FROM business; DELETE FROM tenant WHERE id = 't1'`);
    const spec = { backupId: stored.manifest.backupId, type: 'BUSINESS', businessId: 'b1' } as const;
    expect(await restore({ ...bench, source }, spec)).toMatchObject({ inserts: 2 });
    expect(await sql.query('SELECT * FROM tenant ORDER BY name')).toEqual([['t1', 'One'], ['T2', 'Two']]); // prettier-ignore
    await source.close();
  });
});
