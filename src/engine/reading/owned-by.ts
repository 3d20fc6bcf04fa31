/** Whose a record is: a test of rows for the business that a caller asks about. */
import type { BackupStore } from '../../domain/backup-store';
import { AppError, isAppError } from '../../domain/errors';
import type { Manifest, TableManifest } from '../../domain/manifest';
import type { RowCodec } from '../../domain/rows';
import type { RecordTest } from '../rows/record-predicate';
import { collectBusinessRows } from './business-rows';

interface Reading {
  store: BackupStore;
  codec: RowCodec;
  signal: AbortSignal;
}

/** Null where the backup holds no row of the business. Throws INVALID_INPUT where the table's rows belong to none. */
export async function ownedBy(
  businessId: string | null,
  { table, manifest }: { table: TableManifest; manifest: Manifest },
  reading: Reading,
): Promise<RecordTest | null> {
  if (businessId === null) return () => true;
  const { mapping, columns } = table.structure;
  const { business } = mapping;
  if (business === undefined) throw belongsToNobody(table);
  if (business.kind === 'PATH') return ownedByPath(businessId, { table, manifest }, reading);
  const slot = 3 * columns.findIndex(({ name }) => name === business.column);
  return (bytes, fields) =>
    reading.codec.valueText(bytes, fields[slot] as number, fields[slot + 2] as number) === businessId;
}

async function ownedByPath(
  businessId: string,
  { table, manifest }: { table: TableManifest; manifest: Manifest },
  reading: Reading,
): Promise<RecordTest | null> {
  const tables = ownersOf(table, manifest).map((owner) => ({ manifest: owner, role: 'WHOLE' as const }));
  try {
    const filter = (await collectBusinessRows(tables, businessId, reading)).get(table.table);
    return (bytes, fields) => filter?.accepts(bytes, fields[0] as number) ?? false;
  } catch (error) {
    if (isAppError(error) && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}

/** The table and those that its path leads through. */
function ownersOf(table: TableManifest, manifest: Manifest): TableManifest[] {
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
