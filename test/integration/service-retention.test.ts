/**
 * Legal holds and retention in the whole service: what a preview says is freed is what is freed; holds outlive the catalog; and a
 * catalog that is older than the repository, or empty, makes no cleanup delete what the manifests do not let go.
 */
import Libsql from 'libsql';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  DeleteBackupDocument, OverviewDocument, PlaceLegalHoldDocument, PreviewRetentionDocument, ReleaseLegalHoldDocument,
} from '../support/generated/operations'; // prettier-ignore
import { damageStatements, sqlitePlatform, type Platform } from '../support/service-platforms';
import { ServiceProcess } from '../support/service-process';

jest.setTimeout(120_000);

let platform: Platform;
let service: ServiceProcess;
beforeAll(async () => {
  platform = await sqlitePlatform(60);
});
afterAll(() => platform.remove());
beforeEach(async () => {
  service = new ServiceProcess({ sourceUrl: platform.sourceUrl, passphrase: 'a passphrase' });
  await service.start();
});
afterEach(() => service.remove());

const files = (folder: string): string[] =>
  readdirSync(join(service.path, 'repository', folder), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.json'),
  );
const inCatalog = (sql: string, from = 'catalog.sqlite'): void => {
  const database = new Libsql(join(service.path, from));
  try {
    database.exec(sql);
  } finally {
    database.close();
  }
};
const loseCatalog = (): void => {
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(service.path, `catalog.sqlite${suffix}`), { force: true });
};
const packBytes = async (): Promise<number> =>
  Number((await service.client.send(OverviewDocument, {})).repository.packBytes);
const hold = async (backupId: string): Promise<string> => {
  const input = { backupId, reason: 'Case 4711' };
  const { placeLegalHold } = await service.client.send(PlaceLegalHoldDocument, { input });
  expect(placeLegalHold.errors).toEqual([]);
  return placeLegalHold.legalHold!.id;
};

it('a preview frees just what it says, with chunks that backups share', async () => {
  const everything = await service.client.backup();
  const backups: string[] = [];
  for (let state = 0; state < 4; state++) {
    await platform.exec(...damageStatements(state));
    for (const type of ['FULL', 'INCREMENTAL'] as const) {
      backups.push(await service.client.backup({ type, dataTypes: ['TRENDS', 'HISTORY'] })); // the second one shares all with the first
    }
  }
  await hold(backups[2]!);
  const variables = { policy: { keepLast: 2 }, ignoreExpiry: true, first: 100 };
  const { previewRetention } = await service.client.send(PreviewRetentionDocument, variables);
  const expiring = previewRetention.expire.nodes.map(({ backup }) => backup!.id);
  const kept = [everything, backups[2]!, backups[6]!, backups[7]!];
  expect(expiring.sort()).toEqual(backups.filter((id) => !kept.includes(id)).sort());
  expect(Number(previewRetention.freedBytes)).toBeGreaterThan(0);

  const before = await packBytes();
  for (const id of expiring) await service.client.completed(await service.client.startDelete(id));
  expect(before - (await packBytes())).toBe(Number(previewRetention.freedBytes));
  for (const id of kept) expect(await service.client.verify(id)).toMatchObject({ passed: true });
});

it('holds are there again on an empty catalog, and go with those that the repository has no more', async () => {
  const [kept, freed] = [await service.client.backup(), await service.client.backup()];
  await hold(kept);
  const released = await hold(freed);
  await service.stop();
  loseCatalog();
  await service.start();
  expect((await service.client.getBackup(kept)).legalHold).toMatchObject({ reason: 'Case 4711', createdBy: 'local' });
  const { deleteBackup } = await service.client.send(DeleteBackupDocument, { input: { backupId: kept } });
  expect(deleteBackup).toMatchObject({ job: null, errors: [{ code: 'LEGAL_HOLD' }] });

  // Released behind the catalog's back: as by another service, after the catalog was copied.
  const uuid = Buffer.from(released, 'base64url').toString().split(':')[1]!;
  const [name] = files('holds').filter((file) => file.includes(uuid));
  rmSync(join(service.path, 'repository/holds', name!));
  await service.restart();
  expect((await service.client.getBackup(freed)).legalHold).toBeNull();
  await service.client.completed(await service.client.startDelete(freed));
  const input = { backupId: kept };
  expect((await service.client.send(ReleaseLegalHoldDocument, { input })).releaseLegalHold.errors).toEqual([]);
  await service.client.completed(await service.client.startDelete(kept));
  expect([files('manifests'), files('holds')]).toEqual([[], []]);
});

it('a catalog in which everything looks expired deletes nothing; nor does one that lacks a hold', async () => {
  const [first, second] = [await service.client.backup(), await service.client.backup()];
  await hold(second);
  inCatalog('UPDATE backups SET expires_at = 1; DELETE FROM legal_holds');
  expect(await service.client.backups()).toEqual([]); // all EXPIRED, as this catalog has it
  const job = await service.client.getJob(await cleaned());
  expect(job.cleanup).toMatchObject({ deletedBackupIds: [], kept: [] });
  expect(files('manifests')).toHaveLength(2);

  // The catalog knows nothing of the hold; the repository does.
  const deletion = await service.client.getJob(await deleted(second));
  const kept = [{ backupId: second, reason: expect.stringContaining('legal hold') as string }];
  expect(deletion.cleanup).toMatchObject({ deletedBackupIds: [], kept });
  expect(files('manifests')).toHaveLength(2);

  await service.restart();
  expect((await service.client.backups()).sort()).toEqual([first, second].sort());
  expect((await service.client.getBackup(second)).legalHold).not.toBeNull();
});

it('an older copy of the catalog, and an empty one, delete nothing that came after them', async () => {
  const early = await service.client.backup();
  await service.stop();
  inCatalog(`VACUUM INTO '${join(service.path, 'older.sqlite')}'`);
  await service.start();
  const late = await service.client.backup({ type: 'INCREMENTAL' });
  for (const older of [true, false]) {
    await service.stop();
    loseCatalog();
    if (older) inCatalog(`VACUUM INTO '${join(service.path, 'catalog.sqlite')}'`, 'older.sqlite');
    await service.start();
    await cleaned();
    expect((await service.client.backups()).sort()).toEqual([early, late].sort());
    expect(files('manifests')).toHaveLength(2);
    expect(await service.client.verify(late)).toMatchObject({ passed: true });
  }
});

async function cleaned(): Promise<string> {
  const jobId = await service.client.startCleanUp();
  await service.client.completed(jobId);
  return jobId;
}

async function deleted(backupId: string): Promise<string> {
  const jobId = await service.client.startDelete(backupId);
  await service.client.completed(jobId);
  return jobId;
}
