/** Restoring into tables of MariaDB whose structure changed since the backup. */
import { mariadbEngineFixture } from '../support/engine-mariadb';
import { canHaveMariadb } from '../support/mariadb';
import { applyTask, plan, run, undoTask } from '../support/engine-context';
import { MysqlStand } from '../support/mysql-stand';
import { describeStructures } from '../support/structure-scenarios';

jest.setTimeout(120_000);
if (canHaveMariadb()) {
  describeStructures('MariaDB', mariadbEngineFixture);
  describe('changed structures on MariaDB alone', describeMariadbAlone);
} else it.skip('changed structures on MariaDB: there is no server', () => undefined);

function describeMariadbAlone(): void {
  let stand: MysqlStand;
  afterEach(() => stand.close());

  const open = async (...statements: string[]): Promise<void> => {
    stand = await MysqlStand.open(statements, ['t']);
  };
  const rows = (columns = '*') => stand.rows(`SELECT ${columns} FROM t ORDER BY 1, 2`);

  it('a trigger that writes to a column which the backup does not know never gets its way', async () => {
    await open('CREATE TABLE t (id INT PRIMARY KEY, v INT)', 'INSERT INTO t VALUES (1, 1), (2, 2)');
    const id = await stand.backup();
    await stand.exec('ALTER TABLE t ADD COLUMN seen INT NULL', 'UPDATE t SET v = 9, seen = 5 WHERE id = 1');
    await stand.exec('CREATE TRIGGER meddling BEFORE UPDATE ON t FOR EACH ROW SET NEW.seen = 6');
    await stand.restore(id); // which goes around it, by deleting and inserting
    expect(await rows()).toEqual([[1, 1, 5], [2, 2, null]]); // prettier-ignore
    await stand.exec('DROP TRIGGER meddling', 'UPDATE t SET v = 9 WHERE id = 1');
    for (const event of ['UPDATE', 'INSERT']) {
      await stand.exec(`CREATE TRIGGER meddling_${event} BEFORE ${event} ON t FOR EACH ROW SET NEW.seen = 6`);
    }
    await expect(stand.restore(id)).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await rows()).toEqual([[1, 9, 5], [2, 2, null]]); // prettier-ignore
  });

  it('a trigger that writes to such a column of a row that is not restored does not get its way either', async () => {
    stand = await MysqlStand.open(
      [
        'CREATE TABLE a (id INT PRIMARY KEY, v INT)',
        'CREATE TABLE b (id INT PRIMARY KEY, v INT)',
        'INSERT INTO a VALUES (1, 1), (2, 2)',
        'INSERT INTO b VALUES (1, 1), (2, 2)',
      ],
      ['a', 'b'],
    );
    const id = await stand.backup();
    await stand.exec('ALTER TABLE b ADD COLUMN extra INT NOT NULL DEFAULT 0', 'UPDATE a SET v = 9 WHERE id = 1');
    for (const event of ['UPDATE', 'INSERT']) {
      await stand.exec(
        `CREATE TRIGGER meddling_${event} AFTER ${event} ON a FOR EACH ROW UPDATE b SET extra = extra + 1`,
      );
    }
    const before = await stand.state();
    await expect(stand.restore(id)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(/Table b got other rows.*meddling/),
    });
    expect(await stand.state()).toEqual(before);
    await stand.exec('DROP TRIGGER meddling_UPDATE', 'DROP TRIGGER meddling_INSERT');
    expect(await stand.restore(id)).toMatchObject({ updates: 1, inserts: 0, deletes: 0 });
  });

  it('a column that was computed at the backup is never left empty', async () => {
    await open(
      'CREATE TABLE t (id INT PRIMARY KEY, v INT, g INT AS (id * 2) STORED)',
      'INSERT INTO t (id, v) VALUES (1, 1), (2, 2)',
    );
    const id = await stand.backup();
    await stand.exec('ALTER TABLE t MODIFY g INT NULL', 'UPDATE t SET v = 9 WHERE id = 2');
    await stand.restore(id); // which inserts no row
    expect(await rows()).toEqual([[1, 1, 2], [2, 2, 4]]); // prettier-ignore
    await stand.exec('DELETE FROM t WHERE id = 1');
    await expect(stand.restore(id)).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringMatching(/the database computed.*t\.g/),
    });
    expect(await rows()).toEqual([[2, 2, 4]]);
  });

  it('a plan or an undo whose tables changed meanwhile is refused, and says what can be done', async () => {
    await open('CREATE TABLE t (id INT PRIMARY KEY, v INT)', 'INSERT INTO t VALUES (1, 1), (2, 2)');
    const id = await stand.backup();
    await stand.exec('UPDATE t SET v = 9');
    const planned = await plan(stand.bench, { backupId: id });
    const restored = await stand.restore(id);
    await stand.exec('ALTER TABLE t ADD COLUMN extra INT NULL');
    await expect(run(applyTask(planned, id), stand.bench)).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringMatching(/changed since the plan.*: t\.extra is new\./),
      hint: 'Make a new plan.',
    });
    await expect(run(undoTask(restored, id), stand.bench)).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringMatching(/changed since the restore.*: t\.extra is new\./),
      hint: expect.stringMatching(/for the time of the undo/),
    });
    await stand.exec('ALTER TABLE t DROP COLUMN extra');
    await run(undoTask(restored, id), stand.bench);
    expect(await rows()).toEqual([[1, 9], [2, 9]]); // prettier-ignore
  });

  it('keys may grow: wider numbers and texts, and an ENUM with members behind', async () => {
    const values = Array.from(
      { length: 6000 },
      (_, i) => `(${i},'${i % 2 ? 'LOW' : 'HIGH'}','k${i}',REPEAT('x', 900))`,
    );
    await open(
      `CREATE TABLE t (n INT, level ENUM('LOW','HIGH'), code VARCHAR(10), note TEXT, PRIMARY KEY (level, n, code))`,
      `INSERT INTO t VALUES ${values.join(', ')}`,
    );
    const id = await stand.backup();
    const before = await rows('n, level, code, note');
    const keyed = `MODIFY n BIGINT, MODIFY level ENUM('LOW','HIGH','CRITICAL'), MODIFY code VARCHAR(40)`;
    await stand.exec(
      `ALTER TABLE t ${keyed}, ADD COLUMN extra DECIMAL(6,2) NOT NULL DEFAULT 1.5`,
      'UPDATE t SET extra = n',
    );
    await stand.exec(`DELETE FROM t WHERE n % 50 = 0`, `UPDATE t SET note = 'x' WHERE n % 7 = 0`);
    await stand.exec(`INSERT INTO t (n, level, code) VALUES (7, 'CRITICAL', 'new'), (9000, 'LOW', 'new')`);
    await stand.restore(id);
    expect(await rows('n, level, code, note')).toEqual(before);
    const wrong = 'SELECT COUNT(*) FROM t WHERE extra <> IF(n % 50 = 0, 1.5, n)';
    expect(await stand.rows(wrong)).toEqual([[0]]);
    await stand.exec('DELETE FROM t');
    expect(await stand.restore(id)).toMatchObject({ mode: 'BULK', verifiedRows: 6000 });
    expect(await rows('n, level, code, note')).toEqual(before);
    const { manifest } = (await stand.store.findManifest(id))!;
    expect(manifest.tables[0]!.layers[0]!.chunkCount).toBeGreaterThan(3);
  });

  it.each([
    ["MODIFY level ENUM('HIGH','LOW')", /t\.level is part of the key/],
    ['MODIFY code VARCHAR(10) COLLATE utf8mb4_general_ci', /t\.code is part of the key/],
    ['MODIFY n DECIMAL(12,2)', /t\.n is part of the key/],
    ['MODIFY n SMALLINT, MODIFY note VARCHAR(9)', /t\.n is .*; t\.note is /],
    ['DROP PRIMARY KEY, ADD PRIMARY KEY (n, level, code)', /t has the key \(n, level, code\)/],
  ])('%s is refused', async (change, message) => {
    await open(
      `CREATE TABLE t (n INT, level ENUM('LOW','HIGH'), code VARCHAR(10) COLLATE utf8mb4_bin, note TEXT, PRIMARY KEY (level, n, code))`,
      `INSERT INTO t VALUES (1, 'LOW', 'a', 'b')`,
    );
    const id = await stand.backup();
    await stand.exec(`ALTER TABLE t ${change}`);
    const refusal = { code: 'SCHEMA_MISMATCH', message: expect.stringMatching(message) };
    await expect(stand.restore(id)).rejects.toMatchObject(refusal);
  });
}
