/** The tables of two backups, for a comparison. */
import type { BackupStore } from '../../domain/backup-store';
import type { Manifest, TableManifest } from '../../domain/manifest';
import type { RowCodec } from '../../domain/rows';
import type { TaskContext } from '../ports';
import { codecOf } from '../reading/codec-of';
import { diffTables, type TableStates } from '../reading/diff-tables';
import type { DiffSink } from '../rows/join-states';
import type { ComparedScope } from './compared-scope';
import { isOwned, loadOf, unownedNote, type ComparedTables, type TableComparison } from './table-comparison';

interface Reading {
  store: BackupStore;
  context: TaskContext;
}

/** Throws SCHEMA_MISMATCH for backups of sources of two kinds. */
export async function storedTables(
  { base, target }: { base: Manifest; target: Manifest },
  scope: ComparedScope,
  reading: Reading,
): Promise<ComparedTables> {
  const tables: TableComparison[] = [];
  const notes: string[] = [];
  for (const name of namesOf(base, target, scope)) {
    const states = { before: stateIn(base, name), after: stateIn(target, name) };
    const comparison = await compared(states, scope, reading);
    const isMeant = scope.businessId === null || isOwned(comparison.structures);
    const note = scope.businessId === null ? null : unownedNote(name, comparison.structures);
    if (isMeant && note === null) tables.push(comparison);
    else if (isMeant && note !== null) notes.push(note);
  }
  return { readAt: target.readAt, tables, notes, close: async () => undefined };
}

function namesOf(base: Manifest, target: Manifest, { dataTypes }: ComparedScope): Set<string> {
  const named = [...base.tables, ...target.tables].filter(({ dataType }) => dataTypes.includes(dataType));
  return new Set(named.map(({ table }) => table));
}

function stateIn(manifest: Manifest, name: string): { table: TableManifest; manifest: Manifest } | null {
  const table = manifest.tables.find(({ table: found }) => found === name);
  return table === undefined ? null : { table, manifest };
}

async function compared(
  { before, after }: TableStates,
  { businessId }: ComparedScope,
  { store, context }: Reading,
): Promise<TableComparison> {
  const states = [after, before].filter((state) => state !== null);
  const codecs = await Promise.all(states.map(({ table, manifest }) => codecOf(manifest, table, context.deps)));
  const [codec] = codecs as [RowCodec];
  const [{ table }] = states as [NonNullable<typeof after>];
  const isWhole = businessId === null;
  const load =
    (isWhole && !before && after && loadOf('IN', after.table)) ||
    (isWhole && !after && before && loadOf('OUT', before.table)) ||
    null;
  return {
    dataType: table.dataType,
    table: table.table,
    structures: { before: before && before.table.structure, after: after && after.table.structure },
    rowCount: before?.table.rowCount ?? 0,
    load,
    codec,
    tell: (sink: DiffSink) => diffTables({ before, after }, { store, codec, businessId, context }, sink),
  };
}
