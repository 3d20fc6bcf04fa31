/** The whole service compacts by itself: after the incremental that made a stack as tall as the settings allow, and exactly then. */
import { CompactBackupDocument, ListJobsDocument } from '../support/generated/operations';
import { startServiceApp, type ServiceApp } from '../support/service-app';
import { sqlitePlatform, type Platform } from '../support/service-platforms';

jest.setTimeout(120_000);

let platform: Platform;
let service: ServiceApp;
beforeAll(async () => {
  platform = await sqlitePlatform(2_000);
  const settings = { repository: { compactAfterLayers: 2 } };
  service = await startServiceApp({ sourceUrl: platform.sourceUrl, settings });
});
afterAll(async () => {
  await service.close();
  await platform.remove();
});

const change = (n: number): Promise<void> =>
  platform.exec(`UPDATE risk_alerts SET message = 'changed ${n}' WHERE id IN (SELECT id FROM risk_alerts LIMIT 5)`);

async function compactions(): Promise<{ id: string }[]> {
  const { jobs } = await service.client.send(ListJobsDocument, { first: 10, filter: { kinds: ['COMPACTION'] } });
  return jobs.edges.map(({ node }) => node);
}

it('and the backup restores as before; asked for again, it says that nothing was to do', async () => {
  await service.client.backup();
  await change(1);
  await service.client.backup({ type: 'INCREMENTAL' });
  expect(await compactions()).toEqual([]);
  await change(2);
  const state = await platform.state();
  const backupId = await service.client.backup({ type: 'INCREMENTAL' });
  const [compaction] = await compactions();
  const { events } = await service.client.completed(compaction!.id);
  expect(events.nodes.at(-1)?.message).toMatch(/^The layers of 1 table became single bases\.$/);
  expect(await service.client.verify(backupId)).toMatchObject({ passed: true });

  const { compactBackup } = await service.client.send(CompactBackupDocument, { input: { backupId, waitFor: 'PT20S' } });
  expect(compactBackup).toMatchObject({ job: { kind: 'COMPACTION', state: 'COMPLETED' }, errors: [] });
  const again = await service.client.getJob(compactBackup.job!.id);
  expect(again.events.nodes.at(-1)?.message).toBe('Nothing was to do: no table has more than its base layer.');

  await change(3);
  await service.client.backup({ type: 'INCREMENTAL' });
  expect(await compactions()).toHaveLength(2);
  await platform.dropTables();
  await service.client.restore({ backupId });
  expect(await platform.state()).toEqual(state);
});
