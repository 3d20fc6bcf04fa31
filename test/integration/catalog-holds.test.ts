/** The index of legal holds: brought in line with the repository, and what it changes in lists, sums and expiry. */
import { randomUUID } from 'node:crypto';
import type { BackupId, HoldId } from '../../src/domain/ids';
import type { LegalHold } from '../../src/domain/legal-hold';
import { seriesOf } from '../../src/domain/retention';
import {
  CATALOG_ENGINES,
  completeBackup,
  openCatalogStand,
  storedManifest,
  type CatalogStand,
} from '../support/catalog-stand';

const hold = (backupId: BackupId, more: Partial<LegalHold> = {}): LegalHold => ({
  holdId: randomUUID() as HoldId,
  backupId,
  reason: 'Fall 7 🧾',
  createdBy: 'local',
  createdAt: '2020-01-01T00:00:00.000Z',
  ...more,
});

async function* listed(...holds: LegalHold[]): AsyncIterable<LegalHold> {
  yield* holds;
}

const KEY = { principal: 'local', mutation: 'placeLegalHold', key: 'k', inputHash: 'h' };

describe.each(CATALOG_ENGINES)('holds on %s', (engine) => {
  let stand: CatalogStand;
  let held: BackupId, free: BackupId;
  beforeEach(async () => {
    stand = await openCatalogStand(engine);
    held = await completeBackup(stand.catalog, { expiresAt: '2020-02-01T00:00:00.000Z' });
    free = await completeBackup(stand.catalog, { expiresAt: '2020-02-01T00:00:00.000Z' });
  });
  afterEach(() => stand.close());

  test('are told with their backup, oldest first, and taken once however often', async () => {
    const [older, newer] = [hold(held), hold(held, { createdAt: '2021-01-01T00:00:00.000Z', reason: null })];
    for (const one of [newer, older, older]) await stand.catalog.holds.add(one, null);
    const [ofHeld, ofFree] = await stand.catalog.holds.ofBackups([held, free]);
    expect(ofHeld?.map(({ id }) => id)).toEqual([older.holdId, newer.holdId]);
    expect(ofHeld?.[0]).toEqual({
      id: older.holdId, backupId: held, reason: 'Fall 7 🧾', createdBy: 'local', createdAt: new Date('2020-01-01T00:00Z'),
    }); // prettier-ignore
    expect(ofFree).toEqual([]);
    await stand.catalog.holds.remove(older.holdId, null);
    await stand.catalog.holds.remove(older.holdId, null);
    expect((await stand.catalog.holds.findMany([newer.holdId, older.holdId])).map((one) => one?.id)).toEqual([
      newer.holdId,
      undefined,
    ]);
  });

  test('keep a backup off the list of the expired, and are counted and found', async () => {
    for (const one of [hold(held), hold(held)]) await stand.catalog.holds.add(one, null);
    const { backups } = stand.catalog;
    expect((await backups.listExpired(10)).map(({ id }) => id)).toEqual([free]);
    expect(await backups.statistics()).toMatchObject({ total: 2, expired: 2, onHold: 1 });
    expect((await backups.list({ filter: { onHold: true }, limit: 5 })).items.map(({ id }) => id)).toEqual([held]);
    expect(await backups.count({ onHold: false })).toBe(1);
    expect((await backups.find(held))?.status).toBe('EXPIRED');
  });

  test('are what retention is told, without backups that are not stored', async () => {
    await stand.catalog.holds.add(hold(held), null);
    await stand.catalog.queue.enqueue({
      spec: { kind: 'BACKUP', backupId: randomUUID() as BackupId, source: 'default', type: 'FULL', dataTypes: ['ALL'], businessId: null, expiresAt: null, labels: {} },
      createdBy: 'local',
    }); // prettier-ignore
    const found = await stand.catalog.backups.listRetained({ limit: 10 });
    expect(Object.fromEntries(found.map(({ id, onHold }) => [id, onHold]))).toEqual({ [held]: true, [free]: false });
    const { readAt, series, status } = found[0]!;
    expect([readAt?.toISOString(), status]).toEqual(['2026-11-22T12:00:01.000Z', 'EXPIRED']);
    const rows = { source: 'default', type: 'FULL', dataTypes: ['ASSESSMENTS', 'FACTORS'], businessId: null } as const;
    expect(series).toBe(seriesOf(rows));
    expect(await stand.catalog.backups.listRetained({ limit: 1 })).toHaveLength(1);
    expect(await stand.catalog.backups.listRetained({ filter: { onHold: true }, limit: 9 })).toHaveLength(1);
  });

  test('come and go as the repository says, but one placed since it was asked stays', async () => {
    const [stays, goes, comes] = [hold(held), hold(free), hold(free)];
    for (const one of [stays, goes]) await stand.catalog.holds.add(one, null);
    const fresh = hold(free, { createdAt: new Date(stand.clock.now().getTime() + 60_000).toISOString() });
    const report = stand.catalog.holds.reconcile(
      (async function* () {
        yield* [stays, comes];
        await stand.catalog.holds.add(fresh, null);
      })(),
    );
    expect(await report).toEqual({ added: 1, removed: 1 });
    const [, ofFree] = await stand.catalog.holds.ofBackups([held, free]);
    expect(ofFree?.map(({ id }) => id)).toEqual([comes.holdId, fresh.holdId]);
    expect(await stand.catalog.holds.reconcile(listed(stays, comes, fresh))).toEqual({ added: 0, removed: 0 });
  });

  test('stay while the repository cannot be read', async () => {
    await stand.catalog.holds.add(hold(held), null);
    // eslint-disable-next-line require-yield
    const broken = (async function* (): AsyncIterable<LegalHold> {
      throw new Error('away');
    })();
    await expect(stand.catalog.holds.reconcile(broken)).rejects.toThrow('away');
    expect((await stand.catalog.holds.ofBackups([held]))[0]).toHaveLength(1);
  });

  test("take the client's key with them, and refuse it for another deed", async () => {
    const one = hold(held);
    await stand.catalog.holds.add(one, KEY);
    await stand.catalog.holds.add(one, KEY);
    expect(await stand.catalog.queue.findReplay(KEY)).toEqual({ job: null });
    const other = stand.catalog.holds.add(hold(held), { ...KEY, inputHash: 'other' });
    await expect(other).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
    expect((await stand.catalog.holds.ofBackups([held]))[0]).toHaveLength(1);
  });

  test('an expiry that only the catalog knows is put right by the manifest', async () => {
    const promised = storedManifest(held, { expiresAt: '2030-01-01T00:00:00.000Z' });
    const manifests = (async function* () {
      yield promised;
    })();
    expect((await stand.catalog.backups.reconcile(manifests)).updated).toEqual([held]);
    expect(await stand.catalog.backups.find(held)).toMatchObject({
      status: 'COMPLETED',
      expiresAt: new Date('2030-01-01T00:00Z'),
    });
  });
});
