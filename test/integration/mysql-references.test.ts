/** Rows of other schemas that refer to restored tables: seen by every restore of whole tables. */
import type { BackupId } from '../../src/domain/ids';
import type { Source } from '../../src/domain/source';
import type { RestoreResult } from '../../src/domain/task';
import { restore } from '../support/engine-context';
import { createSchema, stopMariadb, type TestSchema } from '../support/mariadb';
import { describeMariadb, needServer, openTestMysql } from '../support/mysql-source';
import { MysqlStand } from '../support/mysql-stand';

describeMariadb('references from another schema', () => {
  let stand: MysqlStand;
  let other: TestSchema;

  beforeEach(async () => {
    stand = await MysqlStand.open(
      [
        'CREATE TABLE item (id INT PRIMARY KEY, v INT)',
        'INSERT INTO item VALUES (1, 1), (2, 2)',
        'CREATE TABLE other_item (id INT PRIMARY KEY)',
        'INSERT INTO other_item VALUES (1)',
      ],
      ['item', 'other_item'],
    );
    other = await createSchema(await needServer(), 'other');
    await other.exec(
      `CREATE TABLE note (id INT PRIMARY KEY, item_id INT,
         CONSTRAINT fk_note FOREIGN KEY (item_id) REFERENCES \`${stand.schema.name}\`.item (id))`,
      'INSERT INTO note VALUES (1, 2), (2, NULL)',
    );
  });
  afterEach(async () => {
    await other.drop();
    await stand.close();
  });
  afterAll(() => stopMariadb());

  const damage = (...statements: string[]) =>
    stand.exec('SET foreign_key_checks = 0', ...statements, 'SET foreign_key_checks = 1');

  test.each([
    ['dropped with all others', ['DROP TABLE item', 'DROP TABLE other_item'], ['MISSING', 'MISSING']],
    ['dropped alone', ['DROP TABLE item'], ['MISSING', 'FILLED']],
    ['emptied', ['DELETE FROM item', 'DELETE FROM other_item'], ['EMPTY', 'EMPTY']],
  ] as const)('are proven when the table was %s', async (_, statements, states) => {
    const id = await stand.backup();
    await damage(...statements);
    await other.exec('SET foreign_key_checks = 0', 'INSERT INTO note VALUES (3, 77)', 'SET foreign_key_checks = 1');
    await expect(stand.restore(id)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(/table rv_test_other_\w+\.note has 1 row .*item_id.*fk_note.*item: \(77\)/i),
      hint: expect.stringMatching(
        /^Delete or mend those rows of rv_test_other_\w+\.note first, or restore a backup that/,
      ),
    });
    expect([...(await stand.source.tableStates(['item', 'other_item'])).values()]).toEqual(states);
    await other.exec('DELETE FROM note WHERE id = 3');
    await stand.restore(id);
    expect(await stand.rows('SELECT * FROM item ORDER BY id')).toEqual([
      [1, 1],
      [2, 2],
    ]);
    await expect(other.exec('INSERT INTO note VALUES (4, 77)')).rejects.toThrow(/foreign key/);
  });
});

describeMariadb('references from a table that the user can not see', () => {
  const PASSWORD = 'Hidden-1';
  const user = `rv_hidden_${process.pid}`;
  let stand: MysqlStand;
  let other: TestSchema;
  let source: Source;

  beforeEach(async () => {
    const items = ['CREATE TABLE `it-em` (id INT PRIMARY KEY, v INT)', 'INSERT INTO `it-em` VALUES (1, 1), (2, 2)'];
    stand = await MysqlStand.open([...items, 'CREATE TABLE kept (id INT PRIMARY KEY)'], ['it-em', 'kept']);
    other = await createSchema(await needServer(), 'hid-den');
    await other.exec(
      `CREATE TABLE note (id INT PRIMARY KEY, item_id INT,
         CONSTRAINT fk_hidden FOREIGN KEY (item_id) REFERENCES \`${stand.schema.name}\`.\`it-em\` (id))`,
      `CREATE USER ${user} IDENTIFIED BY '${PASSWORD}'`,
      `GRANT ALL ON \`${stand.schema.name}\`.* TO ${user}`,
      `GRANT PROCESS ON *.* TO ${user}`,
    );
    const url = Object.assign(new URL(stand.schema.url), { username: user, password: PASSWORD });
    source = openTestMysql(url.href, stand.mapping);
  });
  afterEach(async () => {
    await source.close();
    await other.exec(`DROP USER ${user}`);
    await other.drop();
    await stand.close();
  });
  afterAll(() => stopMariadb());

  const restored = (backupId: BackupId) => restore({ ...stand.bench, source }, { backupId });
  const refused = {
    code: 'CONFLICT',
    message: expect.stringMatching(/rows of rv_test_hid-den_\w+\.note refer to missing rows/),
    hint: expect.stringMatching(/Grant SELECT on rv_test_hid-den_\w+\.note/),
  };
  const items = () => stand.rows('SELECT * FROM `it-em` ORDER BY id');
  const warnings = ({ tables }: RestoreResult) => tables.flatMap((table) => table.warnings);

  test('keep rows from being removed, and nothing else', async () => {
    const backupId = await stand.backup();
    await stand.exec('INSERT INTO `it-em` VALUES (3, 3)', 'UPDATE `it-em` SET v = 7');
    await other.exec('INSERT INTO note VALUES (1, 3)');
    await expect(restored(backupId)).rejects.toMatchObject(refused);
    expect(await items()).toEqual([
      [1, 7],
      [2, 7],
      [3, 7],
    ]);
    await other.exec('DELETE FROM note');
    await stand.exec('DELETE FROM `it-em` WHERE id = 3', 'INSERT INTO kept VALUES (5)');
    expect(warnings(await restored(backupId))).toEqual([]);
    expect(await items()).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });

  test.each(['DELETE FROM', 'DROP TABLE'])('keep tables from being loaded after %s', async (doing) => {
    const backupId = await stand.backup();
    await stand.exec('SET foreign_key_checks = 0', `${doing} \`it-em\``, 'SET foreign_key_checks = 1');
    await expect(restored(backupId)).rejects.toMatchObject(refused);
    await other.exec(`GRANT SELECT ON note TO ${user}`);
    expect(warnings(await restored(backupId))).toEqual([]);
    expect(await items()).toHaveLength(2);
  });

  test('are warned of where nobody tells of them: without PROCESS', async () => {
    const backupId = await stand.backup();
    await other.exec(`REVOKE PROCESS ON *.* FROM ${user}`);
    await stand.exec('UPDATE `it-em` SET v = 7');
    expect(warnings(await restored(backupId))).toEqual([]);
    await stand.exec('INSERT INTO `it-em` VALUES (3, 3)');
    const warned = [expect.stringMatching(/can not see may refer to rows that are gone/)];
    const { tables } = await restored(backupId);
    expect(tables.map(({ table, warnings: of }) => [table, of])).toEqual([
      ['it-em', warned],
      ['kept', []],
    ]);
    await stand.exec('SET foreign_key_checks = 0', 'DROP TABLE `it-em`, kept');
    expect(warnings(await restored(backupId))).toEqual([...warned, ...warned]);
    const findings = await source.diagnose();
    expect(findings.find(({ check }) => check === 'grants: hidden references')).toMatchObject({
      ok: false,
      severity: 'WARNING',
    });
    // Once, beside whichever finding needs it first.
    expect(findings.filter(({ statement }) => statement?.startsWith('GRANT PROCESS ON *.* TO'))).toHaveLength(1);
  });
});
