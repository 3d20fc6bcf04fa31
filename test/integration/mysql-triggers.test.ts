/** Triggers can't be switched off on MariaDB: a restore in place ends exactly right all the same, or changes nothing. */
import type { SourceMapping } from '../../src/domain/mapping';
import { numbers, stopMariadb } from '../support/mariadb';
import { describeMariadb } from '../support/mysql-source';
import { MysqlStand } from '../support/mysql-stand';

const MAPPING: SourceMapping = [
  { dataType: 'CONFIG', table: 'item' },
  { dataType: 'HISTORY', table: 'item_log' },
];

describeMariadb('triggers on restored tables', () => {
  let stand: MysqlStand;
  afterAll(() => stopMariadb());
  beforeEach(async () => {
    stand = await MysqlStand.open(
      [
        'CREATE TABLE item (id INT PRIMARY KEY, v VARCHAR(20), moved INT NOT NULL DEFAULT 0)',
        'CREATE TABLE item_log (id INT AUTO_INCREMENT PRIMARY KEY, item_id INT, INDEX (item_id))',
        'CREATE TABLE audit (id INT AUTO_INCREMENT PRIMARY KEY, item_id INT)',
        `INSERT INTO item (id, v) SELECT seq, 'x' FROM ${numbers(1, 50)}`,
        `INSERT INTO item_log (item_id) SELECT seq FROM ${numbers(1, 50)}`,
      ],
      MAPPING,
    );
  });
  afterEach(() => stand.close());

  async function damagedBackup(trigger: string) {
    const before = await stand.state();
    const id = await stand.backup();
    await stand.exec("UPDATE item SET v = 'spoiled' WHERE id = 7", 'DELETE FROM item WHERE id = 8', trigger);
    return { id, before, damaged: await stand.state() };
  }

  test('that change the written row make the restore roll back, and name themselves in the plan', async () => {
    const { id, damaged } = await damagedBackup(
      'CREATE TRIGGER item_moved BEFORE INSERT ON item FOR EACH ROW SET NEW.moved = 1',
    );
    const plan = await stand.restore(id, { dryRun: true });
    expect(plan.tables[0]?.warnings).toEqual([expect.stringContaining('item_moved')]);
    const expected = { code: 'CONFLICT', hint: expect.stringContaining('triggers on item') };
    await expect(stand.restore(id)).rejects.toMatchObject(expected);
    expect(await stand.state()).toEqual(damaged);
    expect(await stand.connections()).toEqual([]);
  });

  test('on updates are gone round by deleting and inserting', async () => {
    const { id, before } = await damagedBackup(
      'CREATE TRIGGER item_moved BEFORE UPDATE ON item FOR EACH ROW SET NEW.moved = OLD.moved + 1',
    );
    await stand.restore(id);
    expect(await stand.state()).toEqual(before);
  });

  test('that write to another restored table make it roll back too', async () => {
    const { id, before, damaged } = await damagedBackup(
      'CREATE TRIGGER item_logged AFTER INSERT ON item FOR EACH ROW INSERT INTO item_log (item_id) VALUES (NEW.id)',
    );
    const expected = { code: 'CONFLICT', message: expect.stringMatching(/item_log .*item_logged/) };
    await expect(stand.restore(id)).rejects.toMatchObject(expected);
    expect(await stand.state()).toEqual(damaged);
    await stand.exec('DROP TRIGGER item_logged');
    await stand.restore(id);
    expect(await stand.state()).toEqual(before);
  });

  test('that write elsewhere are only told of', async () => {
    const { id, before } = await damagedBackup(
      'CREATE TRIGGER item_audit AFTER INSERT ON item FOR EACH ROW INSERT INTO audit (item_id) VALUES (NEW.id)',
    );
    const result = await stand.restore(id);
    expect(result.tables[0]?.warnings).toEqual([expect.stringContaining('item_audit')]);
    expect(result.verifiedRows).toBe(100);
    expect(await stand.state()).toEqual(before);
  });
});
