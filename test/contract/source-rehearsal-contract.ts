/** Source contract: what rehearsals need beside bulk writing. Broken references told, invariants asked, a job's own scratch schema dropped. */

import type { Invariant } from '../../src/domain/invariant';
import type { BrokenReference, Source } from '../../src/domain/source';
import { fails, PLATFORM, type ContractBench, type Kept } from './source-bench';

const SCHEMA = 'scratch_rv_rehearsal';

export function describeRehearsing(bench: ContractBench): void {
  const { run, runUnchecked, open, openPlatform, state, backup, bulkRestore } = bench;

  const load = async (source: Source, kept: Kept, onBrokenReference?: (broken: BrokenReference) => void) => {
    const { tables } = kept;
    const options = { jobId: 'job-r', scratchSchema: SCHEMA, tables, connections: 2, onBrokenReference };
    const writer = await source.openBulkWriter(options);
    await bulkRestore(writer, kept);
    return writer;
  };
  const invariant = (sql: string, name = 'a rule'): Invariant => ({ name, sql, tables: [] });
  const ask = async (source: Source, ...sql: string[]) => {
    const invariants = sql.map((text, at) => invariant(text, `rule ${at}`));
    return (await source.checkInvariants({ schema: SCHEMA, invariants })).map(({ name: _, ...verdict }) => verdict);
  };

  describe('rehearsing', () => {
    afterEach(async () => {
      // because: a test that failed would leave its schema to the next
      await open(PLATFORM).discardScratch(SCHEMA, 'job-r');
    });

    test('tells every foreign key that rows break, with numbers and keys, and restores all the same', async () => {
      const source = await openPlatform();
      await runUnchecked(`DELETE FROM tenant WHERE id = 't1'`, `DELETE FROM assessment WHERE id = 'a1'`);
      const kept = await backup(source);
      const broken: BrokenReference[] = [];
      const writer = await load(source, kept, (reference) => broken.push(reference));
      await writer.publish();
      const told = broken.map(({ table, key, rowCount, firstKeys }) => {
        const keys = firstKeys.map((text) => text.replaceAll("'", '')); // SQLite writes them as literals
        return [table, key.columns, key.referencedTable, rowCount, keys.sort().join(' ')];
      });
      expect(told.sort()).toEqual([
        ['business', ['tenant_id'], 'tenant', 2, 'b1 b2'],
        ['factor', ['assessment_id'], 'assessment', 2, '1 3'],
      ]);
      const states = await source.tableStates(['business', 'factor'], SCHEMA);
      expect([...states.values()]).toEqual(['FILLED', 'FILLED']);
    });

    test('asks invariants of the scratch schema, and tells how many rows break them and their keys alone', async () => {
      const source = await openPlatform();
      const kept = await backup(source);
      const writer = await load(source, kept);
      await writer.publish();
      await run(`DELETE FROM factor WHERE id > 0`); // the live rows are not what is asked
      expect(
        await ask(
          source,
          'SELECT id FROM business WHERE id IS NULL',
          'SELECT id, name FROM business ORDER BY id',
          'SELECT id, id FROM factor ORDER BY id',
          'WITH lone AS (SELECT t.id FROM tenant t LEFT JOIN business b ON b.tenant_id = t.id WHERE b.id IS NULL) SELECT id FROM lone',
          'SELECT region_id FROM tenant WHERE region_id IS NULL',
        ),
      ).toEqual([
        { verdict: 'HOLDS' },
        { verdict: 'BROKEN', rowCount: 3, firstKeys: ['b1', 'b2', 'b3'] },
        { verdict: 'BROKEN', rowCount: 4, firstKeys: ['1', '2', '3'] },
        { verdict: 'BROKEN', rowCount: 1, firstKeys: ['t3'] },
        { verdict: 'BROKEN', rowCount: 1, firstKeys: ['null'] },
      ]);
    });

    test('asks the others when one is refused, and writes nothing whatever a statement says', async () => {
      const source = await openPlatform();
      const writer = await load(source, await backup(source));
      await writer.publish();
      const before = await state(source);
      const [first, second, ...rest] = await ask(
        source,
        'SELECT id FROM nowhere',
        `DELETE FROM setting`,
        'SELECT name FROM setting WHERE content IS NULL',
      );
      expect(first).toMatchObject({ verdict: 'UNCHECKED', reason: expect.stringContaining('nowhere') });
      expect(second).toMatchObject({ verdict: 'UNCHECKED' });
      expect(rest).toEqual([{ verdict: 'BROKEN', rowCount: 1, firstKeys: ['mode'] }]);
      expect(await ask(source, 'SELECT name FROM setting')).toMatchObject([{ rowCount: 2 }]);
      expect(await state(source)).toEqual(before);
    });

    test('cuts long keys, and shows bytes as digits', async () => {
      const source = await openPlatform();
      const writer = await load(source, await backup(source));
      await writer.publish();
      const [long, bytes] = await ask(source, `SELECT '${'x'.repeat(500)}'`, `SELECT x'00ff'`);
      expect(long).toMatchObject({ firstKeys: [`${'x'.repeat(80)}...`] });
      expect(bytes).toMatchObject({ firstKeys: ['0x00ff'] });
    });

    test('asks nothing once cancelled', async () => {
      const source = await openPlatform();
      const writer = await load(source, await backup(source));
      await writer.publish();
      const options = { schema: SCHEMA, invariants: [invariant('SELECT 1')], signal: AbortSignal.abort() };
      await fails(source.checkInvariants(options), 'CANCELLED');
    });

    test("drops the job's own scratch schema, whole or not, and no other", async () => {
      const source = await openPlatform();
      const kept = await backup(source);
      const gone = async () => [...(await source.tableStates(['tenant'], SCHEMA)).values()];
      await source.discardScratch(SCHEMA, 'job-r'); // there is none
      const writing = await load(source, kept);
      expect(await source.scratchesNamed(SCHEMA)).toEqual([SCHEMA]);
      await writing.publish();
      expect(await source.scratchesNamed(SCHEMA.slice(0, -1))).toEqual([SCHEMA]);
      expect(await source.scratchesNamed(`${SCHEMA}_`)).toEqual([]);
      await fails(source.discardScratch(SCHEMA, 'another'), 'CONFLICT');
      expect(await gone()).toEqual(['FILLED']);
      await source.discardScratch(SCHEMA, 'job-r');
      expect(await gone()).toEqual(['MISSING']);
      const writer = await load(source, kept);
      await writer.abort();
      await source.discardScratch(SCHEMA, 'job-r');
      expect(await gone()).toEqual(['MISSING']);
      for (const bad of ['../evil', 'a b', '']) await fails(source.discardScratch(bad, 'job-r'), 'INVALID_INPUT');
    });

    test('says of each invariant in its settings whether it understands it', async () => {
      await openPlatform();
      const invariants = [invariant('SELECT id FROM tenant', 'good'), invariant('SELECT absent FROM tenant', 'bad')];
      const findings = await open(PLATFORM, { invariants }).diagnose();
      const told = findings.filter(({ check }) => check === 'invariant').map(({ ok, message }) => [ok, message]);
      expect(told).toEqual([
        [true, expect.stringContaining('good')],
        [false, expect.stringMatching(/bad: .*absent/)],
      ]);
    });
  });
}
