/** Which rows are looked for, of those that a source changed unlogged, when its log tells of very many. */
import { tmpdir } from 'node:os';
import type { BackupId } from '../../../src/domain/ids';
import type { ReferencedValues } from '../../../src/domain/source';
import { followReferences, ToldReferences } from '../../../src/engine/taking/follow-references';
import { decodeFields, encodeField, mysqlCodec } from '../../../src/sources/mysql/row-encoding';
import { memoryStore } from '../../support/engine-memory-store';
import { childTable, keyOn, storeBase } from '../../support/foreign-key-rows';

const MANY = 200_001;
const KEY = keyOn(['number']);

/** Keys of the rows found, and why the table was given up, if so; row k7 refers to 7. */
async function follow(told: ToldReferences): Promise<{ found: string[]; given: string[] }> {
  const structure = childTable(['number'], [KEY]);
  const store = memoryStore();
  const session = await store.beginWrite('backup' as BackupId);
  const layers = { structure, store, session, folder: tmpdir(), rowsPerChunk: 4, maxPairs: 1000 };
  const parent = await storeBase(Array.from({ length: 10 }, (_, i) => [`k${i}`, String(i)]), layers); // prettier-ignore
  const found: string[] = [];
  const given: string[] = [];
  const sink = {
    addFound: (_: string, rows: ReadonlyMap<string, Buffer>) =>
      void found.push(...[...rows.values()].map((row) => String(decodeFields(row)[0]))),
    giveUp: (_: string, reason: string) => void given.push(reason),
  };
  await followReferences(told, { tables: [{ structure, parent }], cascades: [], store, codec: mysqlCodec, sink });
  return { found, given };
}

const values = (seen: ReferencedValues['seen'], from: number, count: number): ReferencedValues => ({
  seen,
  child: 'children',
  key: KEY,
  values: Array.from({ length: count }, (_, i) => encodeField(Buffer.from(String(from + i)))),
});

it('finds what few deleted rows took along, however many others stand in the log', async () => {
  const told = new ToldReferences();
  told.add(values('MET', 1000, MANY));
  told.add(values('CHANGED', 5, 1));
  told.add(values('GONE', 7, 1));
  expect(await follow(told)).toEqual({ found: ['k7', 'k5'], given: [] });
});

it.each(['GONE', 'CHANGED'] as const)('gives the table up where too many rows are %s', async (seen) => {
  const told = new ToldReferences();
  told.add(values(seen, 1000, MANY));
  told.add(values(seen, 7, 1));
  expect(await follow(told)).toEqual({ found: [], given: [expect.stringContaining('too many rows')] });
});
