/**
 * Opens a backup for an export: finds which of its tables are meant and which of their rows, and gives those. Of one business among many
 * only the chunks are read that can hold its rows, as a restore of it does.
 */
import { AppError } from '../../domain/errors';
import type { ExportWanted } from '../../domain/export';
import type { Manifest, TableManifest } from '../../domain/manifest';
import { businessRoles, type BusinessRole } from '../../domain/ownership';
import { parseRecordFilter } from '../../domain/record-filter';
import type { RowCodec } from '../../domain/rows';
import type { JsonValue } from '../../domain/values';
import type { EngineStore, TaskContext } from '../ports';
import { chunkSpans, spanBytes, type ChunkSpan } from '../reading/backup-rows';
import { collectBusinessRows, noRowOf, type BusinessRows } from '../reading/business-rows';
import { codecOf } from '../reading/codec-of';
import { ownersOf } from '../reading/owned-by';
import type { ScopedTable } from '../reading/scoped-table';
import { requireBackup } from '../reading/stored-backup';
import { compileFilter } from '../rows/record-predicate';
import type { RowPredicate } from '../rows/row-filter';
import { TypedRows } from '../rows/typed-rows';
import { damaged } from './damaged';

/** A table of which rows are exported. */
export interface TableRows {
  table: TableManifest;
  /** In the order of their keys; no other span of the table has a row that is meant. */
  spans: () => Iterable<ChunkSpan> | AsyncIterable<ChunkSpan>;
  /** Absent: all rows are meant. */
  accepts?: RowPredicate;
}

export interface OpenedExport {
  store: EngineStore;
  codec: RowCodec;
  manifest: Manifest;
  /** In the order of the manifest: parents first. */
  tables: TableRows[];
  notes: string[];
}

/** Throws NOT_FOUND where the backup, the table or the business is not there, INVALID_INPUT for what a filter can't mean, INTEGRITY_FAILURE. */
export async function openExport(wanted: ExportWanted, context: TaskContext): Promise<OpenedExport> {
  const store = await context.deps.store();
  const { manifest } = await requireBackup(wanted.backupId, store);
  const chosen = chosenTables(wanted, manifest);
  const codec = await codecOf(manifest, chosen[0] as TableManifest, context.deps);
  const opened: OpenedExport = { store, codec, manifest, tables: [], notes: [] };
  const businessId = businessAmongMany(wanted, manifest);
  opened.tables =
    businessId === null
      ? chosen.map((table) => ({ table, spans: () => chunkSpans(store, table) }))
      : await ofBusiness(businessId, chosen, { opened, context });
  if (wanted.filter !== null) opened.tables = opened.tables.map((rows) => filtered(rows, wanted.filter ?? '', codec));
  return opened;
}

function chosenTables({ dataTypes, table }: ExportWanted, { tables }: Manifest): TableManifest[] {
  const chosen = tables.filter(
    (candidate) => dataTypes.includes(candidate.dataType) && (table === null || candidate.table === table),
  );
  if (chosen.length > 0) return chosen;
  throw new AppError('NOT_FOUND', 'The backup holds no such table.', { hint: "Name one of the backup's tables." });
}

/** Null where the backup holds no other rows than those meant. */
function businessAmongMany({ businessId }: ExportWanted, { scope }: Manifest): string | null {
  if (businessId === null || scope.kind === 'ALL') return businessId;
  if (scope.businessId !== businessId) throw noRowOf(businessId);
  return null;
}

async function ofBusiness(
  businessId: string,
  chosen: readonly TableManifest[],
  { opened, context }: { opened: OpenedExport; context: TaskContext },
): Promise<TableRows[]> {
  const { store, codec, manifest } = opened;
  const roles = businessRoles(manifest.tables.map(({ structure }) => structure));
  const wanted = chosen.filter(({ table }) => roles.get(table) !== 'OUTSIDE');
  if (wanted.length === 0) throw ofNobody(chosen);
  const scope = scopeOf(wanted, { manifest, roles });
  const { signal, progress } = context;
  progress.begin({ name: 'finding rows', from: 0, to: 30 });
  const onRead = ({ table }: TableManifest, span: ChunkSpan): void =>
    progress.advance({ rows: span.entry?.rowCount ?? 0, bytes: spanBytes(span), table });
  const found = await collectBusinessRows(scope, businessId, { store, codec, signal, onRead });
  if (found.proof.losses.length > 0) throw damaged(found.proof.losses);
  // Of some tables alone nobody can tell whether the business is known at all.
  const isAll = scope.filter(({ role }) => role === 'WHOLE').length === [...roles.values()].filter(isOwned).length;
  if (isAll && !found.isKnown) throw noRowOf(businessId);
  opened.notes.push(...found.notes);
  return wanted.map((table) => scopedRows(table, found));
}

function isOwned(role: BusinessRole): boolean {
  return role === 'OWNED';
}

/** The tables to look through: parents are found by the rows of all that may refer to them, owned rows by their own paths. */
function scopeOf(
  wanted: readonly TableManifest[],
  { manifest, roles }: { manifest: Manifest; roles: ReadonlyMap<string, BusinessRole> },
): ScopedTable[] {
  const ofRole = (role: BusinessRole): TableManifest[] =>
    manifest.tables.filter(({ table }) => roles.get(table) === role);
  const withParents = wanted.some(({ table }) => roles.get(table) === 'PARENT');
  const owned = withParents ? ofRole('OWNED') : unique(wanted.flatMap((table) => ownersOf(table, manifest)));
  const parents = withParents ? ofRole('PARENT') : [];
  return [
    ...owned.map((table) => ({ manifest: table, role: 'WHOLE' as const })),
    ...parents.map((table) => ({ manifest: table, role: 'PARENT' as const })),
  ];
}

function unique(tables: readonly TableManifest[]): TableManifest[] {
  return [...new Set(tables)];
}

function scopedRows(table: TableManifest, { tables }: BusinessRows): TableRows {
  const own = tables.get(table.table);
  if (own === undefined) return { table, spans: () => [] };
  const spans = own.spans.map(({ span }) => span);
  return { table, spans: () => spans, accepts: own.filter.accepts };
}

function filtered({ table, spans, accepts }: TableRows, filter: string, codec: RowCodec): TableRows {
  const { structure } = table;
  const typed = new TypedRows(codec, structure);
  const parsed = parseRecordFilter(JSON.parse(filter) as JsonValue, ['input', 'filter']);
  const test = compileFilter(parsed, { structure, values: typed.values });
  const passes: RowPredicate = (bytes, start) => test(bytes, typed.locate(bytes, start)) === true;
  if (accepts === undefined) return { table, spans, accepts: passes };
  return { table, spans, accepts: (bytes, start) => accepts(bytes, start) && passes(bytes, start) };
}

function ofNobody(chosen: readonly TableManifest[]): AppError {
  const names = chosen.map(({ table }) => table).join(', ');
  return new AppError('INVALID_INPUT', `Rows of ${names} belong to no business.`, {
    hint: 'Leave businessId out, or filter by a column.',
    path: ['input', 'businessId'],
  });
}
