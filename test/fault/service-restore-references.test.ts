/**
 * A restore that can't be whole, under the whole service: rows of a table that no backup holds refer to what a restored table would
 * lack, or the connection is cut at every attempt. The job says why, and the platform is as it was before.
 */
import { stopMariadb } from '../support/mariadb';
import { describeMariadb, needServer } from '../support/mysql-source';
import { startServiceApp, type ServiceApp } from '../support/service-app';
import { mariadbPlatform, sqlitePlatform, type Platform } from '../support/service-platforms';

jest.setTimeout(180_000);

const ID = { mariadb: 'VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin', sqlite: 'VARCHAR(36)' };
const UNCHECKED = { mariadb: 'SET foreign_key_checks = 0', sqlite: 'PRAGMA foreign_keys = OFF' };

function describeReferences(name: string, openPlatform: () => Promise<Platform>): void {
  describe(`rows of a table that is not backed up, on ${name}`, () => {
    let platform: Platform;
    let service: ServiceApp;

    beforeAll(async () => {
      platform = await openPlatform();
      service = await startServiceApp({ sourceUrl: platform.sourceUrl });
    });
    afterAll(async () => {
      await service.close();
      await platform.remove();
    });

    it('keep a restore from leaving them without their parents', async () => {
      const backupId = await service.client.backup();
      const whole = await platform.state();
      await platform.exec(
        `CREATE TABLE case_notes (id INT NOT NULL PRIMARY KEY, business_id ${ID[platform.kind]} NOT NULL,
           CONSTRAINT fk_note FOREIGN KEY (business_id) REFERENCES businesses (id))`,
        'INSERT INTO case_notes SELECT 1, MIN(id) FROM businesses',
      );
      await platform.dropTables();
      const unchecked = UNCHECKED[platform.kind];
      await platform.exec(unchecked, "INSERT INTO case_notes VALUES (2, 'a business of later')");
      const { jobId } = await service.client.startRestore({ backupId });
      const failure = await service.client.failed(jobId);
      expect(failure).toMatchObject({ code: 'CONFLICT', retryable: false });
      expect(failure.message).toMatch(/table case_notes has 1 row.*business_id.*constraint \w+.*businesses/i);
      // What they refer to is being restored: to restore it as well is no remedy.
      expect(failure.remedy).toMatch(/^Delete or mend those rows.* first, or restore a backup that holds/);
      expect(await platform.tableNames()).toEqual(['case_notes']);
      await platform.exec(unchecked, 'DELETE FROM case_notes WHERE id = 2');
      await service.client.restore({ backupId });
      expect(await platform.state()).toEqual(whole);
    });
  });
}

describeReferences('SQLite', () => sqlitePlatform(50));
describeMariadb('the restore on MariaDB', () => {
  describeReferences('MariaDB', async () => mariadbPlatform(await needServer(), 2000));
  afterAll(() => stopMariadb());
});
