/**
 * Reads every chunk that a restore will read, before it writes anything: each must be what its id says, decode as rows and
 * hold as many as its index entry claims; together they must give the rows that the manifest counts.
 */
import type { BackupStore, ChunkEntry } from '../../domain/backup-store';
import { AppError, isAppError } from '../../domain/errors';
import type { ChunkId, TableManifest } from '../../domain/manifest';
import type { RowBatch, RowCodec } from '../../domain/rows';
import { keyColumnIndexes } from '../../domain/table';
import { runLanes } from '../lanes';
import type { TaskContext } from '../ports';
import { decodeDeltaChunk, type RangeDelta } from '../rows/delta-chunk';
import { mergeRows } from '../rows/merge-rows';
import { NO_ROWS, decodeRowChunk } from '../rows/row-chunk';
import { chunkSpans, spanBytes, type ChunkSpan } from './backup-rows';
import type { ScopedTable } from './scoped-table';

const CHUNKS_AT_ONCE = 4;

export interface ChunkProof {
  /** Chunks whose rows can't be had. */
  lostChunks: Set<ChunkId>;
  /** Tables whose index of chunks can't be read to its end. */
  lostTables: Set<string>;
  /** Other tables with a lost chunk. */
  hurtTables: Set<string>;
  /** One sentence per loss. */
  losses: string[];
}

interface Proving {
  store: BackupStore;
  codec: RowCodec;
  context: TaskContext;
}

export function newProof(): ChunkProof {
  return { lostChunks: new Set(), lostTables: new Set(), hurtTables: new Set(), losses: [] };
}

/** The first few, and how many more there are: for a failure's message. */
export function firstLosses(losses: readonly string[]): string {
  const rest = losses.length > 3 ? ` (and ${losses.length - 3} more losses)` : '';
  return `${losses.slice(0, 3).join(' ')}${rest}`;
}

export async function proveChunks(tables: readonly ScopedTable[], proving: Proving): Promise<ChunkProof> {
  const proof = newProof();
  for (const { manifest } of tables) await proveTable(manifest, { ...proving, proof });
  return proof;
}

/** Where losses are noted. */
export type SpanProving = Omit<Proving, 'context'> & { proof: ChunkProof };
type TableProving = Proving & { proof: ChunkProof };

async function proveTable(table: TableManifest, proving: TableProving): Promise<void> {
  const { store, context, proof } = proving;
  const known = proof.lostChunks.size;
  let rows = 0;
  const prove = async (span: ChunkSpan): Promise<void> => {
    const found = await readProven(table, span, proving);
    rows += found?.ends.length ?? 0; // after the await: several are proven at a time
    context.progress.advance({ rows: span.entry?.rowCount ?? 0, bytes: spanBytes(span), table: table.table });
  };
  try {
    await runLanes({ lanes: CHUNKS_AT_ONCE, signal: context.signal }, chunkSpans(store, table), prove);
    const nothingLost = proof.lostChunks.size === known;
    if (nothingLost && rows !== table.rowCount)
      throw integrityFailure(`its chunks hold ${rows} rows, its manifest says ${table.rowCount}`);
  } catch (error) {
    noteLostTable(table, error, proof);
  }
}

/** Takes an error that says that a table's index of chunks can't be read; throws any other. */
export function noteLostTable({ table }: TableManifest, error: unknown, proof: ChunkProof): void {
  if (!isDamage(error)) throw error;
  if (proof.lostTables.has(table)) return;
  proof.lostTables.add(table);
  proof.hurtTables.delete(table);
  proof.losses.push(`All rows of table ${table} are lost: ${error.message}`);
}

/** The rows of the span, all layers applied, once its chunks are proven; null if one of them is lost, which the proof then says. */
export async function readProven(
  table: TableManifest,
  span: ChunkSpan,
  proving: SpanProving,
): Promise<RowBatch | null> {
  const base = span.entry === null ? NO_ROWS : await proveChunk(table, span.entry, { proving, decode: decodeBase });
  const deltas: RangeDelta[] = [];
  for (const entry of span.deltas) {
    const delta = await proveChunk(table, entry, { proving, decode: decodeDelta });
    if (delta !== null) deltas.push(delta);
  }
  if (base === null || deltas.length < span.deltas.length) return null;
  if (deltas.length === 0) return base;
  return mergeRows(base, deltas, { codec: proving.codec, keyColumns: keyColumnIndexes(table.structure) });
}

interface ChunkDecoding<Content> {
  proving: SpanProving;
  decode: (payload: Buffer, entry: ChunkEntry) => Content;
}

/** Null if the chunk is lost, which the proof then says. */
async function proveChunk<Content>(
  table: TableManifest,
  entry: ChunkEntry,
  { proving, decode }: ChunkDecoding<Content>,
): Promise<Content | null> {
  const { store, proof } = proving;
  try {
    return decode(await store.readChunk(entry.id), entry);
  } catch (error) {
    if (!isDamage(error)) throw error;
    proof.lostChunks.add(entry.id);
    proof.hurtTables.add(table.table);
    const loss = `${entry.rowCount} rows of table ${table.table} are lost with chunk ${entry.id}: ${error.message}`;
    if (!proof.losses.includes(loss)) proof.losses.push(loss); // parents may be read again
    return null;
  }
}

function decodeBase(payload: Buffer, entry: ChunkEntry): RowBatch {
  const rows = decodeRowChunk(payload);
  requireCount(rows.ends.length, entry);
  return rows;
}

function decodeDelta(payload: Buffer, entry: ChunkEntry): RangeDelta {
  const delta = decodeDeltaChunk(payload);
  requireCount(delta.tombstones.ends.length + delta.upserts.ends.length, entry);
  return delta;
}

function requireCount(found: number, { rowCount }: ChunkEntry): void {
  if (found !== rowCount) throw integrityFailure(`it holds ${found} rows instead of ${rowCount}`);
}

/** What says that bytes are wrong or gone, and not that they could not be fetched just now. */
export function isDamage(error: unknown): error is AppError {
  return isAppError(error) && (error.code === 'INTEGRITY_FAILURE' || error.code === 'NOT_FOUND');
}

function integrityFailure(what: string): AppError {
  return new AppError('INTEGRITY_FAILURE', `A chunk or its index is damaged: ${what}.`);
}
