/**
 * Single rows of a backup: those with given keys, and those that rows refer to. Only chunks that may hold them are read, and each is proven;
 * where neither keys nor an index tell which these are, all of the table. Kept in memory are the rows' keys; whoever restores them reads them again.
 */
import type { BackupStore } from '../../domain/backup-store';
import type { TableManifest } from '../../domain/manifest';
import type { KeyBytes, KeyRange, RowBatch, RowCodec, SortKey } from '../../domain/rows';
import { keyColumnIndexes, type ForeignKey, type TableStructure } from '../../domain/table';
import { runLanes } from '../lanes';
import { KeyReader } from '../rows/key-bytes';
import { batchOfOne, joinBatches } from '../rows/row-chunk';
import { RowFilter, type RowPredicate } from '../rows/row-filter';
import { chunkSpans, type ChunkSpan } from './backup-rows';
import type { ScopedRows, ScopedSpan } from './business-rows';
import { BusinessSpans } from './business-spans';
import type { KeyProbe } from './key-probe';
import { newProof, noteLostTable, readProven } from './prove-chunks';
import { columnIndexes, foldsOf, ScopedFields } from './scoped-fields';
import { KeyPlaces, keyText, WantedKeys, type OnMet, type OnRow } from './wanted-keys';

export interface RecordReading {
  store: BackupStore;
  codec: RowCodec;
  signal: AbortSignal;
  /** Called for each span that was read, before its rows are looked at. */
  onRead?: (table: TableManifest, span: ChunkSpan) => void;
}

/** LISTED: asked for by its key. PARENT: another row refers to it. */
export type RecordRole = 'LISTED' | 'PARENT';

/** Values that rows of a table hold of a foreign key, encoded, by their comparable text (`ScopedFields.tuple` with `foldsOf`). */
export interface Referring {
  key: ForeignKey;
  child: TableStructure;
  parent: TableManifest;
  values: ReadonlyMap<string, Buffer>;
}

type Spans = AsyncIterable<ChunkSpan> | Iterable<ChunkSpan>;

/** The rows of one table that were taken. */
interface TakenRows {
  manifest: TableManifest;
  roles: Map<string, RecordRole>;
  spans: Map<number, ScopedSpan>;
}

const CHUNKS_AT_ONCE = 4;

export class RecordRows {
  readonly proof = newProof();
  private readonly taken = new Map<string, TakenRows>();
  private readonly spans: BusinessSpans;

  constructor(private readonly reading: RecordReading) {
    this.spans = new BusinessSpans(reading);
  }

  /** Takes the rows that have one of the keys and are accepted; tells of each, and gives the keys of which none was taken. */
  async takeListed(
    table: TableManifest,
    probes: readonly KeyProbe[],
    { accepts, onNew }: { accepts: RowPredicate; onNew: OnRow },
  ): Promise<ReadonlySet<KeyProbe>> {
    const wanted = new WantedKeys(this.reading.codec, table.structure, probes);
    const refused = new Set<KeyProbe>();
    for (const allByValue of [false, true]) {
      const spans = wanted.unmet.size === 0 ? [] : this.spansWithin(table, (range) => wanted.mayBeWithin(range));
      await this.eachSpan(table, spans, (span, rows) => {
        const take: OnMet = (row, probe) => {
          if (!accepts(row, 0)) refused.add(probe);
          else if (this.take(table, span, { row, role: 'LISTED' })) onNew(row);
        };
        wanted.meet(rows, take, { allByValue });
      });
    }
    return new Set([...wanted.unmet, ...refused]);
  }

  /** Takes the rows that are referred to; tells of those that were not taken before, and gives the values that no row has. */
  async takeReferred(referring: Referring, onNew: OnRow): Promise<string[]> {
    const { parent, values } = referring;
    const found = new ReferredRows(referring, this.reading.codec);
    await this.eachSpan(parent, await this.spansOf(referring), (span, rows) => found.look(span, rows));
    for (const { span, row } of found.byValue.values())
      if (this.take(parent, span, { row, role: 'PARENT' })) onNew(row);
    return [...values.keys()].filter((value) => !found.byValue.has(value));
  }

  /** What was taken of each table that has any, by its name. */
  get rows(): ReadonlyMap<string, ScopedRows> {
    const scoped = [...this.taken].map(([table, { manifest, roles, spans }]) => {
      const filter = new RowFilter(this.ofKeys(manifest, (key) => roles.has(key)));
      return [table, { filter, spans: [...spans.values()].sort((a, b) => a.span.index - b.span.index) }] as const;
    });
    return new Map(scoped);
  }

  /** Whether a taken row of the table, by its key, came because others refer to it. */
  isParentIn(manifest: TableManifest): (key: KeyBytes) => boolean {
    const roles = this.taken.get(manifest.table)?.roles;
    return (key) => roles?.get(key.toString('latin1')) === 'PARENT';
  }

  parentsIn({ table }: TableManifest): number {
    return [...(this.taken.get(table)?.roles.values() ?? [])].filter((role) => role === 'PARENT').length;
  }

  /** False where the row was taken before. */
  private take(manifest: TableManifest, span: ChunkSpan, { row, role }: { row: Buffer; role: RecordRole }): boolean {
    const taken: TakenRows = this.taken.get(manifest.table) ?? { manifest, roles: new Map(), spans: new Map() };
    this.taken.set(manifest.table, taken);
    const reader = new KeyReader(this.reading.codec, keyColumnIndexes(manifest.structure));
    reader.read(row, 0);
    const key = keyText(reader);
    if (taken.roles.has(key)) return false;
    taken.roles.set(key, role);
    const { rowCount, rawBytes } = taken.spans.get(span.index) ?? { rowCount: 0, rawBytes: 0 };
    taken.spans.set(span.index, { span, rowCount: rowCount + 1, rawBytes: rawBytes + row.length });
    return true;
  }

  private ofKeys({ structure }: TableManifest, accepts: (key: string) => boolean): RowPredicate {
    const reader = new KeyReader(this.reading.codec, keyColumnIndexes(structure));
    return (bytes, start) => {
      reader.read(bytes, start);
      return accepts(keyText(reader));
    };
  }

  /** By the parents' own keys, where they are among what rows refer to and their places are known; else by an index, or all. */
  private async spansOf(referring: Referring): Promise<Spans> {
    const { key, child, parent, values } = referring;
    const encoded = [...values.values()];
    const sortKey = this.reading.codec.sortKey?.(parent.structure) ?? null;
    const places = encoded.map((value) => this.placeOf(value, referring, sortKey));
    if (!places.includes(null)) {
      const known = new KeyPlaces(sortKey, places);
      return this.spansWithin(parent, (range) => known.mayBeWithin(range));
    }
    const of = { structure: child, columns: key.columns };
    const batch = joinBatches(encoded.map(batchOfOne));
    return this.spans.spansOf(parent, [{ columns: key.referencedColumns, values: batch, of }]);
  }

  private placeOf(value: Buffer, { key, parent }: Referring, sortKey: SortKey | null): Buffer | null {
    const columns = parent.structure.key.map((name) => key.referencedColumns.indexOf(name));
    if (sortKey === null || columns.includes(-1)) return null;
    const reader = new KeyReader(this.reading.codec, columns);
    reader.read(value, 0);
    return sortKey(reader.copy());
  }

  private async *spansWithin(table: TableManifest, may: (range: KeyRange) => boolean): AsyncGenerator<ChunkSpan> {
    for await (const span of chunkSpans(this.reading.store, table)) if (may(span.range)) yield span;
  }

  private async eachSpan(table: TableManifest, spans: Spans, look: OnRows): Promise<void> {
    const { signal, onRead } = this.reading;
    try {
      await runLanes({ lanes: CHUNKS_AT_ONCE, signal }, spans, async (span) => {
        const rows = await readProven(table, span, { ...this.reading, proof: this.proof });
        onRead?.(table, span);
        if (rows !== null) look(span, rows);
      });
    } catch (error) {
      noteLostTable(table, error, this.proof);
    }
  }
}

type OnRows = (span: ChunkSpan, rows: RowBatch) => void;

/** Finds rows by what refers to them. A row that only looks equal is taken where none has the very bytes. */
class ReferredRows {
  readonly byValue = new Map<string, { span: ChunkSpan; row: Buffer }>();
  private readonly fields: ScopedFields;
  private readonly columns: number[];
  private readonly folds: boolean[];

  constructor(
    private readonly referring: Referring,
    codec: RowCodec,
  ) {
    const { structure } = referring.parent;
    this.fields = new ScopedFields(codec, structure);
    this.columns = columnIndexes(structure, referring.key.referencedColumns);
    this.folds = foldsOf(referring.key, { child: referring.child, parent: structure });
  }

  look(span: ChunkSpan, { bytes, ends }: RowBatch): void {
    let start = 0;
    for (const end of ends) {
      this.note(span, bytes.subarray(start, end));
      start = end;
    }
  }

  private note(span: ChunkSpan, row: Buffer): void {
    const value = this.fields.at(row, 0).tuple(this.columns, this.folds);
    const wanted = value === null ? undefined : this.referring.values.get(value);
    if (value === null || wanted === undefined) return;
    const isExact = this.fields.encoded(this.columns).equals(wanted);
    if (isExact || !this.byValue.has(value)) this.byValue.set(value, { span, row: Buffer.from(row) });
  }
}
