/** A table as a backup holds it: its rows in scope, span by span. */
import type { BackupStore } from '../../domain/backup-store';
import type { Manifest, TableManifest } from '../../domain/manifest';
import type { RowBatch, RowCodec } from '../../domain/rows';
import type { TableStructure } from '../../domain/table';
import { throwIfAborted } from '../lanes';
import type { TaskContext } from '../ports';
import { RowFilter } from '../rows/row-filter';
import { readSpan, spanBytes, type SpanChunks } from './backup-rows';
import { ownedBy, type OwnedRows } from './owned-by';

export interface TableInBackup {
  table: TableManifest;
  manifest: Manifest;
}

export interface StateReading {
  store: BackupStore;
  codec: RowCodec;
  /** Only rows that the business owns; null: all. */
  businessId: string | null;
  context: TaskContext;
}

/** Throws INVALID_INPUT for one business of a table whose rows belong to none. */
export async function openState(state: TableInBackup, reading: StateReading): Promise<StateRows> {
  const { store, codec, businessId, context } = reading;
  const owned = await ownedBy(businessId, state, { store, codec, signal: context.signal });
  return new StateRows(state.table, owned ?? NOTHING_OWNED, reading);
}

const NOTHING_OWNED: OwnedRows = { accepts: () => false, spans: [] };

export class StateRows {
  private readonly filter: RowFilter | null;

  constructor(
    readonly table: TableManifest,
    private readonly owned: OwnedRows,
    private readonly reading: StateReading,
  ) {
    this.filter = reading.businessId === null ? null : new RowFilter(this.predicate());
  }

  get structure(): TableStructure {
    return this.table.structure;
  }

  /** In the order of the table; in no other is a row in scope. */
  get spans(): OwnedRows['spans'] {
    return this.owned.spans;
  }

  async *all(): AsyncGenerator<RowBatch> {
    for await (const span of this.owned.spans) {
      throwIfAborted(this.reading.context.signal);
      yield await this.read(span);
    }
  }

  /** Rows in scope, all layers applied. Throws INTEGRITY_FAILURE for a chunk that is not what its id says. */
  async read(span: SpanChunks): Promise<RowBatch> {
    const rows = await readSpan(this.table, span, this.reading);
    this.reading.context.progress.advance({ rows: rows.ends.length, bytes: spanBytes(span), table: this.table.table });
    return this.filter?.apply(rows) ?? rows;
  }

  private predicate(): (bytes: Buffer, start: number) => boolean {
    const count = this.table.structure.columns.length;
    const fields = new Int32Array(3 * count);
    return (bytes, start) => {
      this.reading.codec.locate(bytes, start, count, fields);
      return this.owned.accepts(bytes, fields) === true;
    };
  }
}
