/** Source contract: loading whole tables, and leaving nothing where that was cut off. */

import type { Source } from '../../src/domain/source';
import type { TableStructure } from '../../src/domain/table';
import { batchOf, stream } from '../support/source-rows';
import { PLATFORM, fails, plainTable, type ContractBench, type SourceContractFixture } from './source-bench';

export function describeBulkWriting(bench: ContractBench, fixture: SourceContractFixture): void {
  const { run, runUnchecked, open, openPlatform, openLogged, state, backup, bulkRestore, dropTables } = bench;

  describe('bulk writing', () => {
    test('brings back missing tables, byte for byte, with keys, indexes and references', async () => {
      const source = await openPlatform();
      const kept = await backup(source);
      const before = await state(source);
      await dropTables(kept.tables);
      expect([...(await source.tableStates(['tenant', 'factor'])).values()]).toEqual(['MISSING', 'MISSING']);
      const writer = await source.openBulkWriter({ jobId: 'job-1', tables: kept.tables, connections: 2 });
      await bulkRestore(writer, kept);
      await writer.publish();
      expect(await state(source)).toEqual(before);
      expect(await source.recoverWrite('job-1')).toBe('COMMITTED');
      const again = await backup(source);
      const facts = ({ table, key, columns, foreignKeys, indexes }: TableStructure) => ({
        table,
        key,
        columns,
        references: foreignKeys.map((each) => [each.columns, each.referencedTable, each.onDelete]),
        indexes: indexes.map((each) => [each.unique, each.columns]),
      });
      expect(again.tables.map(facts)).toEqual(kept.tables.map(facts));
      await expect(run("INSERT INTO business VALUES ('b9', 'nobody', 'X', 9)")).rejects.toThrow();
      await expect(run("INSERT INTO business VALUES ('b9', 't1', 'X', 1)")).rejects.toThrow();
      await run("INSERT INTO factor (assessment_id, weight) VALUES ('a1', 1)");
      expect(Number((await bench.platform.query('SELECT MAX(id) FROM factor'))[0]?.[0])).toBeGreaterThan(7);
    });

    test('fills empty tables, and refuses filled ones', async () => {
      const source = await openPlatform();
      const kept = await backup(source);
      const before = await state(source);
      const all = { jobId: 'job-2', tables: kept.tables, connections: 1 };
      await fails(source.openBulkWriter(all), 'CONFLICT');
      expect(await state(source)).toEqual(before);
      for (const { table } of [...kept.tables].reverse()) await run(`DELETE FROM ${table} WHERE 1 = 1`);
      expect([...(await source.tableStates(['tenant'])).values()]).toEqual(['EMPTY']);
      const writer = await source.openBulkWriter({ ...all, jobId: 'job-3' });
      await bulkRestore(writer, kept);
      await writer.publish();
      expect(await state(source)).toEqual(before);
      expect([...(await source.tableStates(['tenant'])).values()]).toEqual(['FILLED']);
    });

    test('refuses an empty table of another structure', async () => {
      const source = await openPlatform();
      const kept = await backup(source);
      const setting = kept.tables.filter(({ table }) => table === 'setting');
      await run('DROP TABLE setting', 'CREATE TABLE setting (name VARCHAR(40) NOT NULL PRIMARY KEY, other INT NULL)');
      await fails(source.openBulkWriter({ jobId: 'x', tables: setting, connections: 1 }), 'SCHEMA_MISMATCH', /content/);
    });

    test('builds a scratch schema beside the source, and drops only what it built', async () => {
      const source = await openPlatform();
      const kept = await backup(source);
      const before = await state(source);
      const options = { jobId: 'job-4', scratchSchema: 'rv_scratch_1', tables: kept.tables, connections: 2 };
      const writer = await source.openBulkWriter(options);
      await bulkRestore(writer, kept);
      await writer.publish();
      const states = await source.tableStates(['tenant', 'setting', 'nope'], 'rv_scratch_1');
      expect([...states.values()]).toEqual(['FILLED', 'FILLED', 'MISSING']);
      expect(await state(source)).toEqual(before);
      expect(await source.recoverWrite('job-4')).toBe('COMMITTED');
      await source.dropScratch('rv_scratch_1');
      expect([...(await source.tableStates(['tenant'], 'rv_scratch_1')).values()]).toEqual(['MISSING']);
      await fails(source.dropScratch('rv_scratch_1'), 'INVALID_INPUT');
      for (const bad of ['../evil', 'a b', '', 'x'.repeat(100), 'a`b', "a'b"]) {
        await fails(source.openBulkWriter({ ...options, jobId: 'bad', scratchSchema: bad }), 'INVALID_INPUT');
        await fails(source.dropScratch(bad), 'INVALID_INPUT');
      }
    });

    test('restores some tables without those that they refer to, into a scratch schema', async () => {
      const source = await openPlatform();
      const kept = await backup(source);
      const tables = kept.tables.filter(({ table }) => table === 'assessment' || table === 'factor');
      const options = { jobId: 'job-5', scratchSchema: 'rv_scratch_2', tables, connections: 1 };
      const writer = await source.openBulkWriter(options);
      await bulkRestore(writer, { tables, rows: kept.rows });
      await writer.publish();
      await source.dropScratch('rv_scratch_2');
    });

    test('proves references before anything is published', async () => {
      const source = await openPlatform();
      const kept = await backup(source);
      await dropTables(kept.tables);
      const tables = kept.tables.filter(({ table }) => ['region', 'tenant', 'business'].includes(table));
      const rows = new Map(kept.rows).set('tenant', (kept.rows.get('tenant') ?? []).slice(1));
      const writer = await source.openBulkWriter({ jobId: 'job-6', tables, connections: 1 });
      await fails(bulkRestore(writer, { tables, rows }), 'CONFLICT', /tenant/);
      await writer.abort();
      expect([...(await source.tableStates(['region', 'business'])).values()]).toEqual(['MISSING', 'MISSING']);
    });

    const damages: [string, string][] = [
      ['dropped', 'DROP TABLE'],
      ['emptied', 'DELETE FROM'],
    ];
    test.each(damages)('proves what other tables refer to in %s tables, before it publishes', async (_, doing) => {
      const { types } = fixture;
      const source = await openPlatform();
      const kept = await backup(source);
      const before = await state(source);
      const names = kept.tables.map(({ table }) => table);
      await run(
        `CREATE TABLE note (id INT NOT NULL PRIMARY KEY, about ${types.exact} NULL,
           CONSTRAINT fk_note FOREIGN KEY (about) REFERENCES business (id))`,
        "INSERT INTO business VALUES ('later', 't1', 'Later', 99)",
        "INSERT INTO note VALUES (1, 'b1'), (2, 'later'), (3, NULL), (4, 'later')",
      );
      await runUnchecked(...[...names].reverse().map((table) => `${doing} ${table}`));
      const damaged = [...(await source.tableStates(names)).values()];
      const writer = await source.openBulkWriter({ jobId: 'note-1', tables: kept.tables, connections: 1 });
      await fails(bulkRestore(writer, kept), 'CONFLICT', /table note has 2 rows.*about.*constraint \w*fk.*business/i);
      await writer.abort();
      expect([...(await source.tableStates(names)).values()]).toEqual(damaged);
      expect(await source.recoverWrite('note-1')).toBe('ABSENT');
      await runUnchecked("DELETE FROM note WHERE about = 'later'");
      const again = await source.openBulkWriter({ jobId: 'note-2', tables: kept.tables, connections: 1 });
      await bulkRestore(again, kept);
      await again.publish();
      expect(await state(source)).toEqual(before);
      await expect(run("INSERT INTO note VALUES (9, 'nobody')")).rejects.toThrow();
      await expect(run("DELETE FROM business WHERE id = 'b1'")).rejects.toThrow();
    });

    test('does not hold one business to what others are referred to by', async () => {
      const source = await openPlatform();
      const kept = await backup(source);
      const tables = kept.tables.filter(({ table }) => ['region', 'tenant', 'business'].includes(table));
      const rows = new Map(kept.rows).set('business', (kept.rows.get('business') ?? []).slice(0, 1));
      await runUnchecked(...tables.map(({ table }) => `DELETE FROM ${table}`));
      const options = { jobId: 'one', tables, connections: 1 };
      const writer = await source.openBulkWriter({ ...options, scope: { kind: 'BUSINESS', businessId: 'b1' } });
      await bulkRestore(writer, { tables, rows });
      await writer.publish();
      expect((await state(source)).business).toHaveLength(1);
    });

    const steps = ['opened', 'loading', 'loaded', 'indexed', 'finished'] as const;
    test.each(steps)('left behind when %s, it is cleaned up and nothing of it stays', async (step) => {
      const source = await openPlatform();
      const kept = await backup(source);
      await run('DELETE FROM setting WHERE 1 = 1');
      const before = await state(source);
      const tables = kept.tables.filter(({ table }) => table === 'setting' || table === 'missing');
      for (const scratchSchema of [undefined, 'rv_scratch_3']) {
        const jobId = `job-${step}-${scratchSchema ?? 'own'}`;
        await abandon(bench.database.open(PLATFORM), { jobId, scratchSchema, tables, rows: kept.rows, step });
        expect(await source.recoverWrite(jobId)).toBe('ABSENT');
        expect(await source.recoverWrite(jobId)).toBe('ABSENT');
        expect(await state(source)).toEqual(before);
        expect([...(await source.tableStates(['setting'], 'rv_scratch_3')).values()]).toEqual(['MISSING']);
      }
      const writer = await source.openBulkWriter({ jobId: 'job-after', tables, connections: 1 });
      await bulkRestore(writer, { tables, rows: kept.rows });
      await writer.publish();
      expect((await state(source)).setting).toHaveLength(2);
    });

    /** Begins a restore, goes as far as `step`, and lets go as a process that died would: by losing its connections. */
    async function abandon(
      source: Source,
      of: {
        jobId: string;
        scratchSchema?: string;
        tables: readonly TableStructure[];
        rows: Map<string, Buffer[]>;
        step: (typeof steps)[number];
      },
    ): Promise<void> {
      const { jobId, scratchSchema, tables, rows } = of;
      const reached = steps.indexOf(of.step);
      const writer = await source.openBulkWriter({ jobId, scratchSchema, tables, connections: 1 });
      for (const table of tables) {
        const own = rows.get(table.table) ?? [];
        if (reached >= 1) await writer.load(table, stream([batchOf(reached === 1 ? own.slice(0, 1) : own)]));
      }
      if (reached >= 3) for (const table of tables) await writer.finishLoading(table);
      if (reached >= 4) await writer.finishTables();
      await source.close();
    }

    test('stops when cancelled', async () => {
      const source = await openPlatform();
      const kept = await backup(source);
      await run('DELETE FROM setting WHERE 1 = 1');
      const tables = kept.tables.filter(({ table }) => table === 'setting');
      const abort = new AbortController();
      const writer = await source.openBulkWriter({ jobId: 'job-8', tables, connections: 1, signal: abort.signal });
      abort.abort();
      await fails(
        writer.load(tables[0] as TableStructure, stream([batchOf(kept.rows.get('setting') ?? [])])),
        'CANCELLED',
      );
      await writer.abort();
      await writer.abort();
      expect(await source.recoverWrite('job-8')).toBe('ABSENT');
      expect((await state(source)).setting).toEqual([]);
    });

    test('restores cyclic references', async () => {
      await run(
        ...fixture.cyclicTables,
        'INSERT INTO egg VALUES (1, NULL), (2, NULL)',
        'INSERT INTO hen VALUES (1, 1), (2, 2)',
      );
      await run('UPDATE egg SET hen_id = 3 - id');
      const source = open([plainTable('egg'), plainTable('hen')]);
      const kept = await backup(source);
      const before = await state(source);
      await run('UPDATE egg SET hen_id = NULL', 'DELETE FROM hen WHERE 1 = 1', 'DELETE FROM egg WHERE 1 = 1');
      const writer = await source.openBulkWriter({ jobId: 'cycle', tables: kept.tables, connections: 1 });
      await bulkRestore(writer, kept);
      await writer.publish();
      expect(await state(source)).toEqual(before);
    });

    test('no trigger fires while rows are loaded, and triggers work afterwards', async () => {
      const source = await openLogged();
      const kept = await backup(source);
      await run('DELETE FROM watched WHERE 1 = 1', 'DELETE FROM trail WHERE 1 = 1');
      const writer = await source.openBulkWriter({ jobId: 'triggers', tables: kept.tables, connections: 1 });
      await bulkRestore(writer, kept);
      await writer.publish();
      expect(await bench.platform.query('SELECT COUNT(*) FROM trail')).toEqual([['0']]);
      await run('INSERT INTO watched VALUES (9, 9)');
      expect(await bench.platform.query('SELECT id FROM trail')).toEqual([['9']]);
    });
  });
}
