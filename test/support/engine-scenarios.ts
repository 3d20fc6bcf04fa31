/**
 * The engine on a real source and a real repository: what an operator does to a platform and expects back. One suite, run against
 * every kind of source.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BackupId } from '../../src/domain/ids';
import type { SourceMapping } from '../../src/domain/mapping';
import type { RestoreJobSpec } from '../../src/domain/job';
import type { Source } from '../../src/domain/source';
import type { CleanupResult, RestoreResult, VerificationResult } from '../../src/domain/task';
import { openRepository, type Repository } from '../../src/repository/repository';
import type { ContractConnection, ContractDatabase, SourceContractFixture } from '../contract/source-contract';
import { backup, engineDeps, restore, restoreTask, run, type EngineBench } from './engine-context';
import { silentLog } from './silent-log';

export const ENGINE_MAPPING: SourceMapping = [
  { dataType: 'BUSINESSES', table: 'tenant' },
  { dataType: 'BUSINESSES', table: 'business', business: { kind: 'COLUMN', column: 'id' } },
  { dataType: 'ASSESSMENTS', table: 'assessment', business: { kind: 'COLUMN', column: 'business_id' } },
  {
    dataType: 'FACTORS',
    table: 'factor',
    business: { kind: 'PATH', column: 'assessment_id', referencedTable: 'assessment', referencedColumn: 'id' },
  },
  { dataType: 'CONFIG', table: 'config' },
];
const TABLES = ENGINE_MAPPING.map(({ table }) => table);
const CHILDREN_FIRST = ['factor', 'assessment', 'business', 'tenant', 'config'];
const BUSINESSES = 40;

export const engineTables = ({ exact }: SourceContractFixture['types']): string[] => [
  `CREATE TABLE tenant (id ${exact} NOT NULL PRIMARY KEY, slug ${exact} NOT NULL UNIQUE)`,
  `CREATE TABLE business (id ${exact} NOT NULL PRIMARY KEY, tenant_id ${exact} NOT NULL, name ${exact} NULL,
     FOREIGN KEY (tenant_id) REFERENCES tenant (id))`,
  `CREATE TABLE assessment (id ${exact} NOT NULL PRIMARY KEY, business_id ${exact} NOT NULL, score DECIMAL(7,4) NULL,
     weight DOUBLE NULL, raw BLOB NULL, FOREIGN KEY (business_id) REFERENCES business (id) ON DELETE CASCADE)`,
  `CREATE TABLE factor (id BIGINT NOT NULL PRIMARY KEY, assessment_id ${exact} NOT NULL, name ${exact} NOT NULL, note TEXT NULL,
     UNIQUE (assessment_id, name), FOREIGN KEY (assessment_id) REFERENCES assessment (id) ON DELETE CASCADE)`,
  `CREATE TABLE config (id BIGINT NOT NULL PRIMARY KEY, name ${exact} NULL, rank_no BIGINT NULL, UNIQUE (rank_no))`,
];

/** Rows of `businesses` businesses, as INSERT statements. */
export function engineRows(businesses = BUSINESSES): string[] {
  const rows: Record<string, string[]> = { tenant: [], business: [], assessment: [], factor: [], config: [] };
  for (let t = 0; t < 3; t++) rows.tenant?.push(`('t${t}','slug-${t}')`);
  for (let b = 0; b < businesses; b++) {
    rows.business?.push(`('b${b}','t${b % 3}',${b % 5 ? `'Société ${b} 🚀'` : 'NULL'})`);
    for (let a = 0; a < 2; a++) {
      rows.assessment?.push(`('a${b}-${a}','b${b}',${b}.25,${b / 3},x'00ff${String(b % 10).repeat(2)}')`);
      for (let f = 0; f < 5; f++) {
        const id = (b * 2 + a) * 5 + f;
        rows.factor?.push(`(${id},'a${b}-${a}','f${f}','${String(id).repeat(300)}')`);
      }
    }
  }
  for (let i = 0; i < 30; i++) rows.config?.push(`(${i},'value ${i}',${i})`);
  return Object.entries(rows).map(([table, values]) => `INSERT INTO ${table} VALUES ${values.join(',')}`);
}

type State = Record<string, (string | null)[][]>;

/** One database, one source, one repository, for one test. */
export class Stand {
  private constructor(
    readonly database: ContractDatabase,
    readonly sql: ContractConnection,
    readonly source: Source,
    readonly store: Repository,
    readonly folder: string,
  ) {}

  static async open(fixture: SourceContractFixture): Promise<Stand> {
    const database = await fixture.createDatabase();
    const sql = await database.connect();
    for (const statement of [...engineTables(fixture.types), ...engineRows()]) await sql.exec(statement);
    const folder = mkdtempSync(join(tmpdir(), 'riskvault-engine-'));
    return new Stand(database, sql, database.open(ENGINE_MAPPING), await openStore(folder), folder);
  }

  get bench(): EngineBench {
    return { source: this.source, store: this.store, connections: 2 };
  }

  async state(): Promise<State> {
    const state: State = {};
    for (const table of TABLES) state[table] = await this.sql.query(`SELECT * FROM ${table} ORDER BY 1`);
    return state;
  }

  async backup(...args: Parameters<typeof backup> extends [unknown, ...infer Rest] ? Rest : never): Promise<BackupId> {
    return (await backup(this.bench, ...args)).stored.manifest.backupId;
  }

  async dropTables(names = CHILDREN_FIRST): Promise<void> {
    for (const table of names) await this.sql.exec(`DROP TABLE ${table}`);
  }

  async close(): Promise<void> {
    await this.source.close();
    await this.sql.close();
    await this.database.drop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function openStore(folder: string): Promise<Repository> {
  const { clock, random } = engineDeps({} as EngineBench);
  return openRepository({
    settings: {
      url: `file:${folder}`,
      passphrase: undefined,
      compression: 'zstd',
      compressionLevel: 1,
      gracePeriodMs: 0,
    },
    clock,
    random,
    log: silentLog,
  });
}

export function describeEngine(name: string, fixture: SourceContractFixture): void {
  describe(`the engine on ${name}`, () => {
    let stand: Stand;
    let before: State;
    beforeEach(async () => {
      stand = await Stand.open(fixture);
      before = await stand.state();
    });
    afterEach(() => stand.close());

    const restoreOf = (backupId: BackupId, spec: Partial<RestoreJobSpec> = {}) =>
      restore(stand.bench, { backupId, ...spec });

    it('backs up, loses every table and gets every byte back', async () => {
      const id = await stand.backup();
      await stand.dropTables();
      const result = await restoreOf(id);
      expect(result).toMatchObject({ mode: 'BULK', updates: 0, deletes: 0 });
      expect(result.verifiedRows).toBe(result.inserts);
      expect(await stand.state()).toEqual(before);
    });

    it('backs up, restores and backs up again to the very same chunks', async () => {
      const id = await stand.backup();
      await stand.dropTables();
      await restoreOf(id);
      const again = await backup(stand.bench);
      const first = (await stand.store.findManifest(id))?.manifest.tables.map(({ layers }) => layers);
      expect(again.stored.manifest.tables.map(({ layers }) => layers)).toEqual(first);
    });

    it('says how much of its state a backup newly stored', async () => {
      const newRawBytes = async (): Promise<{ newRawBytes?: number; rawBytes: number }> =>
        (await backup(stand.bench)).stored.manifest;
      const first = await newRawBytes();
      expect(first.newRawBytes).toBe(first.rawBytes);
      expect((await newRawBytes()).newRawBytes).toBe(0);
      await stand.sql.exec(`UPDATE config SET name = 'another' WHERE id = 7`);
      const third = await newRawBytes();
      const config = (await backup(stand.bench, { dataTypes: ['CONFIG'] })).stored.manifest;
      expect(third.newRawBytes).toBe(config.rawBytes); // one chunk holds the whole table
      expect(config.newRawBytes).toBe(0);
    });

    it('takes changes alone, cascades included, and restores them whatever became of their parent', async () => {
      const full = await stand.backup();
      await damage(stand);
      const changed = await stand.state();
      const { manifest } = (await backup(stand.bench, { type: 'INCREMENTAL' })).stored;
      // 1 business, 2 assessments and 10 factors went; 3 assessments, 5 factors and 2 config changed; 2 factors came.
      expect(manifest).toMatchObject({ type: 'INCREMENTAL', parentId: full, changedRowCount: 13 + 10 + 2 });
      await stand.sql.exec(`UPDATE factor SET note = 'later' WHERE id < 20`);
      const later = await stand.state();
      const second = await stand.backup({ type: 'INCREMENTAL' });
      const differential = await stand.backup({ type: 'DIFFERENTIAL' });
      await forget(stand, full);
      for (const id of [manifest.backupId, second, differential]) await expectSound(stand, id);
      await stand.dropTables();
      await restoreOf(manifest.backupId);
      expect(await stand.state()).toEqual(changed);
      await forget(stand, manifest.backupId);
      await restoreOf(second); // in place, over what the first one had
      expect(await stand.state()).toEqual(later);
      await stand.dropTables();
      await restoreOf(differential);
      expect(await stand.state()).toEqual(later);
      expect(await restoreOf(second)).toMatchObject({ inserts: 0, updates: 0, deletes: 0 });
    });

    it('takes nothing where nothing changed, and one business out of a stack of changes', async () => {
      await stand.backup();
      const unchanged = (await backup(stand.bench, { type: 'INCREMENTAL' })).stored.manifest;
      expect(unchanged).toMatchObject({ type: 'INCREMENTAL', changedRowCount: 0, newRawBytes: 0 });
      await stand.sql.exec(`UPDATE assessment SET score = 77 WHERE business_id = 'b7'`);
      await stand.sql.exec(
        `UPDATE factor SET note = 'changed' WHERE assessment_id LIKE 'a7-%' OR assessment_id LIKE 'a9-%'`,
      );
      const wanted = await stand.state();
      const id = await stand.backup({ type: 'INCREMENTAL' });
      await stand.sql.exec(`DELETE FROM business WHERE id = 'b7'`);
      await restoreOf(id, { type: 'BUSINESS', businessId: 'b7' });
      expect(await stand.state()).toEqual(wanted);
    });

    it('fills emptied tables', async () => {
      const id = await stand.backup();
      for (const table of CHILDREN_FIRST) await stand.sql.exec(`DELETE FROM ${table}`);
      expect(await restoreOf(id)).toMatchObject({ mode: 'BULK' });
      expect(await stand.state()).toEqual(before);
    });

    it('undoes damage in place: deletes, inserts, updates, a swap on a unique key', async () => {
      const id = await stand.backup();
      await damage(stand);
      const damaged = await stand.state();
      const dry = await restoreOf(id, { dryRun: true });
      expect(await stand.state()).toEqual(damaged);
      const result = await restoreOf(id);
      expect(await stand.state()).toEqual(before);
      expect(dry).toMatchObject({
        mode: 'DRY_RUN',
        inserts: result.inserts,
        updates: result.updates,
        deletes: result.deletes,
      });
      expect(result).toMatchObject({ mode: 'IN_PLACE', inserts: 1 + 2 + 10, updates: 3 + 5 + 2, deletes: 2 });
    });

    it.each([
      ['in place', `UPDATE config SET name = 'damaged'`],
      ['in bulk', 'DROP TABLE config'],
    ])(
      'done %s and asked for once more, by a catalog of before, leaves what was written since',
      async (_, damaging) => {
        const task = restoreTask({ backupId: await stand.backup(), dataTypes: ['CONFIG'] });
        await stand.sql.exec(damaging);
        await run(task, stand.bench);
        expect(await stand.state()).toEqual(before);
        await stand.sql.exec(`UPDATE config SET name = 'of today' WHERE id = 7`);
        const today = await stand.state();
        const { updates, notes } = (await run(task, stand.bench)) as RestoreResult;
        expect(await stand.state()).toEqual(today);
        expect([updates, notes.join(' ')]).toEqual([0, expect.stringContaining('1 rows differ')]);
      },
    );

    it('finds nothing to do where nothing changed', async () => {
      const id = await stand.backup();
      expect(await restoreOf(id)).toMatchObject({ mode: 'IN_PLACE', inserts: 0, updates: 0, deletes: 0 });
      expect(await stand.state()).toEqual(before);
    });

    it('restores one data type and leaves the rest', async () => {
      const id = await stand.backup();
      await damage(stand);
      const damaged = await stand.state();
      await restoreOf(id, { type: 'PARTIAL', dataTypes: ['CONFIG'] });
      expect(await stand.state()).toEqual({ ...damaged, config: before.config });
    });

    it('makes a dropped table again beside filled ones', async () => {
      const id = await stand.backup();
      await stand.dropTables(['factor']);
      await restoreOf(id);
      expect(await stand.state()).toEqual(before);
    });

    it('leaves a missing table missing when the restore beside it fails', async () => {
      const id = await stand.backup();
      await stand.dropTables(['factor']);
      await stand.sql.exec(`DELETE FROM config WHERE id < 10`);
      const openChangeWriter = stand.source.openChangeWriter.bind(stand.source);
      stand.source.openChangeWriter = async (options) => {
        const writer = await openChangeWriter(options);
        writer.checkReferences = () => Promise.reject(new Error('the power of the references check fails'));
        return writer;
      };
      await expect(restoreOf(id)).rejects.toThrow('references check');
      const states = await stand.source.tableStates(['factor', 'config']);
      expect(Object.fromEntries(states)).toEqual({ factor: 'MISSING', config: 'FILLED' });
      stand.source.openChangeWriter = openChangeWriter;
      await restoreOf(id);
      expect(await stand.state()).toEqual(before);
    });

    it.each(['FULL', 'BUSINESS'] as const)('restores one business out of a %s backup, byte for byte', async (type) => {
      const id = await stand.backup({ type, businessId: type === 'BUSINESS' ? 'b7' : null });
      await damage(stand);
      await stand.sql.exec(`UPDATE business SET name = 'somebody else' WHERE id = 'b8'`);
      const damaged = await stand.state();
      await restoreOf(id, { type: 'BUSINESS', businessId: 'b7' });
      const after = await stand.state();
      const isOurs = ([key, second]: (string | null)[]): boolean =>
        key === 'b7' || second === 'b7' || (second ?? '').startsWith('a7-');
      for (const table of ['business', 'assessment', 'factor']) {
        expect(after[table]?.filter(isOurs)).toEqual(before[table]?.filter(isOurs));
        expect(after[table]?.filter((row) => !isOurs(row))).toEqual(damaged[table]?.filter((row) => !isOurs(row)));
      }
      expect([after.tenant, after.config]).toEqual([damaged.tenant, damaged.config]);
    });

    it('brings a business back together with the tenant it needs', async () => {
      const id = await stand.backup({ type: 'BUSINESS', businessId: 'b7' });
      for (const table of CHILDREN_FIRST) await stand.sql.exec(`DELETE FROM ${table}`);
      await stand.sql.exec(`INSERT INTO tenant VALUES ('t9','other')`);
      expect(await restoreOf(id, { type: 'BUSINESS', businessId: 'b7' })).toMatchObject({ inserts: 1 + 1 + 2 + 10 });
      expect((await stand.state()).tenant).toEqual([
        ['t1', 'slug-1'],
        ['t9', 'other'],
      ]);
    });

    it('restores into a scratch schema, and drops it again', async () => {
      const id = await stand.backup();
      await stand.sql.exec(`DELETE FROM config`);
      const damaged = await stand.state();
      const result = await restoreOf(id, { target: { kind: 'SCRATCH', schema: 'rv_test_engine_scratch' } });
      expect(result.verifiedRows).toBe(Object.values(before).reduce((sum, rows) => sum + rows.length, 0));
      expect(await stand.state()).toEqual(damaged);
      await stand.source.dropScratch('rv_test_engine_scratch');
    });

    it('never restores a flipped byte, and finds it by verification', async () => {
      const id = await stand.backup();
      await stand.sql.exec(`DELETE FROM config`);
      const damaged = await stand.state();
      flipByte(stand.folder);
      const bench = { ...stand.bench, store: await openStore(stand.folder) };
      await expect(restore(bench, { backupId: id })).rejects.toMatchObject({
        code: expect.stringMatching(/INTEGRITY_FAILURE|BACKUP_NOT_RESTORABLE/),
      });
      expect(await stand.state()).toEqual(damaged);
      const spec = { kind: 'VERIFICATION', backupId: id, level: 'DATA' } as const;
      const verdict = (await run({ kind: 'VERIFICATION', jobId: 'j' as never, spec }, bench)) as VerificationResult;
      expect(verdict.passed).toBe(false);
      expect(verdict.findings[0]?.backupIds).toEqual([id]);
    });

    it('passes verification when nothing is wrong, and cleans up what is deleted or expired', async () => {
      const id = await stand.backup();
      const expired = await stand.backup({ expiresAt: '2026-01-01T00:00:00.000Z', dataTypes: ['CONFIG'] });
      const spec = { kind: 'VERIFICATION', backupId: id, level: 'DATA' } as const;
      const verdict = await run({ kind: 'VERIFICATION', jobId: 'j' as never, spec }, stand.bench);
      expect(verdict).toMatchObject({ passed: true, findings: [] });
      const cleanUp = (backupIds: BackupId[]) =>
        run({ kind: 'CLEANUP', jobId: 'j' as never, dryRun: false, backupIds }, stand.bench);
      const found = await run({ kind: 'FIND_EXPIRED', jobId: 'j' as never }, stand.bench);
      expect(found).toEqual({ kind: 'FIND_EXPIRED', backupIds: [expired] });
      expect(((await cleanUp([expired])) as CleanupResult).deletedBackupIds).toEqual([expired]);
      expect(((await cleanUp([id, expired])) as CleanupResult).deletedBackupIds).toEqual([id, expired]);
      await expect(restoreOf(id)).rejects.toMatchObject({ code: 'BACKUP_NOT_RESTORABLE' });
    });

    it('leaves the source as it was when a restore is cancelled in any phase', async () => {
      const id = await stand.backup();
      await damage(stand);
      const damaged = await stand.state();
      for (const phase of ['verifying', 'comparing', 'writing', 'checking', 'committing']) {
        await expect(cancelIn(phase, { backupId: id })).rejects.toMatchObject({ code: 'CANCELLED' });
        expect([phase, await stand.state()]).toEqual([phase, damaged]);
      }
      await stand.dropTables();
      for (const phase of ['loading', 'checking references', 'checking', 'publishing']) {
        await expect(cancelIn(phase, { backupId: id })).rejects.toMatchObject({ code: 'CANCELLED' });
        const left = await stand.source.tableStates(TABLES);
        expect([phase, [...left.values()]]).toEqual([phase, TABLES.map(() => 'MISSING')]);
      }
      await restoreOf(id);
      expect(await stand.state()).toEqual(before);
    });

    /** Cancels once the phase has begun, before it did anything more. */
    function cancelIn(phase: string, spec: { backupId: BackupId }): Promise<unknown> {
      const abort = new AbortController();
      const onProgress = (progress: { phase: string }): void => void (progress.phase === phase && abort.abort());
      return restore({ ...stand.bench, signal: abort.signal, onProgress }, spec);
    }
  });
}

/** One of everything; the counts are those the tests expect. */
/** Deletes a backup, and collects whatever nothing refers to any more. */
async function forget({ bench }: Stand, backupId: BackupId): Promise<void> {
  const cleanUp = (backupIds: BackupId[]) =>
    run({ kind: 'CLEANUP', jobId: 'j' as never, dryRun: false, backupIds }, bench);
  await cleanUp([backupId]); // marks what is garbage
  await cleanUp([]); // deletes what was marked
}

async function expectSound({ bench }: Stand, backupId: BackupId): Promise<void> {
  const spec = { kind: 'VERIFICATION', backupId, level: 'DATA' } as const;
  const verdict = await run({ kind: 'VERIFICATION', jobId: 'j' as never, spec }, bench);
  expect(verdict).toMatchObject({ passed: true, findings: [] });
}

async function damage({ sql }: Stand): Promise<void> {
  await sql.exec(`DELETE FROM business WHERE id = 'b7'`); // cascades to 2 assessments, 10 factors
  await sql.exec(`UPDATE assessment SET score = 0, raw = NULL WHERE id IN ('a1-0','a1-1','a2-0')`);
  await sql.exec(`UPDATE factor SET note = NULL WHERE assessment_id = 'a3-0'`);
  await sql.exec(`INSERT INTO factor VALUES (5000,'a4-0','new','new'), (5001,'a4-1','new','new')`);
  await sql.exec(`UPDATE config SET rank_no = -1 WHERE id = 1`);
  await sql.exec(`UPDATE config SET rank_no = 1 WHERE id = 2`);
  await sql.exec(`UPDATE config SET rank_no = 2 WHERE id = 1`);
}

/** Flips a bit in the middle of the largest pack. */
export function flipByte(folder: string): void {
  const packs = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.pack'));
  const paths = packs.map((name) => join(folder, name)).sort((a, b) => statSync(b).size - statSync(a).size);
  const bytes = readFileSync(paths[0] as string);
  const at = Math.floor(bytes.length / 3);
  bytes[at] = (bytes[at] as number) ^ 1;
  rmSync(paths[0] as string);
  writeFileSync(paths[0] as string, bytes);
}
