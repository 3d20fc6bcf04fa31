/** One business out of a MariaDB backup of many, through value indexes: exact after moves and cascades, and as few reads on either side. */
import type { BackupId } from '../../src/domain/ids';
import type { SourceMapping } from '../../src/domain/mapping';
import { countingStore, type ChunkReads } from '../support/counting-store';
import { compact, restore } from '../support/engine-context';
import { numbers, type OwnServer } from '../support/mariadb';
import { describeMariadb, needOwnServer } from '../support/mysql-source';
import { MysqlStand } from '../support/mysql-stand';

const OWNED = { kind: 'COLUMN', column: 'business_id' } as const;
const MAPPING: SourceMapping = [
  { dataType: 'BUSINESSES', table: 'tenant' },
  { dataType: 'BUSINESSES', table: 'business', business: { kind: 'COLUMN', column: 'id' } },
  { dataType: 'ASSESSMENTS', table: 'assessment', business: OWNED },
  {
    dataType: 'FACTORS',
    table: 'factor',
    business: { kind: 'PATH', column: 'assessment_id', referencedTable: 'assessment', referencedColumn: 'id' },
  },
  { dataType: 'ALERTS', table: 'alert', business: OWNED },
];
const ID = 'VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci';
const BUSINESSES = 400;
const FACTORS = 4000;

/** Factors spell half of their assessments in capitals, and those of one business are far apart. */
const TABLES = [
  `CREATE TABLE tenant (id ${ID} PRIMARY KEY, name VARCHAR(20)) ENGINE=InnoDB`,
  `CREATE TABLE business (id ${ID} PRIMARY KEY, tenant_id ${ID} NOT NULL, name VARCHAR(20), FOREIGN KEY (tenant_id) REFERENCES tenant (id)) ENGINE=InnoDB`,
  `CREATE TABLE assessment (id ${ID} PRIMARY KEY, tenant_id INT NOT NULL, business_id ${ID} NOT NULL, score INT, KEY (business_id),
     FOREIGN KEY (business_id) REFERENCES business (id) ON DELETE CASCADE) ENGINE=InnoDB`,
  `CREATE TABLE factor (id INT PRIMARY KEY, assessment_id ${ID} NOT NULL, note TEXT, FOREIGN KEY (assessment_id) REFERENCES assessment (id) ON DELETE CASCADE) ENGINE=InnoDB`,
  `CREATE TABLE alert (id INT PRIMARY KEY, tenant_id VARCHAR(9) NOT NULL, business_id ${ID} NOT NULL, note TEXT, KEY (tenant_id, business_id)) ENGINE=InnoDB`,
  `INSERT INTO tenant SELECT CONCAT('t', seq), 'name' FROM ${numbers(1, 5)}`,
  `INSERT INTO business SELECT CONCAT('b', seq), CONCAT('t', 1 + seq % 5), 'name' FROM ${numbers(1, BUSINESSES)}`,
  `INSERT INTO assessment SELECT CONCAT('a', seq), 1, CONCAT('b', 1 + seq % ${BUSINESSES}), seq FROM ${numbers(1, 2 * BUSINESSES)}`,
  `INSERT INTO factor SELECT seq, CONCAT(IF(seq % 2, 'a', 'A'), 1 + seq % ${2 * BUSINESSES}), REPEAT(MD5(seq), 100) FROM ${numbers(1, FACTORS)}`,
  `INSERT INTO alert SELECT seq, CONCAT('T', seq % 7), CONCAT('b', 1 + seq % ${BUSINESSES}), REPEAT(MD5(seq), 100) FROM ${numbers(1, FACTORS)}`,
];

/** Owners of assessments and factors move, whole businesses go with what refers to them, rows change and come. */
const CHANGES = [
  "UPDATE assessment SET business_id = 'b5' WHERE id = 'a77'",
  "UPDATE assessment SET business_id = 'b6' WHERE id = 'a4'",
  "UPDATE factor SET assessment_id = 'A404' WHERE id = 100",
  "UPDATE alert SET business_id = 'b5', note = 'moved' WHERE id % 900 = 0",
  "DELETE FROM assessment WHERE id = 'a77' AND business_id = 'b9'",
  "DELETE FROM business WHERE id = 'b9'",
  "INSERT INTO factor VALUES (9001, 'a404', 'new')",
];

const OF: Record<string, (id: string) => string> = {
  business: (id) => `id = '${id}'`,
  assessment: (id) => `business_id = '${id}'`,
  factor: (id) => `assessment_id IN (SELECT id FROM assessment WHERE business_id = '${id}')`,
  alert: (id) => `business_id = '${id}'`,
};

type Rows = Record<string, unknown[][]>;

describeMariadb('one business of many', () => {
  /** Of its own: what the server counts as read must be read by nobody else. */
  let own: OwnServer;
  let stand: MysqlStand;
  let first: BackupId;
  let backups: { kind: string; id: BackupId; wanted: Rows }[];
  beforeAll(async () => {
    const started = await needOwnServer();
    own = started.own;
    stand = await MysqlStand.open(TABLES, MAPPING, { server: started.server });
    await stand.exec('ANALYZE TABLE business, assessment, factor, alert');
    first = await stand.backup();
    await stand.exec(...CHANGES);
    backups = [{ kind: 'incremental', id: await stand.backup({ type: 'INCREMENTAL' }), wanted: await rows('b5') }];
    await stand.exec(
      "UPDATE alert SET note = 'once more' WHERE id % 1100 = 4",
      'DELETE FROM factor WHERE id % 700 = 3',
    );
    const id = await stand.backup({ type: 'INCREMENTAL' });
    backups.push({ kind: 'second incremental', id, wanted: await rows('b5') });
    const again = await stand.backup({ type: 'DIFFERENTIAL' });
    await compact(stand.bench, again);
    backups.push({ kind: 'compacted', id: again, wanted: await rows('b5') });
    backups.push({ kind: 'full', id: await stand.backup(), wanted: await rows('b5') });
  }, 60_000);
  afterAll(async () => {
    await stand.close();
    await own.remove();
  });

  /** The rows of a business, or of all others, with what they hold. */
  async function rows(id: string, whose = ''): Promise<Rows> {
    const found: Rows = {};
    for (const [table, of] of Object.entries(OF))
      found[table] = await stand.rows(`SELECT t.*, NULL FROM ${table} t WHERE ${whose}(${of(id)}) ORDER BY t.id`);
    return found;
  }

  async function restored(id: BackupId): Promise<{ reads: ChunkReads; notes: string[]; rowsRead: number }> {
    const { store, reads } = countingStore(stand.store);
    const before = await rowsRead();
    const { notes } = await restore({ ...stand.bench, store }, { backupId: id, type: 'BUSINESS', businessId: 'b5' });
    return { reads, notes, rowsRead: (await rowsRead()) - before };
  }

  async function rowsRead(): Promise<number> {
    const counters = await stand.rows(
      "SHOW GLOBAL STATUS WHERE Variable_name IN ('Handler_read_next', 'Handler_read_rnd_next')",
    );
    return counters.reduce((sum, [, count]) => sum + Number(count), 0);
  }

  const DAMAGE = [
    "UPDATE alert SET note = 'damaged' WHERE business_id = 'b5' AND id < 2000",
    "DELETE FROM alert WHERE business_id = 'b5' AND id > 3000",
    "INSERT INTO alert VALUES (10000, 'T9', 'b5', 'too many')",
    "INSERT INTO assessment VALUES ('extra', 1, 'b5', 1)",
    "INSERT INTO factor VALUES (-1, 'extra', 'before all'), (10000, 'EXTRA', 'after all')",
    "DELETE FROM factor WHERE assessment_id = 'a404' AND id % 2 = 0",
  ];

  test.each([0, 1, 2, 3])(
    'comes back exactly from backup %i, with no chunk read in vain and few rows of the platform',
    async (number) => {
      const { id, kind, wanted } = backups[number]!;
      await stand.exec(...DAMAGE);
      const others = await rows('b5', 'NOT ');
      const { reads, notes, rowsRead: read } = await restored(id);
      expect(await rows('b5')).toEqual(wanted);
      expect(await rows('b5', 'NOT ')).toEqual(others);
      expect(notes).toEqual([]);
      const ownRows = Object.values(wanted).flat().length;
      expect(new Set(reads.base).size).toBe(reads.base.length);
      expect(reads.base.length).toBeLessThanOrEqual(ownRows + MAPPING.length);
      expect(reads.delta.length > 0).toBe(kind.endsWith('incremental'));
      expect(read).toBeLessThan(FACTORS);
    },
  );

  test('is not restored over rows that are others’ by now', async () => {
    const [before, others] = [await rows('b5'), await rows('b5', 'NOT ')];
    await expect(restored(first)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('assessment') as string,
    });
    expect([await rows('b5'), await rows('b5', 'NOT ')]).toEqual([before, others]);
  });

  test('is gone with its tenant, and comes back with it', async () => {
    const { id, wanted } = backups[3]!;
    await stand.exec(
      "DELETE FROM alert WHERE business_id = 'b5'",
      "DELETE FROM business WHERE tenant_id = 't1'",
      "DELETE FROM tenant WHERE id = 't1'",
    );
    await restored(id);
    expect(await rows('b5')).toEqual(wanted);
    expect(await stand.rows("SELECT id FROM tenant WHERE id = 't1'")).toEqual([['t1']]);
  });
});
