/** Whose a record is: a test of rows for the business that a caller asks about, and where these rows may stand. */
import type { BackupStore } from '../../domain/backup-store';
import { AppError } from '../../domain/errors';
import type { Manifest, TableManifest } from '../../domain/manifest';
import type { RowCodec } from '../../domain/rows';
import type { RecordTest } from '../rows/record-predicate';
import { chunkSpans, type ChunkSpan } from './backup-rows';
import { collectBusinessRows } from './business-rows';
import { BusinessSpans } from './business-spans';

interface Reading {
  store: BackupStore;
  codec: RowCodec;
  signal: AbortSignal;
}

export interface OwnedRows {
  accepts: RecordTest;
  /** Of the table, in its order; in no other is such a row. */
  spans: Iterable<ChunkSpan> | AsyncIterable<ChunkSpan>;
}

/** Null where the backup holds no row of the business. Throws INVALID_INPUT where the table's rows belong to none. */
export async function ownedBy(
  businessId: string | null,
  { table, manifest }: { table: TableManifest; manifest: Manifest },
  reading: Reading,
): Promise<OwnedRows | null> {
  if (businessId === null) return { accepts: () => true, spans: chunkSpans(reading.store, table) };
  const { mapping, columns } = table.structure;
  const { business } = mapping;
  if (business === undefined) throw belongsToNobody(table);
  if (business.kind === 'PATH') return ownedByPath(businessId, { table, manifest }, reading);
  const slot = 3 * columns.findIndex(({ name }) => name === business.column);
  const sought = { columns: [business.column], text: businessId };
  return {
    accepts: (bytes, fields) =>
      reading.codec.valueText(bytes, fields[slot] as number, fields[slot + 2] as number) === businessId,
    spans: await new BusinessSpans(reading).spansOf(table, [sought]),
  };
}

async function ownedByPath(
  businessId: string,
  { table, manifest }: { table: TableManifest; manifest: Manifest },
  reading: Reading,
): Promise<OwnedRows | null> {
  const tables = ownersOf(table, manifest).map((owner) => ({ manifest: owner, role: 'WHOLE' as const }));
  const { tables: found, isKnown, proof } = await collectBusinessRows(tables, businessId, reading);
  if (proof.losses.length > 0) throw damaged(proof.losses);
  const own = found.get(table.table);
  if (!isKnown || own === undefined) return null;
  return {
    accepts: (bytes, fields) => own.filter.accepts(bytes, fields[0] as number),
    spans: own.spans.map(({ span }) => span),
  };
}

function damaged(losses: readonly string[]): AppError {
  return new AppError('INTEGRITY_FAILURE', `The backup is damaged. ${losses.slice(0, 3).join(' ')}`, {
    hint: 'Read another backup, or verify this one to see what is hurt.',
  });
}

/** The table and those that its path leads through. */
export function ownersOf(table: TableManifest, manifest: Manifest): TableManifest[] {
  const owners: TableManifest[] = [];
  for (let owner: TableManifest | undefined = table; owner !== undefined && !owners.includes(owner);) {
    owners.push(owner);
    owner = ownerOf(owner, manifest);
  }
  return owners;
}

function ownerOf({ structure }: TableManifest, { tables }: Manifest): TableManifest | undefined {
  const { business } = structure.mapping;
  return business?.kind === 'PATH' ? tables.find(({ table }) => table === business.referencedTable) : undefined;
}

function belongsToNobody({ table }: TableManifest): AppError {
  return new AppError('INVALID_INPUT', `Rows of ${table} belong to no single business.`, {
    hint: 'Leave businessId out, or filter by a column.',
    path: ['businessId'],
  });
}
