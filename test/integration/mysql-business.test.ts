/** One business of many, on MariaDB: found by the tenant's index too, exactly; and never at another business's cost. */
import type { SourceMapping } from '../../src/domain/mapping';
import { numbers, type MariadbServer, type OwnServer } from '../support/mariadb';
import { describeMariadb, needOwnServer } from '../support/mysql-source';
import { MysqlStand } from '../support/mysql-stand';
import { collect, rowBytes } from '../support/source-rows';

const OWNED = { kind: 'COLUMN', column: 'business_id' } as const;
const MAPPING: SourceMapping = [
  { dataType: 'BUSINESSES', table: 'business', business: { kind: 'COLUMN', column: 'id' } },
  { dataType: 'ALERTS', table: 'alert', business: OWNED },
  { dataType: 'HISTORY', table: 'history', business: OWNED },
];

const TABLES = [
  'CREATE TABLE business (id VARCHAR(20) COLLATE utf8mb4_bin PRIMARY KEY, name VARCHAR(20))',
  `CREATE TABLE alert (id INT PRIMARY KEY, tenant_id VARCHAR(20) NULL, business_id VARCHAR(20) COLLATE utf8mb4_bin NULL, note TEXT,
     KEY (tenant_id, business_id))`,
  'CREATE TABLE history (id INT PRIMARY KEY, business_id VARCHAR(20) COLLATE utf8mb4_bin NULL)',
  `INSERT INTO business SELECT CONCAT('b', seq), 'name' FROM ${numbers(1, 100)}`,
  `INSERT INTO alert SELECT seq, CONCAT('Tenant-', seq % 7), CONCAT('b', 1 + seq % 100), REPEAT('x', 500) FROM ${numbers(1, 20000)}`,
  `INSERT INTO history SELECT seq, CONCAT('b', seq % 100) FROM ${numbers(1, 500)}`,
];

describeMariadb('one business', () => {
  /** Of its own: what the server counts as read must be read by nobody else. */
  let own: OwnServer;
  let server: MariadbServer;
  let stand: MysqlStand;
  beforeAll(async () => {
    ({ own, server } = await needOwnServer());
  });
  afterAll(() => own.remove());
  beforeEach(async () => {
    stand = await MysqlStand.open(TABLES, MAPPING, { server });
  });
  afterEach(() => stand.close());

  const keysOf = (rows: unknown[][]): unknown[] => rows.map(([id]) => id);

  test('is found with rows of no tenant, of strange tenants, and by few reads', async () => {
    await stand.exec(
      'UPDATE alert SET tenant_id = NULL WHERE id = 4',
      "UPDATE alert SET tenant_id = '' WHERE id = 104",
      "UPDATE alert SET tenant_id = 'nobody''s \\\\ é🚀' WHERE id = 204",
      "UPDATE alert SET tenant_id = 'TENANT-1' WHERE id = 304",
      "UPDATE alert SET tenant_id = 'Tenant-1  ' WHERE id = 404",
      'ANALYZE TABLE alert',
    );
    const expected = keysOf(
      await stand.rows("SELECT id FROM alert IGNORE INDEX (tenant_id) WHERE business_id = 'b5' ORDER BY id"),
    );
    const read = await stand.source.openConsistentRead({
      dataTypes: ['BUSINESSES', 'ALERTS', 'HISTORY'],
      connections: 1,
    });
    const alert = read.tables.find(({ table }) => table === 'alert')!;
    const before = await rowsRead();
    const rows = rowBytes(await collect(read.readRows(alert, { scope: { kind: 'BUSINESS', businessId: 'b5' } })));
    expect(rows.map((row) => Number(row.subarray(1, 1 + (row[0] as number)).toString()))).toEqual(expected);
    expect((await rowsRead()) - before).toBeLessThan(2000);
    await read.close();
  });

  /** Rows that the whole server has read so far, by index or by going on from one. */
  async function rowsRead(): Promise<number> {
    const rows = await stand.rows(
      "SHOW GLOBAL STATUS WHERE Variable_name IN ('Handler_read_next', 'Handler_read_rnd_next')",
    );
    return rows.reduce((sum, [, count]) => sum + Number(count), 0);
  }

  test('whose row is by now another business’s is not restored over it, and the plan says so too', async () => {
    const id = await stand.backup({ type: 'BUSINESS', businessId: 'b5' });
    await stand.exec(
      "UPDATE alert SET business_id = 'b6', note = 'moved' WHERE id = 4",
      "UPDATE alert SET note = 'x' WHERE id = 104",
    );
    const damaged = await stand.state();
    const restored = { type: 'BUSINESS', businessId: 'b5' } as const;
    const refused = { code: 'CONFLICT', message: expect.stringMatching(/alert .*another business/) };
    await expect(stand.restore(id, { ...restored, dryRun: true })).rejects.toMatchObject(refused);
    await expect(stand.restore(id, restored)).rejects.toMatchObject(refused);
    expect(await stand.state()).toEqual(damaged);
    expect(await stand.connections()).toEqual([]);
  });
});
