/** Source contract: what a source says of its schema. */
import type { Ownership } from '../../src/domain/mapping';

import { ALL_TYPES, readTable, tableNamed, withRead } from '../support/source-rows';
import {
  PLATFORM,
  column,
  fails,
  plainTable,
  platformSql,
  type ContractBench,
  type SourceContractFixture,
} from './source-bench';

export function describeSchema(bench: ContractBench, fixture: SourceContractFixture): void {
  const { run, open, openPlatform, fieldRows } = bench;

  describe('mapping check', () => {
    test('finds nothing wrong with a sound mapping', async () => {
      const source = await openPlatform();
      expect(await source.checkMapping()).toEqual([]);
      expect((await source.info()).kind).toBe((await source.info()).kind);
    });

    test('names each kind of problem, the table it is of, and what to do', async () => {
      await run(
        'CREATE TABLE keyless (a INT)',
        'CREATE TABLE nullable_unique (a INT NULL, UNIQUE (a))',
        'CREATE TABLE fine (a INT NOT NULL PRIMARY KEY)',
        'CREATE VIEW seen AS SELECT a FROM fine',
      );
      const source = open([
        plainTable('keyless'),
        plainTable('nullable_unique'),
        plainTable('nowhere'),
        plainTable('seen'),
        { ...plainTable('fine'), business: column('nope') },
      ]);
      const problems = await source.checkMapping();
      expect(problems.map(({ table, problem }) => `${table} ${problem}`).sort()).toEqual([
        'fine NO_SUCH_COLUMN',
        'keyless NO_KEY',
        'nowhere NO_SUCH_TABLE',
        'nullable_unique NO_KEY',
        'seen NOT_A_TABLE',
      ]);
      for (const problem of problems) {
        expect(problem.message).toContain(problem.table);
        expect(problem.hint).toMatch(/\w+/);
      }
      await fails(source.openConsistentRead({ dataTypes: ALL_TYPES, connections: 1 }), 'SCHEMA_MISMATCH', /keyless/);
    });

    test('refuses paths that lead nowhere or in a circle', async () => {
      await run(
        'CREATE TABLE x (a INT NOT NULL PRIMARY KEY, b INT NULL)',
        'CREATE TABLE y (a INT NOT NULL PRIMARY KEY, b INT NULL)',
      );
      const path = (table: string, referencedColumn = 'a'): Ownership => ({
        kind: 'PATH',
        column: 'b',
        referencedTable: table,
        referencedColumn,
      });
      const circle = open([
        { ...plainTable('x'), business: path('y') },
        { ...plainTable('y'), business: path('x') },
      ]);
      expect((await circle.checkMapping()).map(({ problem }) => problem)).toEqual(['UNSUPPORTED', 'UNSUPPORTED']);
      const nowhere = open([{ ...plainTable('x'), business: path('y') }]);
      expect((await nowhere.checkMapping()).map(({ problem }) => problem)).toEqual(['UNSUPPORTED']);
      const noColumn = open([
        { ...plainTable('x'), business: path('y', 'nope') },
        { ...plainTable('y'), business: column('b') },
      ]);
      expect((await noColumn.checkMapping()).map(({ problem }) => problem)).toEqual(['NO_SUCH_COLUMN']);
    });

    test('reads some tables although others of the mapping are missing', async () => {
      await run('CREATE TABLE fine (a INT NOT NULL PRIMARY KEY)', 'INSERT INTO fine VALUES (1)');
      const source = open([plainTable('fine'), plainTable('missing')]);
      const read = await source.openConsistentRead({ dataTypes: ALL_TYPES, tables: ['fine'], connections: 1 });
      expect(read.tables.map(({ table }) => table)).toEqual(['fine']);
      expect(await readTable(read, 'fine')).toHaveLength(1);
      await read.close();
    });

    const nullable = fixture.capabilities.nullableKeys ? test : test.skip;
    nullable('refuses NULL in a key', async () => {
      await run('CREATE TABLE lax (a VARCHAR(9) PRIMARY KEY)', "INSERT INTO lax VALUES (NULL), ('x')");
      const problems = await open([plainTable('lax')]).checkMapping();
      expect(problems.map(({ problem }) => problem)).toEqual(['NULL_IN_KEY']);
    });

    const plainEngine = fixture.capabilities.nonTransactionalTable;
    (plainEngine ? test : test.skip)('refuses a table without transactions', async () => {
      await run(plainEngine as string);
      const problems = await open([plainTable('plain')]).checkMapping();
      expect(problems.map(({ problem }) => problem)).toEqual(['NOT_TRANSACTIONAL']);
    });

    test('says that a source is not to be reached', async () => {
      const source = open([], bench.database.unreachable());
      await fails(source.info(), 'SOURCE_UNAVAILABLE');
      await fails(source.openConsistentRead({ dataTypes: ALL_TYPES, connections: 1 }), 'SOURCE_UNAVAILABLE');
    });

    test('diagnoses with findings that say what to do', async () => {
      const source = await openPlatform();
      const findings = await source.diagnose();
      expect(findings.length).toBeGreaterThan(2);
      for (const finding of findings) expect(finding.message).toMatch(/\w+/);
    });
  });

  test('row estimates name each mapped table that is there, and count nothing that would take long', async () => {
    await run(
      'CREATE TABLE some (a INT NOT NULL PRIMARY KEY)',
      `INSERT INTO some VALUES ${Array.from({ length: 50 }, (_, n) => `(${n})`).join(', ')}`,
      'CREATE VIEW seen AS SELECT a FROM some',
    );
    const source = open([plainTable('some'), plainTable('nowhere'), plainTable('seen')]);
    const estimates = await source.estimateRows();
    expect([...estimates.keys()]).toEqual(['some']);
    // A server's statistics may lag behind what was just written.
    expect([0, 50]).toContain(Math.round((estimates.get('some') ?? -1) / 50) * 50);
    const aborted = new AbortController();
    aborted.abort();
    await fails(source.estimateRows(aborted.signal), 'CANCELLED', /./);
  });

  describe('structures', () => {
    test('tell columns, keys, references, indexes and generated columns; parents come first', async () => {
      await run(
        ...platformSql(fixture),
        'CREATE TABLE computed (a INT NOT NULL, b INT NOT NULL, c INT GENERATED ALWAYS AS (a + b) VIRTUAL, PRIMARY KEY (b, a))',
      );
      const source = open([...PLATFORM].reverse().concat(plainTable('computed')));
      await withRead(source, async (read) => {
        const order = read.tables.map(({ table }) => table);
        for (const [parent, child] of [
          ['region', 'tenant'],
          ['tenant', 'business'],
          ['business', 'assessment'],
          ['assessment', 'factor'],
        ] as const) {
          expect(order.indexOf(parent)).toBeLessThan(order.indexOf(child));
        }
        const factor = tableNamed(read, 'factor');
        expect(factor).toMatchObject({ key: ['id'], keyIsPrimary: true, rowEncoding: source.codec.name });
        expect(factor.foreignKeys).toMatchObject([
          {
            columns: ['assessment_id'],
            referencedTable: 'assessment',
            referencedColumns: ['id'],
            onDelete: 'CASCADE',
          },
        ]);
        expect(factor.indexes.some(({ columns }) => columns.join() === 'assessment_id,weight')).toBe(true);
        expect(tableNamed(read, 'region').foreignKeys).toMatchObject([{ referencedTable: 'region' }]);
        const computed = tableNamed(read, 'computed');
        expect(computed.columns.map((each) => each.name)).toEqual(['a', 'b']);
        expect(computed.generatedColumns).toMatchObject([{ name: 'c', stored: false }]);
        expect(computed.key).toEqual(['b', 'a']);
      });
    });

    test('take a unique key over NOT NULL columns where there is no primary key', async () => {
      await run(
        'CREATE TABLE u (a INT NOT NULL, b INT NULL, CONSTRAINT uq_a UNIQUE (a))',
        'INSERT INTO u VALUES (2, 1), (1, 2)',
      );
      const source = open([plainTable('u')]);
      expect(await source.checkMapping()).toEqual([]);
      await withRead(source, async (read) => {
        expect(tableNamed(read, 'u')).toMatchObject({ key: ['a'], keyIsPrimary: false });
      });
      expect(await fieldRows(source, 'u')).toEqual([
        ['1', '2'],
        ['2', '1'],
      ]);
    });

    test('survive cyclic references', async () => {
      await run(...fixture.cyclicTables);
      const source = open([plainTable('egg'), plainTable('hen')]);
      expect(await source.checkMapping()).toEqual([]);
      await withRead(source, async (read) => {
        expect(read.tables.map(({ table }) => table).sort()).toEqual(['egg', 'hen']);
      });
    });
  });
}
