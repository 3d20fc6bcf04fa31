/** Every column type of MariaDB or MySQL, with its edge values, comes back the same: by bulk load, by INSERT, and by differences. */
import fc from 'fast-check';
import type { SourceMapping } from '../../src/domain/mapping';
import type { RowBatch } from '../../src/domain/rows';
import type { ConsistentRead, Source } from '../../src/domain/source';
import type { TableStructure } from '../../src/domain/table';
import { createSchema, stopMariadb, type MariadbServer, type TestSchema } from '../support/mariadb';
import { fillEdges, typeEdges, type TypeEdges } from '../support/mysql-edges';
import { describeMariadb, needServer, openTestMysql } from '../support/mysql-source';
import { ALL_TYPES, batchOf, collect, rowBytes, stream } from '../support/source-rows';

const MAPPING: SourceMapping = [{ dataType: 'CONFIG', table: 'every' }];
const ROUNDS = process.env.LONG === '1' ? 40 : 4;

const asHex = (batches: RowBatch[]): string[] => rowBytes(batches).map((row) => row.toString('hex'));

describeMariadb('every type of the server', () => {
  let edges: TypeEdges;
  let server: MariadbServer;
  let schema: TestSchema;
  let source: Source;
  let scratch: string;

  beforeAll(async () => {
    server = await needServer();
    edges = typeEdges(server);
  });
  afterAll(() => stopMariadb());

  beforeEach(async () => {
    schema = await createSchema(server, 'types');
    scratch = `${schema.name}_s`;
    source = openTestMysql(schema.url, MAPPING);
    await fillEdges(schema, edges);
  });

  afterEach(async () => {
    await source.close();
    await schema.exec(`DROP DATABASE IF EXISTS \`${scratch}\``, 'SET GLOBAL local_infile = 1');
    await schema.drop();
  });

  async function backup(): Promise<{ table: TableStructure; batches: RowBatch[] }> {
    const read = await source.openConsistentRead({ dataTypes: ALL_TYPES, connections: 1 });
    const table = read.tables[0] as TableStructure;
    const batches = await collect(read.readRows(table, {}));
    await read.close();
    return { table, batches };
  }

  async function snapshot(name: string): Promise<{ checksum: unknown; values: unknown[] }> {
    const [[sum]] = (await schema.connection.query(`CHECKSUM TABLE ${name} EXTENDED`)) as never as [
      [{ Checksum: unknown }],
    ];
    const list = edges.map((_, i) => `HEX(c${i})`).join(', ');
    const [rows] = await schema.connection.query({
      sql: `SELECT id, ${list} FROM ${name} ORDER BY id`,
      rowsAsArray: true,
    });
    return { checksum: sum.Checksum, values: rows as unknown[] };
  }

  async function restoreScratch(table: TableStructure, batches: RowBatch[]): Promise<ConsistentRead> {
    const writer = await source.openBulkWriter({
      jobId: 'types',
      scratchSchema: scratch,
      tables: [table],
      connections: 1,
    });
    await writer.load(table, stream(batches));
    await writer.finishLoading(table);
    await writer.finishTables();
    const back = await writer.openReadBack();
    // As text: comparing Buffers takes the test runner seconds.
    expect(asHex(await collect(back.readRows(table, {})))).toEqual(asHex(batches));
    await writer.publish();
    return back;
  }

  test('by LOAD DATA', async () => {
    const { table, batches } = await backup();
    const before = await snapshot('every');
    await restoreScratch(table, batches);
    expect(await snapshot(`\`${scratch}\`.every`)).toEqual(before);
  });

  test('by INSERT, where local_infile is off', async () => {
    await schema.exec('SET GLOBAL local_infile = 0');
    const { table, batches } = await backup();
    const before = await snapshot('every');
    await restoreScratch(table, batches);
    expect(await snapshot(`\`${scratch}\`.every`)).toEqual(before);
  });

  test('by differences: deleted and inserted, spoiled and updated', async () => {
    const { table, batches } = await backup();
    const before = await snapshot('every');
    const rows = batchOf(rowBytes(batches));
    const first = await source.openChangeWriter({ jobId: 'd1', tables: [table] });
    await first.deleteRows(table, rows);
    await first.insertRows(table, rows);
    await first.commit();
    expect(await snapshot('every')).toEqual(before);
    const spoilt = rowBytes((await backup()).batches);
    await schema.exec(`UPDATE every SET ${edges.map((_, i) => `c${i} = NULL`).join(', ')}`);
    const second = await source.openChangeWriter({ jobId: 'd2', tables: [table] });
    await second.updateRows(table, batchOf(rowBytes((await backup()).batches)), batchOf(spoilt));
    await second.commit();
    expect(await snapshot('every')).toEqual(before);
  });

  test('a value that the server would change fails the load', async () => {
    const { table, batches } = await backup();
    const narrow = { ...table, createStatement: table.createStatement.replace(/`c4` int(\(11\))?/, '`c4` tinyint') };
    const writer = await source.openBulkWriter({
      jobId: 'narrow',
      scratchSchema: scratch,
      tables: [narrow],
      connections: 1,
    });
    await expect(writer.load(narrow, stream(batches))).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' });
    await writer.abort();
    expect([...(await source.tableStates(['every'], scratch)).values()]).toEqual(['MISSING']);
  });

  test('random floats and bytes', async () => {
    let round = 0;
    const value = fc.record({
      f: fc.float({ noNaN: true, noDefaultInfinity: true }),
      d: fc.double({ noNaN: true, noDefaultInfinity: true }),
      b: fc.uint8Array({ maxLength: 300 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 40 }), async (given) => {
        round += 1;
        await schema.exec('DELETE FROM every');
        const rows = given.map(
          ({ f, d, b }, i) =>
            `(${i}, '${f}', '${f % 9999}', '${d}', '${(d % 1e12).toFixed(9)}', X'${Buffer.from(b).toString('hex')}',
              JSON_ARRAY(${d.toExponential()}, ${(f % 9999).toFixed(3)}0))`,
        );
        const at = (type: string): string => `c${edges.findIndex(([t]) => t === type)}`;
        const names = ['FLOAT', 'FLOAT(7,3)', 'DOUBLE', 'DOUBLE(20,6)', 'VARBINARY(300)', 'JSON'].map(at);
        await schema.exec(`INSERT INTO every (id, ${names.join(', ')}) VALUES ${rows.join(', ')}`);
        const { table, batches } = await backup();
        const before = await snapshot('every');
        await restoreScratch(table, batches);
        expect(await snapshot(`\`${scratch}\`.every`)).toEqual(before);
        await source.dropScratch(scratch);
      }),
      { seed: 20261122, numRuns: ROUNDS },
    );
    expect(round).toBeGreaterThanOrEqual(ROUNDS);
  });
});
