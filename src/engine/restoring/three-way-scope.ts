/**
 * What a three-way restore is about: the tables that both backups hold and the live source has, all three of one structure, and which of the
 * differences between the backups count. Throws what a caller can mend, before any row of a table is compared.
 */
import { AppError } from '../../domain/errors';
import type { BackupId } from '../../domain/ids';
import type { Manifest, TableManifest } from '../../domain/manifest';
import type { RowCodec } from '../../domain/rows';
import type { Source, TableState } from '../../domain/source';
import type { TableStructure } from '../../domain/table';
import type { ThreeWay } from '../../domain/three-way';
import type { EngineStore, TaskContext } from '../ports';
import { collectBusinessRows, noRowOf } from '../reading/business-rows';
import type { ScopedTable } from '../reading/scoped-table';
import type { RowPredicate } from '../rows/row-filter';
import { structureDifferences, type Unfit } from '../structure-check';
import type { DamageTest } from './damage';
import { requireFittingTables } from './fit-tables';
import { requireManifest } from './open-backup';
import { underLiveNames } from '../reading/renamed-tables';
import { restoreScope, type RestoreScope, type ScopeSpec } from './restore-scope';

/** A table as the undamaged backup has it, and as the damaged one does. */
export interface ComparedTable {
  table: ScopedTable;
  damaged: TableManifest;
  /** What the live table is. */
  before: TableState;
  isMeant: DamageTest;
}

export interface ThreeWayScope {
  undamaged: Manifest;
  damaged: Manifest;
  tables: ComparedTable[];
  rows: RestoreScope['rows'];
}

interface Opening {
  store: EngineStore;
  source: Source;
  /** Gets what an operator should know. */
  notes: string[];
  context: TaskContext;
}

export async function openThreeWay(
  spec: ScopeSpec,
  { damagedBackupId }: Pick<ThreeWay, 'damagedBackupId'>,
  opening: Opening,
): Promise<ThreeWayScope> {
  const undamaged = await findBackup(spec.backupId, opening);
  const damaged = await findBackup(damagedBackupId, opening);
  requireLater(undamaged, damaged);
  const scopes = { undamaged: restoreScope(spec, undamaged), damaged: restoreScope(spec, damaged) };
  requireSameRows(scopes);
  const pairs = scopes.undamaged.tables.map((table) => ({ table, damaged: counterpart(table, scopes.damaged) }));
  opening.notes.push(...tablesBeside(scopes));
  requireSameStructure(pairs, opening.source.codec);
  const live = await requireLive(pairs, opening);
  const tests = await damageTests(scopes, opening);
  const tables = pairs.map(({ table, damaged: held }) => ({
    table: { ...table, manifest: withSelfUpdating(table.manifest, live.structures) },
    damaged: held,
    before: live.states.get(table.manifest.table) ?? 'EMPTY',
    isMeant: tests(table),
  }));
  return { undamaged, damaged, tables, rows: scopes.undamaged.rows };
}

/** Under the names that its tables have now. */
async function findBackup(backupId: BackupId, { store, source }: Opening): Promise<Manifest> {
  return underLiveNames(await requireManifest(store, { backupId }), source.mapping).manifest;
}

type Scopes = Record<'undamaged' | 'damaged', RestoreScope>;

function requireLater(undamaged: Manifest, damaged: Manifest): void {
  if (Date.parse(damaged.readAt) > Date.parse(undamaged.readAt)) return;
  throw notComparable(
    'The damaged backup is no later than the undamaged one',
    'Give the later one as damagedBackupId.',
  );
}

function requireSameRows({ undamaged, damaged }: Scopes): void {
  const [one, other] = [undamaged, damaged].map(({ rows }) => (rows.kind === 'BUSINESS' ? rows.businessId : null));
  if (undamaged.rows.kind !== damaged.rows.kind || one !== other) {
    throw notComparable('One of the backups holds a single business', 'Use the type BUSINESS, with that businessId.');
  }
  if (undamaged.rows.kind !== 'BUSINESS' || undamaged.filtered) return;
  throw notComparable(
    `The undamaged backup holds the business ${undamaged.rows.businessId} alone, so that rows which the damage took from others would count as new`,
    'Give an undamaged backup of all businesses, or restore this one without a damaged backup.',
  );
}

function counterpart({ manifest: { table } }: ScopedTable, damaged: RestoreScope): TableManifest {
  const found = damaged.tables.find(({ manifest }) => manifest.table === table);
  if (found !== undefined) return found.manifest;
  throw notComparable(`The damaged backup holds no table ${table}`, 'Name data types that both hold, with PARTIAL.');
}

/** What was in no table before the damage can't be told from what was there. */
function tablesBeside({ undamaged, damaged }: Scopes): string[] {
  const known = new Set(undamaged.tables.map(({ manifest }) => manifest.table));
  const beside = damaged.tables.map(({ manifest }) => manifest.table).filter((table) => !known.has(table));
  return beside.map((table) => `Table ${table} is left as it is: the undamaged backup does not hold it.`);
}

type Pair = Pick<ComparedTable, 'table' | 'damaged'>;

function requireSameStructure(pairs: readonly Pair[], codec: RowCodec): void {
  const problems = pairs.flatMap(({ table: { manifest }, damaged }) => [
    ...structureDifferences(manifest.structure, damaged.structure, codec.name),
    ...orderDifference(manifest, damaged),
  ]);
  if (problems.length === 0) return;
  throw new AppError('SCHEMA_MISMATCH', `The tables of the two backups differ: ${problems.join('; ')}.`, {
    hint: 'Choose backups of one structure, or restore the undamaged one alone.',
  });
}

/** Rows of both are compared field by field where these stand. Live ones are read in the order of the undamaged backup's. */
function orderDifference({ structure, table }: TableManifest, damaged: TableManifest): string[] {
  const [one, other] = [structure, damaged.structure].map(({ columns }) => columns.map(({ name }) => name));
  const isReordered =
    one?.join() !== other?.join() && [...(one ?? [])].sort().join() === [...(other ?? [])].sort().join();
  return isReordered ? [`the columns of ${table} stand in another order`] : [];
}

interface LiveTables {
  structures: readonly TableStructure[];
  states: ReadonlyMap<string, TableState>;
}

const CHANGED_SINCE: Unfit = {
  what: 'The live tables changed since the two backups',
  hint: 'Bring these columns to what they were then, for the time of the restore; or restore the undamaged backup without a damaged one.',
};

/** Structures of the live tables, which must fit, and be there. */
async function requireLive(pairs: readonly Pair[], { source, context }: Opening): Promise<LiveTables> {
  const manifests = pairs.map(({ table }) => table.manifest);
  const states = await source.tableStates(manifests.map(({ table }) => table));
  const missing = manifests.map(({ table }) => table).filter((table) => (states.get(table) ?? 'MISSING') === 'MISSING');
  if (missing.length === 0)
    return {
      states,
      structures: await requireFittingTables(source, { tables: manifests, unfit: CHANGED_SINCE }, context),
    };
  throw new AppError('SCHEMA_MISMATCH', `The source has no table ${missing.join(', ')} to undo damage in.`, {
    hint: 'Restore it from a backup first, by a restore without a damaged backup.',
  });
}

/** Which columns the server sets itself is told by the live table: backups made by older programs do not say. */
function withSelfUpdating(manifest: TableManifest, live: readonly TableStructure[]): TableManifest {
  const columns = live.find(({ table }) => table === manifest.table)?.columns ?? [];
  const sets = new Set(columns.filter(({ selfUpdating }) => selfUpdating).map(({ name }) => name));
  const { structure } = manifest;
  const marked = structure.columns.map((column) => (sets.has(column.name) ? { ...column, selfUpdating: true as const } : column)); // prettier-ignore
  return { ...manifest, structure: { ...structure, columns: marked } };
}

/**
 * Rows that either backup counts as the scope's. Of parents only those that the damage deleted: like in any restore of a business they are
 * inserted where missing, and never changed.
 */
async function damageTests(scopes: Scopes, opening: Opening): Promise<(table: ScopedTable) => DamageTest> {
  const undamaged = await rowsMeant(scopes.undamaged, opening);
  const damaged = await rowsMeant(scopes.damaged, opening);
  const { rows } = scopes.undamaged;
  if (rows.kind === 'BUSINESS' && !undamaged.isKnown && !damaged.isKnown) throw noRowOf(rows.businessId);
  return ({ role, manifest: { table } }) => {
    const [wasMeant, isMeant] = [undamaged.of(table), damaged.of(table)];
    if (role === 'PARENT')
      return (before, after) => after === null && before !== null && wasMeant(before.bytes, before.start);
    return (before, after) =>
      (before !== null && wasMeant(before.bytes, before.start)) ||
      (after !== null && isMeant(after.bytes, after.start));
  };
}

interface RowsMeant {
  of(table: string): RowPredicate;
  isKnown: boolean;
}

const EVERY_ROW: RowsMeant = { of: () => () => true, isKnown: true };

async function rowsMeant(scope: RestoreScope, { store, source, notes, context }: Opening): Promise<RowsMeant> {
  if (!scope.filtered || scope.rows.kind !== 'BUSINESS') return EVERY_ROW;
  const search = { store, codec: source.codec, signal: context.signal };
  const found = await collectBusinessRows(scope.tables, scope.rows.businessId, search);
  const [loss] = found.proof.losses;
  if (loss !== undefined) throw damagedBackup(loss);
  notes.push(...found.notes.filter((note) => !notes.includes(note)));
  return { of: (table) => found.tables.get(table)?.filter.accepts ?? (() => false), isKnown: found.isKnown };
}

function damagedBackup(loss: string): AppError {
  return new AppError('INTEGRITY_FAILURE', `A backup is damaged itself, nothing was written. ${loss}`, {
    hint: 'A three-way restore needs both backups whole: verify them, and choose others.',
  });
}

function notComparable(what: string, hint: string): AppError {
  return new AppError('BACKUP_NOT_RESTORABLE', `The two backups can't be compared: ${what}.`, { hint });
}
