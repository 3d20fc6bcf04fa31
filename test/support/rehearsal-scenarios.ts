/**
 * Rehearsals on a real source and a real repository: what is proven, what is found, and that nothing stays. One suite, run against every
 * kind of source.
 */
import { randomUUID } from 'node:crypto';
import type { BackupId, JobId } from '../../src/domain/ids';
import type { Invariant } from '../../src/domain/invariant';
import { rehearsalPrefix, rehearsalSchema } from '../../src/domain/rehearsal';
import type { RehearsalResult } from '../../src/domain/task';
import type { SourceContractFixture } from '../contract/source-contract';
import { run, type EngineBench } from './engine-context';
import { ENGINE_MAPPING, flipByte, openStore, Stand } from './engine-scenarios';

const ALL_TABLES = ENGINE_MAPPING.map(({ table }) => table);
const INVARIANTS: Invariant[] = [
  {
    name: 'every business has assessments',
    sql: 'SELECT b.id FROM business b LEFT JOIN assessment a ON a.business_id = b.id WHERE a.id IS NULL ORDER BY b.id',
    tables: ['business', 'assessment'],
    perBusiness: true,
  },
  {
    name: 'there are several businesses',
    sql: 'SELECT COUNT(*) FROM business HAVING COUNT(*) < 2',
    tables: ['business'],
  },
  { name: 'config has names', sql: 'SELECT id FROM config WHERE name IS NULL', tables: ['config'] },
];

export interface RehearsalFixture {
  fixture: SourceContractFixture;
  /** Whatever scratch schemas whose names begin so left: names of schemas or files. */
  leftOf(stand: Stand, prefix: string): Promise<string[]>;
}

const jobId = (): JobId => randomUUID() as JobId;

interface Rehearsing extends Partial<EngineBench> {
  job?: JobId;
  recoverOnly?: boolean;
}

export function describeRehearsals(name: string, { fixture, leftOf }: RehearsalFixture): void {
  describe(`a rehearsal on ${name}`, () => {
    let stand: Stand;
    let before: Awaited<ReturnType<Stand['state']>>;
    let begun: JobId[];
    beforeEach(async () => {
      begun = [];
      stand = await Stand.open(fixture);
      before = await stand.state();
    });
    afterEach(async () => {
      for (const job of begun) expect(await leftOf(stand, rehearsalPrefix(job))).toEqual([]);
      await stand.close();
    });

    const rehearse = async (
      backupId: BackupId,
      { job = jobId(), recoverOnly, ...more }: Rehearsing = {},
    ): Promise<RehearsalResult> => {
      begun.push(job);
      const spec = { kind: 'REHEARSAL', backupId, source: 'default' } as const;
      const task = { kind: 'REHEARSAL', jobId: job, spec, mayHaveLeft: recoverOnly ?? false, recoverOnly } as const;
      return (await run(task, { ...stand.bench, ...more })) as RehearsalResult;
    };
    const withInvariants = (invariants: Invariant[] = INVARIANTS) =>
      stand.database.open(ENGINE_MAPPING, { invariants });

    it('restores every row, says how long it took and what it covers, and leaves the live rows as they are', async () => {
      const id = await stand.backup();
      await stand.sql.exec(`DELETE FROM config WHERE id < 5`);
      const live = await stand.state();
      const source = withInvariants();
      const result = await rehearse(id, { source });
      const rows = Object.values(before).reduce((sum, table) => sum + table.length, 0);
      expect(result).toMatchObject({ passed: true, findings: [] });
      expect(result.checkedChunks).toBeGreaterThanOrEqual(ALL_TABLES.length);
      expect(result.proof?.restoreMs).toBeGreaterThan(0);
      expect(result.proof?.coverage).toEqual({
        dataTypes: ['BUSINESSES', 'ASSESSMENTS', 'FACTORS', 'CONFIG'],
        ...{ tables: 5, tablesHeld: 5, rows, rowsHeld: rows, references: 3, unprovenReferences: [] },
        invariants: INVARIANTS.map(({ name: told }) => told),
        skippedInvariants: [],
      });
      expect(await stand.state()).toEqual(live);
      await source.close();
    });

    it('of an incremental, of one business and of some data types covers what each holds', async () => {
      await stand.backup();
      await stand.sql.exec(`UPDATE factor SET note = 'changed' WHERE id < 20`);
      const source = withInvariants();
      const incremental = await rehearse(await stand.backup({ type: 'INCREMENTAL' }), { source });
      expect(incremental).toMatchObject({ passed: true, proof: { coverage: { tables: 5 } } });
      const business = await rehearse(await stand.backup({ type: 'BUSINESS', businessId: 'b7' }), { source });
      expect(business).toMatchObject({ passed: true, findings: [] });
      expect(business.proof?.coverage).toMatchObject({ rows: 1 + 1 + 2 + 10, rowsHeld: 1 + 1 + 2 + 10, references: 3 });
      expect(business.proof?.coverage).toMatchObject({ invariants: [INVARIANTS[0]?.name], skippedInvariants: [INVARIANTS[1]?.name, INVARIANTS[2]?.name] }); // prettier-ignore
      const factors = await rehearse(await stand.backup({ dataTypes: ['FACTORS'] }), { source });
      expect(factors).toMatchObject({ passed: true, proof: { coverage: { dataTypes: ['FACTORS'], references: 0 } } });
      expect(factors.proof?.coverage.unprovenReferences).toEqual([expect.stringMatching(/^factor\./)]);
      const system = await rehearse(await stand.backup({ type: 'SYSTEM', dataTypes: ['CONFIG'] }), { source });
      expect(system).toMatchObject({
        passed: true,
        proof: { coverage: { rows: 30, invariants: ['config has names'] } },
      });
      await source.close();
    });

    it('finds rows whose parents were gone at the backup, and broken and unanswerable invariants, all at once', async () => {
      await stand.sql.exec(fixture.foreignKeysOff);
      await stand.sql.exec(`DELETE FROM tenant WHERE id = 't1'`);
      await stand.sql.exec(`DELETE FROM assessment WHERE id = 'a3-0'`);
      await stand.sql.exec(fixture.foreignKeysOn);
      await stand.sql.exec(`INSERT INTO business VALUES ('lone', 't0', NULL)`);
      const id = await stand.backup();
      const unanswerable = { name: 'of another schema', sql: 'SELECT id FROM nowhere', tables: [] };
      const source = withInvariants([...INVARIANTS, unanswerable]);
      const { passed, findings, proof } = await rehearse(id, { source });
      expect(passed).toBe(false);
      const told = findings.map(({ problem, object, rowCount }) => [problem, object.replace(/\..*/, ''), rowCount]);
      expect(told.sort()).toEqual([
        ['BROKEN_INVARIANT', 'every business has assessments', 1],
        ['BROKEN_REFERENCE', 'business', 13],
        ['BROKEN_REFERENCE', 'factor', 5],
        ['UNCHECKED_INVARIANT', 'of another schema', undefined],
      ]);
      const keys = findings.find(({ object }) => object.startsWith('factor'))?.firstKeys;
      expect(keys).toHaveLength(3);
      for (const key of keys ?? []) expect(['30', '31', '32', '33', '34']).toContain(key);
      expect(findings.find(({ problem }) => problem === 'BROKEN_INVARIANT')).toMatchObject({ firstKeys: ['lone'] });
      expect(findings.every(({ backupIds }) => backupIds[0] === id)).toBe(true);
      expect(proof?.coverage).toMatchObject({ references: 1, rows: proof?.coverage.rowsHeld });
      await source.close();
    });

    it('finds a flipped byte, names the pack, and writes nothing', async () => {
      const id = await stand.backup();
      flipByte(stand.folder);
      const openBulkWriter = jest.spyOn(stand.source, 'openBulkWriter');
      const result = await rehearse(id, { store: await openStore(stand.folder) });
      expect(result).toMatchObject({ passed: false, proof: null });
      expect(result.findings[0]).toMatchObject({ object: expect.stringContaining('packs/'), backupIds: [id] });
      expect(openBulkWriter).not.toHaveBeenCalled();
    });

    it('finds that a backup is not there', async () => {
      expect(await rehearse(randomUUID() as BackupId)).toMatchObject({ passed: false, findings: [{ problem: 'MISSING' }] }); // prettier-ignore
    });

    it('finds that rows do not read back as they were', async () => {
      const id = await stand.backup();
      const openBulkWriter = stand.source.openBulkWriter.bind(stand.source);
      stand.source.openBulkWriter = async (options) => {
        const writer = await openBulkWriter(options);
        const load = writer.load.bind(writer);
        writer.load = (table, rows) => (table.table === 'factor' ? load(table, altered(rows)) : load(table, rows));
        return writer;
      };
      const { passed, findings, proof } = await rehearse(id);
      expect({ passed, proof }).toEqual({ passed: false, proof: null });
      expect(findings).toMatchObject([{ problem: 'NOT_RESTORED', message: expect.stringContaining('factor') }]);
    });

    it('leaves nothing and says nothing of the backup when it is cancelled, in any phase', async () => {
      const id = await stand.backup();
      const phases = ['verifying', 'loading', 'checking references', 'checking', 'publishing', 'checking invariants'];
      for (const phase of phases) {
        const abort = new AbortController();
        const onProgress = (progress: { phase: string }): void => void (progress.phase === phase && abort.abort());
        const cancelled = rehearse(id, { signal: abort.signal, onProgress });
        await expect(cancelled).rejects.toMatchObject({ code: 'CANCELLED', unsettled: false });
        expect([phase, await leftOf(stand, rehearsalPrefix(begun.at(-1) as JobId))]).toEqual([phase, []]);
      }
      expect(await stand.state()).toEqual(before);
    });

    it('runs beside another one of the same backup', async () => {
      const id = await stand.backup();
      const results = await Promise.all([rehearse(id), rehearse(id)]);
      expect(results).toMatchObject([{ passed: true }, { passed: true }]);
    });

    it('drops what an attempt left that died, and passes; or only drops it', async () => {
      const id = await stand.backup();
      for (const recoverOnly of [false, true]) {
        const job = jobId();
        const { manifest } = (await stand.store.findManifest(id))!;
        const dead = stand.database.open(ENGINE_MAPPING);
        const tables = manifest.tables.map(({ structure }) => structure);
        const schema = rehearsalSchema(job, randomUUID());
        const options = { jobId: schema, scratchSchema: schema, tables, connections: 1 };
        await dead.openBulkWriter(options);
        expect(await leftOf(stand, rehearsalPrefix(job))).not.toEqual([]);
        const again = rehearse(id, { job, recoverOnly });
        if (recoverOnly) await expect(again).rejects.toMatchObject({ code: 'CANCELLED' });
        else expect(await again).toMatchObject({ passed: true });
        expect(await leftOf(stand, rehearsalPrefix(job))).toEqual([]);
        await dead.close().catch(() => undefined); // because: what it would end is gone
      }
    });

    it('passes beside an earlier attempt that lost its lease, is cancelled late, and drops what it made', async () => {
      const id = await stand.backup();
      const [job, late] = [jobId(), new AbortController()];
      const [earlier, mayEnd] = [new Gate(), new Gate()];
      const held = Object.create(stand.source) as typeof stand.source;
      held.openBulkWriter = async (options) => {
        const writer = await stand.source.openBulkWriter(options);
        const abort = writer.abort.bind(writer);
        writer.finishTables = () => (late.abort(), Promise.reject(new Error('cut off')));
        writer.abort = async () => (earlier.open(), await mayEnd.opened, abort());
        return writer;
      };
      const lost = rehearse(id, { job, source: held, signal: late.signal }).catch((error: unknown) => error);
      await earlier.opened;
      const openBulkWriter = jest.spyOn(stand.source, 'openBulkWriter').mockImplementationOnce(async (options) => {
        openBulkWriter.mockRestore();
        const writer = await stand.source.openBulkWriter(options);
        const finishTables = writer.finishTables.bind(writer);
        writer.finishTables = async () => (mayEnd.open(), await lost, finishTables());
        return writer;
      });
      expect(await rehearse(id, { job })).toMatchObject({ passed: true, findings: [] });
      expect(await lost).toMatchObject({ code: 'CANCELLED' });
    });

    it('that can not be held is a failure, and no finding: no room, a source that is away, a schema that stays', async () => {
      const id = await stand.backup();
      const refused = (more: Partial<EngineBench['source']>) => {
        const source = Object.assign(Object.create(stand.source) as EngineBench['source'], more);
        return rehearse(id, { source }).catch((error: unknown) => error);
      };
      expect(await refused({ freeBytes: async () => 10 })).toMatchObject({ code: 'SOURCE_UNAVAILABLE', hint: expect.stringContaining('Free space') }); // prettier-ignore
      const away = Object.assign(new Error('away'), { code: 'ECONNREFUSED' });
      expect(await refused({ openBulkWriter: () => Promise.reject(away) })).toMatchObject({ message: 'away' });
      const discardScratch = async (...drop: [string, string]): Promise<void> => {
        await stand.source.discardScratch(...drop);
        throw new Error('gone?');
      };
      expect(await refused({ discardScratch })).toMatchObject({ message: expect.stringContaining('could not be dropped: gone?') }); // prettier-ignore
    });
  });
}

/** Opens once, and stays open. */
class Gate {
  open!: () => void;
  readonly opened = new Promise<void>((resolve) => (this.open = resolve));
}

/** The same rows, but for the last byte of the last one. */
async function* altered<Batch extends { bytes: Buffer }>(batches: AsyncIterable<Batch>): AsyncGenerator<Batch> {
  for await (const batch of batches) {
    const bytes = Buffer.from(batch.bytes);
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) ^ 1;
    yield { ...batch, bytes };
  }
}
