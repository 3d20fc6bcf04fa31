/**
 * Proves, before COMMIT, that the rows of a change set are in place, by their keys; and, where triggers ran, that nothing else in its
 * tables changed: the hashes of all rows, added up, must have changed by exactly what was listed.
 */
import { AppError } from '../../domain/errors';
import type { RowBatch, RowCodec } from '../../domain/rows';
import { rowStart } from '../../domain/rows';
import type { ChangeWriter } from '../../domain/source';
import { keyColumnIndexes, type TableStructure } from '../../domain/table';
import { throwIfAborted } from '../lanes';
import type { TaskContext } from '../ports';
import { compareRows, type DifferenceSink } from '../rows/compare-rows';
import { keysOf, murmur3 } from '../rows/key-bytes';
import type { TableChanges } from './table-changes';

export interface Proving {
  writer: ChangeWriter;
  codec: RowCodec;
  context: TaskContext;
}

/** Gives the number of written rows that are as listed; CONFLICT where one is not, or a deleted one is there. */
export async function proveChanges(tables: readonly TableChanges[], proving: Proving): Promise<number> {
  proving.context.progress.begin({ name: 'checking', from: 85, to: 98 });
  let proven = 0;
  for (const table of tables) proven += await proveTable(table, proving);
  return proven;
}

/** The same of one table, within whatever phase it is. */
export async function proveTable(changes: TableChanges, proving: Proving): Promise<number> {
  const { structure, ...of } = streamsOf(changes);
  let proven = 0;
  for await (const rows of of.written()) proven += await prove(structure, { rows, sink: asWritten }, proving);
  for await (const rows of of.gone()) await prove(structure, { rows, sink: isGone }, proving);
  return proven;
}

interface Streams {
  structure: TableStructure;
  written(): AsyncIterable<RowBatch>;
  gone(): AsyncIterable<RowBatch>;
}

function streamsOf(changes: TableChanges): Streams {
  async function* written(): AsyncGenerator<RowBatch> {
    for await (const { newRows } of changes.updates()) yield newRows;
    for await (const { newRows } of changes.moves()) yield newRows;
    yield* changes.inserts();
  }
  return { structure: changes.structure, written, gone: () => changes.deletes() };
}

type SinkOf = (structure: TableStructure) => DifferenceSink;

async function prove(
  structure: TableStructure,
  { rows, sink }: { rows: RowBatch; sink: SinkOf },
  { writer, codec, context }: Proving,
): Promise<number> {
  throwIfAborted(context.signal);
  if (rows.ends.length === 0) return 0;
  const keyColumns = keyColumnIndexes(structure);
  const keys = keysOf(rows, codec, keyColumns);
  const live = writer.readRows(structure, { keys, signal: context.signal });
  await compareRows({ codec, keyColumns, backup: rows, live, sink: sink(structure) });
  context.progress.advance({ rows: rows.ends.length, bytes: rows.bytes.length, table: structure.table });
  return rows.ends.length;
}

const NOTHING: DifferenceSink = {
  equal: () => undefined,
  changed: () => undefined,
  extra: () => undefined,
  missing: () => undefined,
  settle: () => Promise.resolve(),
};

const asWritten: SinkOf = (structure) => {
  const fail = (): never => {
    throw notAsWritten(structure, 'A row written to');
  };
  return { ...NOTHING, changed: fail, missing: fail };
};

const isGone: SinkOf = (structure) => {
  const fail = (): never => {
    throw notAsWritten(structure, 'A row deleted from');
  };
  return { ...NOTHING, equal: fail, changed: fail };
};

function notAsWritten({ table }: TableStructure, which: string): AppError {
  return new AppError('CONFLICT', `${which} ${table} did not read back as it was listed; nothing was changed.`, {
    hint: `Look for triggers on ${table} that change what is written, and restore into a scratch schema meanwhile.`,
  });
}

const SEEDS = [1, 0x9e3779b9, 0x85ebca6b] as const;

/** The rows of a table as sums: equal for equal rows in whatever order, and changed by each row that comes or goes. */
export class RowSums {
  rows = 0;
  private readonly sums = new Uint32Array(SEEDS.length);

  add(batch: RowBatch, sign: 1 | -1 = 1): void {
    this.rows += sign * batch.ends.length;
    for (let row = 0; row < batch.ends.length; row++) {
      const [start, end] = [rowStart(batch, row), batch.ends[row] as number];
      SEEDS.forEach((seed, i) => {
        this.sums[i] = (this.sums[i] as number) + sign * murmur3(batch.bytes, start, end, seed);
      });
    }
  }

  equals(other: RowSums): boolean {
    return this.rows === other.rows && this.sums.every((sum, i) => sum === other.sums[i]);
  }
}

export async function sumRows(
  structure: TableStructure,
  { writer, context }: Pick<Proving, 'writer' | 'context'>,
): Promise<RowSums> {
  const sums = new RowSums();
  for await (const batch of writer.readRows(structure, { signal: context.signal })) {
    sums.add(batch);
    batch.release?.();
  }
  return sums;
}

/** Brings sums from before the changes to what they must be after them. */
export async function addChanges(sums: RowSums, changes: TableChanges): Promise<void> {
  for await (const rows of changes.deletes()) sums.add(rows, -1);
  for await (const rows of changes.inserts()) sums.add(rows);
  for (const pairs of [changes.updates(), changes.moves()]) {
    for await (const { oldRows, newRows } of pairs) {
      sums.add(oldRows, -1);
      sums.add(newRows);
    }
  }
}
