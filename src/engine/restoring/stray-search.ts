/**
 * Compares rows of a business with its live rows, and looks for those that these lack among everyone's: where a parent went without its
 * children, their path leads nowhere and they are in no business's scope.
 */
import { AppError } from '../../domain/errors';
import type { KeyBytes, RowBatch, RowCodec } from '../../domain/rows';
import { keyColumnIndexes, type TableStructure } from '../../domain/table';
import { compareRows, type DifferenceSink, type RowSlice } from '../rows/compare-rows';
import { keysOf } from '../rows/key-bytes';
import { RowCollector } from '../rows/row-chunk';
import { FieldReader } from '../rows/row-filter';

export interface StrayComparison {
  structure: TableStructure;
  codec: RowCodec;
  backup: RowBatch;
  /** As `compareRows` takes it. */
  knownColumns: number | undefined;
  /** Of the business. */
  own: AsyncIterable<RowBatch>;
  /** Of anybody, with these keys. */
  everyone: (keys: readonly KeyBytes[]) => AsyncIterable<RowBatch>;
  sink: DifferenceSink;
}

/** Throws CONFLICT for a key that is another business's by now. */
export async function compareWithStrays(comparison: StrayComparison): Promise<void> {
  const { structure, codec, knownColumns, backup, own, everyone, sink } = comparison;
  const keyColumns = keyColumnIndexes(structure);
  const of = { codec, keyColumns, knownColumns };
  const strays = new StraySearch(structure, codec, sink);
  await compareRows({ ...of, backup, live: own, sink: strays.firstPass() });
  if (strays.missing.length === 0) return;
  const missing = strays.missingRows();
  const live = everyone(keysOf(missing, codec, keyColumns));
  await compareRows({ ...of, backup: missing, live, sink: strays.secondPass() });
}

/** Splits comparing in two: rows missing from the scope are held back, then looked for outside it. */
class StraySearch {
  readonly missing: { row: RowSlice; index: number }[] = [];
  private readonly ownerColumn: number;
  private readonly liveFields: FieldReader;
  private readonly backupFields: FieldReader;

  constructor(
    private readonly structure: TableStructure,
    codec: RowCodec,
    private readonly sink: DifferenceSink,
  ) {
    const owner = structure.mapping.business?.column;
    this.ownerColumn = structure.columns.findIndex(({ name }) => name === owner);
    this.liveFields = new FieldReader(codec, structure);
    this.backupFields = new FieldReader(codec, structure);
  }

  firstPass(): DifferenceSink {
    return { ...this.sink, missing: (row, index) => void this.missing.push({ row, index }) };
  }

  missingRows(): RowBatch {
    const rows = new RowCollector();
    for (const { row } of this.missing) rows.add(row.bytes, row.start, row.end);
    return rows.takeBatch();
  }

  secondPass(): DifferenceSink {
    const indexOf = (index: number): number => (this.missing[index] as { index: number }).index;
    return {
      ...this.sink,
      changed: (change) => {
        if (!this.sameOwner(change)) throw ownedByOthers(this.structure);
        this.sink.changed({ ...change, index: indexOf(change.index) });
      },
      extra: () => undefined,
      missing: (row, index) => this.sink.missing(row, indexOf(index)),
    };
  }

  private sameOwner({ live, backup }: { live: RowSlice; backup: RowSlice }): boolean {
    this.liveFields.locate(live.bytes, live.start);
    this.backupFields.locate(backup.bytes, backup.start);
    return this.liveFields.sameField(this.backupFields, this.ownerColumn);
  }
}

export function ownedByOthers(structure: TableStructure): AppError {
  return new AppError(
    'CONFLICT',
    `A key in table ${structure.table} that the backup holds is now another business's.`,
    {
      hint: 'Restore into a scratch schema, and settle by hand whose row it is.',
    },
  );
}
