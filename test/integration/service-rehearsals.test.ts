/** Rehearsals on the whole service, as people ask for them: proven, broken by what the settings promise, cancelled on the way. */
import type { RehearsalJobSpec } from '../../src/domain/job';
import { RehearseRestoreDocument, type RehearseRestoreInput } from '../support/generated/operations';
import { stopMariadb } from '../support/mariadb';
import { describeMariadb, needServer } from '../support/mysql-source';
import { scratchesLeft } from '../support/scratches-left';
import { startServiceApp, type ServiceApp } from '../support/service-app';
import { mariadbPlatform, sqlitePlatform, type Platform } from '../support/service-platforms';

jest.setTimeout(180_000);

type Kind = RehearsalJobSpec['kind'];

const INVARIANTS = [
  {
    name: 'factors have assessments',
    sql: 'SELECT f.id FROM risk_factor_scores f LEFT JOIN risk_assessments a ON a.id = f.assessment_id WHERE a.id IS NULL',
    dataTypes: ['FACTORS', 'ASSESSMENTS'],
  },
  {
    name: 'nothing is called damage',
    sql: "SELECT id FROM risk_config WHERE config_type = 'damage';",
    dataTypes: ['CONFIG'],
  },
];

function describeRehearsals(name: string, open: () => Promise<Platform>): void {
  describe(`a rehearsal on ${name}`, () => {
    let platform: Platform;
    let service: ServiceApp;
    beforeAll(async () => {
      platform = await open();
      service = await startServiceApp({ sourceUrl: platform.sourceUrl, source: { invariants: INVARIANTS } });
    });
    afterAll(async () => {
      await service.close();
      await platform.remove();
    });

    const rehearse = async (input: RehearseRestoreInput) =>
      (await service.client.send(RehearseRestoreDocument, { input: { waitFor: 'PT60S', ...input } })).rehearseRestore;

    it('proves a backup, tells the time it took, and touches no live row', async () => {
      const backupId = await service.client.backup();
      const live = await platform.state();
      const { job, backup, errors } = await rehearse({ backupId });
      expect({ state: job?.state, failure: job?.failure, errors }).toEqual({
        state: 'COMPLETED',
        failure: null,
        errors: [],
      });
      const { proven, provenRto, coverage, lastRehearsal } = backup!.restorability!;
      expect([proven, lastRehearsal.findings]).toEqual([true, []]);
      expect(provenRto).toMatch(/^PT/);
      expect(Number(coverage!.rowCount)).toBe(await platform.rowCount());
      expect(coverage).toMatchObject({
        unprovenReferences: [],
        skippedInvariants: [],
        invariants: INVARIANTS.map((each) => each.name),
      });
      expect(await platform.state()).toEqual(live);
      expect(await scratchesLeft(platform, job!.id)).toEqual([]);
      const made = await service.client.getJob(job!.id);
      expect(made.kind satisfies string).toBe('REHEARSAL' satisfies Kind);
      expect(made.events.nodes.map(({ message }) => message).join('\n')).toMatch(
        /scratch schema scratch_.*\n(.*\n)*.*Restored \d+ rows/,
      );
      await service.client.verify(backupId);
      const { restorability, verification } = await service.client.getBackup(backupId);
      expect([restorability?.proven, verification?.level]).toEqual([true, 'DATA']);
    });

    it('finds what an invariant of the settings forbids', async () => {
      await platform.exec(
        `INSERT INTO risk_config (config_type, config_key, config_value, updated_by) VALUES ('damage', 'k', '{}', 'x')`,
      );
      const backupId = await service.client.backup();
      await platform.exec(`DELETE FROM risk_config WHERE config_type = 'damage'`);
      const { backup } = await rehearse({ backupId });
      expect(backup!.restorability).toMatchObject({
        ...{ proven: false, lastProvenAt: null, provenRto: null, coverage: null },
        lastRehearsal: {
          findings: [{ object: 'nothing is called damage', problem: 'BROKEN_INVARIANT', rowCount: '1' }],
        },
      });
    });

    it('that is cancelled on the way leaves no schema, and no verdict', async () => {
      const backupId = await service.client.backup();
      const { job } = await rehearse({ backupId, waitFor: null });
      await service.client.jobWhen(job!.id, ({ progress }) => progress.phase !== 'waiting');
      await service.client.cancel(job!.id);
      const { state } = await service.client.ended(job!.id);
      expect(['CANCELLED', 'COMPLETED']).toContain(state);
      expect(await scratchesLeft(platform, job!.id)).toEqual([]);
      const { restorability } = await service.client.getBackup(backupId);
      expect(restorability === null).toBe(state === 'CANCELLED');
    });
  });
}

describeRehearsals('SQLite', () => sqlitePlatform(100));
describeMariadb('with a MariaDB server', () => {
  afterAll(() => stopMariadb());
  describeRehearsals('MariaDB', async () => mariadbPlatform(await needServer(), 4_000));
});
