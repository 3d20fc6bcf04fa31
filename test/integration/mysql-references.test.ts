/** Rows of other schemas that refer to restored tables: seen by every restore of whole tables. */
import { createSchema, stopMariadb, type TestSchema } from '../support/mariadb';
import { describeMariadb, needServer } from '../support/mysql-source';
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
