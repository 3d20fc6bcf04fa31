/** Tables with a foreign key, rows of them as MySQL sends them, and layers of them in a store of a test's own. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { BackupWriteSession } from '../../src/domain/backup-store';
import type { LayerRef, TableManifest } from '../../src/domain/manifest';
import type { ColumnStructure, ForeignKey, TableStructure } from '../../src/domain/table';
import { chunkSpans } from '../../src/engine/reading/backup-rows';
import { indexedColumns } from '../../src/engine/rows/indexed-columns';
import { LayerWriter } from '../../src/engine/writing/layer-writer';
import { encodeRowChunk, NO_ROWS } from '../../src/engine/rows/row-chunk';
import type { EngineStore } from '../../src/engine/ports';
import { encodeField, mysqlCodec } from '../../src/sources/mysql/row-encoding';
import { batchOf, tableOf } from './engine-rows';

/** Texts in utf8; the first is the key. */
export type TextRow = readonly (string | null)[];

export const encodeTexts = (row: TextRow): Buffer =>
  Buffer.concat(row.map((text) => encodeField(text === null ? null : Buffer.from(text))));

export const COLUMNS = {
  caseless: { type: 'varchar(40)', kind: 'TEXT', charset: 'utf8mb4', collation: 'utf8mb4_general_ci' },
  byBytes: { type: 'varchar(40)', kind: 'TEXT', charset: 'latin1', collation: 'latin1_bin' },
  number: { type: 'int(5) unsigned zerofill', kind: 'INTEGER' },
  czech: { type: 'varchar(40)', kind: 'TEXT', charset: 'utf8mb4', collation: 'utf8mb4_czech_ci' },
} satisfies Record<string, Omit<ColumnStructure, 'name' | 'nullable'>>;

export function keyOn(columns: string[], acting: Partial<ForeignKey> = { onDelete: 'CASCADE' }): ForeignKey {
  const none = { onDelete: 'RESTRICT', onUpdate: 'RESTRICT' } as const;
  const name = `fk_${columns.join('_')}`;
  return { name, columns, referencedTable: 'parents', referencedColumns: columns, ...none, ...acting };
}

/** Columns `id`, then those given by name. */
export function childTable(columns: readonly (keyof typeof COLUMNS)[], foreignKeys: ForeignKey[]): TableStructure {
  const id = { name: 'id', type: 'varchar(40)', kind: 'TEXT', nullable: false } as const;
  const rest = columns.map((name) => ({ name, nullable: true, ...COLUMNS[name] }));
  const table = tableOf({ dataType: 'CONFIG', table: 'children' }, ['id', ...columns], { foreignKeys });
  return { ...table, columns: [id, ...rest], rowEncoding: mysqlCodec.name };
}

export interface Change {
  upserts: readonly TextRow[];
  deletes: readonly string[];
}

export interface LayersOf {
  structure: TableStructure;
  store: EngineStore;
  session: BackupWriteSession;
  /** Of spilled pairs. */
  folder: string;
  rowsPerChunk: number;
  maxPairs: number;
}

function writer(kind: LayerRef['kind'], { structure, store, session, folder, maxPairs }: LayersOf): LayerWriter {
  const random = { uuid: () => randomUUID(), bytes: (size: number) => randomBytes(size) };
  const spill = { folder, random, maxPairs };
  const indexedBy = indexedColumns(structure, [structure]);
  return new LayerWriter({ kind, session, structure, codec: mysqlCodec, seed: store.chunkSeed, spill, indexedBy });
}

/** Rows in key order, in ranges of three chunks that finish last one first. */
export async function storeBase(rows: readonly TextRow[], layers: LayersOf): Promise<TableManifest> {
  const layer = writer('BASE', layers);
  const chunks = chunked(rows, layers.rowsPerChunk);
  const ranges = chunked(chunks, 3).map((some, index) => ({ some, index }));
  const finishing: Promise<void>[] = [];
  for (const { some, index } of ranges.reverse()) {
    const range = layer.beginRange();
    for (const chunk of some) await range.storeRows(draftOf(chunk));
    finishing.push(layer.finishRange(index, range));
  }
  await Promise.all(finishing);
  const stored = await layer.finish();
  return {
    dataType: 'CONFIG',
    table: 'children',
    structure: layers.structure,
    rowCount: stored.rowCount,
    rawBytes: stored.rawBytes,
    layers: [stored],
    changeDetection: 'NONE',
    changeDetectionReason: '',
    changedRowCount: stored.rowCount,
  };
}

function draftOf(rows: readonly TextRow[]): Parameters<ReturnType<LayerWriter['beginRange']>['storeRows']>[0] {
  const batch = batchOf(rows.map(encodeTexts));
  const [firstKey, lastKey] = [rows[0], rows[rows.length - 1]].map((row) => encodeTexts([row![0]!])) as [
    Buffer,
    Buffer,
  ];
  return { payload: encodeRowChunk(batch), rowCount: rows.length, rawBytes: batch.bytes.length, firstKey, lastKey };
}

/** Puts a delta layer on the table's stack. */
export async function storeChange(table: TableManifest, change: Change, layers: LayersOf): Promise<TableManifest> {
  const layer = writer('DELTA', layers);
  for await (const span of chunkSpans(layers.store, table)) {
    const within = (id: string): boolean => {
      const key = encodeTexts([id]);
      const { from, to } = span.range;
      return (from === null || key.compare(from) >= 0) && (to === null || key.compare(to) < 0);
    };
    const upserts = change.upserts.filter(([id]) => within(id!)).map(encodeTexts);
    const tombstones = change.deletes.filter(within).map((id) => encodeTexts([id]));
    const range = layer.beginRange();
    if (upserts.length + tombstones.length > 0) {
      const batches = { tombstones: batchOf(tombstones), upserts: upserts.length > 0 ? batchOf(upserts) : NO_ROWS };
      await range.storeDelta({ range: span.range, ...batches });
    }
    await layer.finishRange(span.index, range);
  }
  const delta = await layer.finish();
  return delta.root === null ? table : { ...table, layers: [...table.layers, delta] };
}

export function chunked<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}
