/**
 * The catalog is an index: a service that starts without it, or with one of before, beside its repository knows every backup as it
 * did, restores it, builds on it, and deletes nothing.
 */
import { cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OverviewDocument } from '../support/generated/operations';
import type { Backup } from '../support/service-client';
import { damageStatements, sqlitePlatform, type Platform } from '../support/service-platforms';
import { ServiceProcess } from '../support/service-process';

jest.setTimeout(120_000);

let platform: Platform;
let service: ServiceProcess;
beforeEach(async () => {
  platform = await sqlitePlatform(40);
  service = new ServiceProcess({ sourceUrl: platform.sourceUrl, passphrase: 'nobody forgets me' });
  await service.start();
});
afterEach(async () => {
  await service.remove();
  await platform.remove();
});

const catalogFiles = (): string[] =>
  ['', '-wal', '-shm'].map((suffix) => join(service.path, `catalog.sqlite${suffix}`));

function loseCatalog(): void {
  for (const file of catalogFiles()) rmSync(file, { force: true });
}

/** All but what only a catalog can know: when a backup was verified last, and the job that took it. */
function facts({ verification: _verification, job: _job, completedAt, ...rest }: Backup): unknown {
  return { ...rest, completed: completedAt !== null };
}

async function statistics(): Promise<unknown> {
  const { forecast: _forecast, ...counted } = (await service.client.send(OverviewDocument, {})).backupStatistics;
  return counted;
}

test('an empty catalog is filled from the repository, and work goes on where it was', async () => {
  const { client } = service;
  const full = await client.backup({ labels: { reason: 'month end' }, retentionDays: 400 });
  await platform.exec(...damageStatements(1));
  const incremental = await client.backup({ type: 'INCREMENTAL' });
  const [businessId = ''] = await platform.values('SELECT id FROM businesses LIMIT 1');
  const business = await client.backup({ type: 'BUSINESS', businessId });
  const ids = [full, incremental, business, await client.backup({ type: 'SYSTEM' })];
  const known = async (): Promise<unknown[]> => (await Promise.all(ids.map((id) => client.getBackup(id)))).map(facts);
  const [before, counted, state] = [await known(), await statistics(), await platform.state()];

  await service.stop();
  loseCatalog();
  await service.start();
  expect(await known()).toEqual(before);
  expect(await client.getBackup(incremental)).toMatchObject({ parent: { id: full } });
  expect(await statistics()).toEqual(counted);

  await platform.exec(...damageStatements(2));
  await client.restore({ backupId: incremental });
  expect(await platform.state()).toEqual(state);

  await platform.exec(...damageStatements(3));
  const next = await client.getBackup(await client.backup({ type: 'INCREMENTAL' }));
  expect(next).toMatchObject({ type: 'INCREMENTAL', parent: { id: incremental } });
  expect(Number(next.changedRowCount)).toBeLessThan(Number(next.rowCount) / 2);
});

test('a catalog of before takes in the backups that came after it, and a cleanup deletes none of them', async () => {
  const { client } = service;
  const first = await client.backup();
  await service.stop();
  const [catalog = ''] = catalogFiles();
  cpSync(catalog, `${catalog}.before`);
  await service.start();
  await platform.exec(...damageStatements(1));
  const later = [
    await client.backup({ type: 'INCREMENTAL', labels: { reason: 'after the copy' } }),
    await client.backup(),
  ];
  const before = await Promise.all(later.map((id) => client.getBackup(id)));

  await service.stop();
  loseCatalog();
  cpSync(`${catalog}.before`, catalog);
  await service.start();
  const after = await Promise.all(later.map((id) => client.getBackup(id)));
  expect(after.map(facts)).toEqual(before.map(facts));
  // The first one marks what has no reference, a later one would delete it.
  for (let i = 0; i < 2; i++) await client.cleanUp();
  expect((await client.backups()).sort()).toEqual([first, ...later].sort());
  for (const id of [first, ...later]) expect(await client.verify(id)).toMatchObject({ passed: true });
});

test('a backup whose manifest is damaged is still known after a start; deleting it lets cleanups work again', async () => {
  const { client } = service;
  const [hurt, sound] = [await client.backup(), await client.backup()];
  await service.stop();
  const uuid = Buffer.from(hurt, 'base64url').toString('latin1').replace('Backup:', '');
  const folder = join(service.path, 'repository', 'manifests');
  const name = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((path) => path.includes(uuid)) ?? '';
  writeFileSync(join(folder, name), 'damaged');
  await service.start();
  expect(await client.failed(await client.startCleanUp())).toMatchObject({ code: 'INTEGRITY_FAILURE' });
  await client.completed(await client.startDelete(hurt));
  expect(await client.backups()).toEqual([sound]);
  await client.cleanUp();
  expect(await client.verify(sound)).toMatchObject({ passed: true });
});
