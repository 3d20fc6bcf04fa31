/**
 * Compares single records with the live rows of their keys, and with no others. A live row whose key only the source calls equal (`ABC` for
 * `abc`) stands in a record's place, and goes for it. Rows that came because others refer to them are left alone where they are live.
 */
import { keyColumnIndexes } from '../../domain/table';
import { rowStart, type KeyBytes, type RowBatch, type RowCodec, type RowScope } from '../../domain/rows';
import type { ConsistentRead } from '../../domain/source';
import { knownColumns } from '../reading/adaptation';
import type { ScopedTable } from '../reading/scoped-table';
import { compareRows, type DifferenceSink } from '../rows/compare-rows';
import { keysOf } from '../rows/key-bytes';
import { RowCollector } from '../rows/row-chunk';
import { compareWithStrays } from './stray-search';

export interface RecordsWork {
  table: ScopedTable;
  /** Listed rows and their parents, mixed. */
  backup: RowBatch;
  sink: DifferenceSink;
  signal: AbortSignal;
}

interface Comparing {
  codec: RowCodec;
  /** Whose the listed rows must be on both sides. */
  scope: RowScope;
  live: Pick<ConsistentRead, 'readRows'>;
}

export async function compareRecords(work: RecordsWork, comparing: Comparing): Promise<void> {
  const { table, backup, sink, signal } = work;
  const { structure } = table.manifest;
  const { codec, scope, live } = comparing;
  const of = {
    codec,
    structure,
    keyColumns: keyColumnIndexes(structure),
    knownColumns: knownColumns(table.adaptation),
  };
  const [listed, parents] = split(table, backup, keysOf(backup, codec, of.keyColumns));
  const everyone = (keys: readonly KeyBytes[]) => live.readRows(structure, { keys, signal });
  const { keys } = listed;
  const place = { ...of, backup: listed.rows, sink: partOf(sink, listed.indexes) };
  if (scope.kind === 'ALL') await compareRows({ ...place, live: everyone(keys) });
  else await compareWithStrays({ ...place, own: live.readRows(structure, { keys, scope, signal }), everyone });
  const parentSink = sparingParents(partOf(sink, parents.indexes));
  await compareRows({ ...of, backup: parents.rows, live: everyone(parents.keys), sink: parentSink });
}

interface Part {
  rows: RowBatch;
  keys: KeyBytes[];
  /** Where each of the rows stands among all. */
  indexes: number[];
}

/** What is asked for, and its parents. */
function split({ isParent }: ScopedTable, batch: RowBatch, keys: readonly KeyBytes[]): [Part, Part] {
  const isOf = (parents: boolean): number[] =>
    [...keys.keys()].filter((row) => (isParent?.(keys[row] as KeyBytes) ?? false) === parents);
  const partAt = (indexes: number[]): Part => {
    const rows = new RowCollector();
    for (const row of indexes) rows.add(batch.bytes, rowStart(batch, row), batch.ends[row] as number);
    return { rows: rows.takeBatch(), keys: indexes.map((row) => keys[row] as KeyBytes), indexes };
  };
  return [partAt(isOf(false)), partAt(isOf(true))];
}

function partOf(sink: DifferenceSink, indexes: readonly number[]): DifferenceSink {
  const indexOf = (row: number): number => indexes[row] as number;
  return {
    ...sink,
    changed: (change) => sink.changed({ ...change, index: indexOf(change.index) }),
    missing: (row, index) => sink.missing(row, indexOf(index)),
  };
}

function sparingParents(sink: DifferenceSink): DifferenceSink {
  return { ...sink, changed: (change) => sink.changed({ ...change, isParent: true }), extra: () => undefined };
}
