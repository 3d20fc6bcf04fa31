/**
 * Collects single records of a backup for a restore: those with the keys asked for, then, round by round, the rows that they refer to and that
 * the target lacks. A row that is in the target is never one of these, whatever it holds.
 */
import { AppError, isAppError } from '../../domain/errors';
import type { Manifest, TableManifest } from '../../domain/manifest';
import type { RecordKey } from '../../domain/record-key';
import type { JsonValue } from '../../domain/values';
import type { RowCodec } from '../../domain/rows';
import type { Source } from '../../domain/source';
import { runLanes } from '../lanes';
import type { EngineStore, TaskContext } from '../ports';
import { spanBytes } from '../reading/backup-rows';
import type { ScopedRows } from '../reading/business-rows';
import { KeyProbe } from '../reading/key-probe';
import { ownedBy } from '../reading/owned-by';
import type { ChunkProof } from '../reading/prove-chunks';
import { RecordRows } from '../reading/record-rows';
import type { Renamed } from '../reading/renamed-tables';
import { columnIndexes } from '../reading/scoped-fields';
import type { ScopedTable } from '../reading/scoped-table';
import type { RowPredicate } from '../rows/row-filter';
import { TypedRows } from '../rows/typed-rows';
import { openLiveTables, type LiveTables } from './live-tables';
import { RecordReferences, referredTables, type NotedReferences } from './record-references';

export interface RecordSearch {
  keys: readonly RecordKey[];
  manifest: Manifest;
  /** Tables that the manifest shows under the names that they have now; keys name them as the backup does, or so. */
  renamed: Renamed;
  /** Whose tables the keys may name. */
  tables: readonly ScopedTable[];
  /** Whose rows they may name; null for anybody's. */
  businessId: string | null;
  store: EngineStore;
  source: Source;
  /** Nothing is there yet. */
  isScratch: boolean;
}

export interface CollectedRecords {
  /** Those with rows that come, as the backup lists them. */
  tables: ScopedTable[];
  rows: ReadonlyMap<string, ScopedRows>;
  proof: ChunkProof;
  /** Why the records can't be restored; for damage there may be a better reason in the proof. */
  refusal: AppError | null;
  /** By table: a sentence on rows that come because others refer to them. */
  reasons: ReadonlyMap<string, readonly string[]>;
}

export async function collectRecords(search: RecordSearch, context: TaskContext): Promise<CollectedRecords> {
  const { manifest, store, source } = search;
  const { progress, signal } = context;
  progress.begin({ name: 'verifying', from: 0, to: 30 });
  const records = new RecordRows({
    ...{ store, codec: source.codec, signal },
    onRead: ({ table }, span) => progress.advance({ rows: span.entry?.rowCount ?? 0, bytes: spanBytes(span), table }),
  });
  const references = new RecordReferences(source.codec, manifest.tables);
  const unknown = await takeListed(search, { records, references }, context);
  const refusal = unknown ?? (await takeReferred(search, { records, references }, context));
  const { rows } = records;
  const coming = manifest.tables.filter(({ table }) => rows.has(table));
  return {
    tables: coming.map((table) => ({ manifest: table, role: 'RECORDS', isParent: records.isParentIn(table) })),
    rows,
    proof: records.proof,
    refusal,
    reasons: new Map(coming.map((table) => [table.table, reasonsOf(records.parentsIn(table))])),
  };
}

interface Collection {
  records: RecordRows;
  references: RecordReferences;
}

interface Asked {
  probe: KeyProbe;
  /** As it was given, for messages. */
  told: string;
  at: number;
}

/** Takes the rows that were asked for; NOT_FOUND, not thrown, names those that the backup does not hold. */
async function takeListed(
  search: RecordSearch,
  { records, references }: Collection,
  context: TaskContext,
): Promise<AppError | null> {
  const asked = new Map<TableManifest, Asked[]>();
  for (const [at, key] of search.keys.entries()) {
    const table = tableOf(key, search, at);
    asked.set(table, [...(asked.get(table) ?? []), askedFor(key, { table, codec: search.source.codec, at })]);
  }
  const unknown: Asked[] = [];
  for (const [table, keys] of asked) {
    const probes = keys.map(({ probe }) => probe);
    const accepts = await acceptsOf(table, search, context);
    const onNew = (row: Buffer): void => references.note(table, row);
    const missing = await records.takeListed(table, probes, { accepts, onNew });
    unknown.push(...keys.filter(({ probe }) => missing.has(probe)));
  }
  return unknown.length === 0 ? null : noSuchRecords(unknown.sort((a, b) => a.at - b.at));
}

function tableOf({ dataType, table }: RecordKey, { tables, renamed }: RecordSearch, at: number): TableManifest {
  const isNamed = (name: string): boolean => name === table || renamed.get(name) === table;
  const found = tables.find(({ manifest }) => isNamed(manifest.table) && manifest.dataType === dataType);
  if (found !== undefined) return found.manifest;
  throw new AppError('NOT_FOUND', `What is to be restored of the backup has no table ${table} of ${dataType}.`, {
    hint: 'Name one of its tables, or restore more of the backup.',
    path: [...pathOf(at), 'table'],
  });
}

function askedFor(
  { key }: RecordKey,
  { table, codec, at }: { table: TableManifest; codec: RowCodec; at: number },
): Asked {
  try {
    return {
      probe: new KeyProbe(codec, table.structure, key as JsonValue),
      told: `${JSON.stringify(key)} of ${table.table}`,
      at,
    };
  } catch (error) {
    if (!isAppError(error) || error.code !== 'INVALID_INPUT') throw error;
    const { code, message, hint, path = [] } = error;
    throw new AppError(code, `${table.table}: ${message}`, { hint, path: [...pathOf(at), ...path] });
  }
}

function pathOf(at: number): string[] {
  return ['input', 'keys', String(at)];
}

/** Rows of other businesses are as if they were not there; so are all of a table that belongs to none. */
async function acceptsOf(
  table: TableManifest,
  { businessId, manifest, store, source }: RecordSearch,
  { signal }: TaskContext,
): Promise<RowPredicate> {
  if (businessId === null) return () => true;
  if (table.structure.mapping.business === undefined) return () => false;
  const owned = await ownedBy(businessId, { table, manifest }, { store, codec: source.codec, signal });
  const typed = new TypedRows(source.codec, table.structure);
  return (bytes, start) => owned?.accepts(bytes, typed.locate(bytes, start)) === true;
}

function noSuchRecords(unknown: readonly Asked[]): AppError {
  const named = unknown.slice(0, 3).map(({ told }) => told);
  const more = unknown.length > 3 ? ` and ${unknown.length - 3} more` : '';
  return new AppError('NOT_FOUND', `The backup does not hold ${named.join(', ')}${more}. Nothing was restored.`, {
    hint: 'Give keys as Backup.records shows them, or look by recordHistory which backup has the record.',
    path: pathOf((unknown[0] as Asked).at),
  });
}

/** Takes what the rows refer to, until nothing new is; CONFLICT, not thrown, names a row that is nowhere. */
async function takeReferred(
  search: RecordSearch,
  collection: Collection,
  context: TaskContext,
): Promise<AppError | null> {
  const { records, references } = collection;
  const live = await openLive(search, collection, context);
  try {
    for (let round = references.takeFresh(); round.length > 0; round = references.takeFresh()) {
      for (const noted of round) {
        const values = await missingIn(live, noted, context);
        if (values.size === 0) continue;
        const lost = await records.takeReferred({ ...noted, values }, (row) => references.note(noted.parent, row));
        if (lost.length > 0) return nowhere(noted.sentences.get(lost[0] as string) as string, search);
      }
    }
    return null;
  } finally {
    await live?.close();
  }
}

/** Null where nothing is in the target. */
async function openLive(
  { manifest, source, isScratch }: RecordSearch,
  { records }: Collection,
  context: TaskContext,
): Promise<LiveTables | null> {
  const { rows } = records;
  const parents = referredTables(manifest.tables.filter(({ table }) => rows.has(table)), manifest.tables); // prettier-ignore
  if (isScratch || parents.length === 0) return null;
  const states = await source.tableStates(parents.map(({ table }) => table));
  const missing = new Set(
    parents.map(({ table }) => table).filter((table) => (states.get(table) ?? 'MISSING') === 'MISSING'),
  );
  const tables = parents.map((parent): ScopedTable => ({ manifest: parent, role: 'PARENT' }));
  return openLiveTables({ source, tables, missing }, context);
}

/** Those of the values that no live row has, as the source compares them. */
async function missingIn(
  live: LiveTables | null,
  noted: NotedReferences,
  { signal }: TaskContext,
): Promise<ReadonlyMap<string, Buffer>> {
  if (live === null) return noted.values;
  const { key, parent, values } = noted;
  const missing = new Map(values);
  const structure = live.tables.find(({ table }) => table === parent.table);
  // A table that is missing has none, nor has one that lost such a column.
  if (structure === undefined || columnIndexes(structure, key.referencedColumns).includes(-1)) return missing;
  await runLanes({ lanes: live.lanes, signal }, values, async ([value, encoded]) => {
    const asked = { keys: [encoded], keyedBy: key.referencedColumns, signal };
    for await (const { ends } of live.readRows(structure, asked)) if (ends.length > 0) missing.delete(value);
  });
  return missing;
}

function nowhere(sentence: string, { isScratch }: RecordSearch): AppError {
  const where = isScratch ? 'that the backup does not hold' : 'that neither the backup nor the source has';
  return new AppError('CONFLICT', `${sentence}, ${where}; nothing was changed.`, {
    hint: 'Bring that row back first, by hand or from a backup that holds it.',
  });
}

function reasonsOf(parents: number): string[] {
  if (parents === 0) return [];
  return [
    parents === 1
      ? '1 row comes along because restored ones refer to it.'
      : `${parents} rows come along because restored ones refer to them.`,
  ];
}
