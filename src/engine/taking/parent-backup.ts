/**
 * What an incremental or differential backup stands on: the newest backup of the same source, all of its rows and the same data
 * types; for a differential the newest full one. The repository alone decides: a catalog may be behind it.
 */
import type { BackupType } from '../../domain/backup';
import type { BackupStore } from '../../domain/backup-store';
import { distinctDataTypes, type DataType } from '../../domain/data-type';
import { MAX_DELTA_LAYERS } from '../../domain/layer-stack';
import type { Manifest, TableManifest } from '../../domain/manifest';
import type { SourceInfo } from '../../domain/source';
import type { TableStructure } from '../../domain/table';
import { structureDifferences } from '../structure-check';
import type { ChangedTable } from './range-changes';

const CHAIN_TYPES: readonly BackupType[] = ['FULL', 'INCREMENTAL', 'DIFFERENTIAL'];

/** Whether backups of the type hold what changed since another one. */
export function isRelative(type: BackupType): boolean {
  return type === 'INCREMENTAL' || type === 'DIFFERENTIAL';
}

export interface ParentWanted {
  type: BackupType;
  source: string;
  info: SourceInfo;
  dataTypes: readonly DataType[];
}

/** Null where the backup has no parent, or its type wants none. */
export async function findParent(store: BackupStore, wanted: ParentWanted): Promise<Manifest | null> {
  if (!isRelative(wanted.type)) return null;
  let newest: Manifest | null = null;
  for await (const { manifest } of store.listManifests()) {
    if (fits(manifest, wanted) && (newest === null || isNewer(manifest, newest))) newest = manifest;
  }
  return newest;
}

function fits(manifest: Manifest, { type, source, info, dataTypes }: ParentWanted): boolean {
  const types = type === 'DIFFERENTIAL' ? ['FULL'] : CHAIN_TYPES;
  return (
    types.includes(manifest.type) &&
    manifest.scope.kind === 'ALL' &&
    manifest.source.name === source &&
    manifest.source.kind === info.kind &&
    manifest.source.schema === info.schema &&
    heldDataTypes(manifest).join() === distinctDataTypes(dataTypes).join()
  );
}

/** By its tables: manifests of earlier programs name data types that they have no table of. */
function heldDataTypes({ tables }: Manifest): DataType[] {
  return distinctDataTypes(tables.map(({ dataType }) => dataType));
}

function isNewer(a: Manifest, b: Manifest): boolean {
  return a.readAt === b.readAt ? a.createdAt > b.createdAt : a.readAt > b.readAt;
}

/** How a table can be taken: as changes to its parent, or whole and why. */
export type TablePlan = { kind: 'CHANGES'; table: ChangedTable } | { kind: 'WHOLE'; reason: string };

export function planTable(parent: Manifest | null, structure: TableStructure, type: BackupType): TablePlan {
  if (parent === null) return { kind: 'WHOLE', reason: reasonWithoutParent(type) };
  const found = parent.tables.find(({ table }) => table === structure.table);
  if (found === undefined) return { kind: 'WHOLE', reason: 'The parent backup does not hold the table.' };
  const differences = layoutDifferences(found, structure);
  if (differences.length > 0) {
    return { kind: 'WHOLE', reason: `Its structure changed since the parent backup: ${differences.join('; ')}.` };
  }
  if (found.layers.length > MAX_DELTA_LAYERS) {
    return { kind: 'WHOLE', reason: `The parent's stack has ${found.layers.length} layers; this is a new base.` };
  }
  return { kind: 'CHANGES', table: { parent: found, structure } };
}

function reasonWithoutParent(type: BackupType): string {
  if (!isRelative(type)) return 'A backup of this type holds every row in its scope.';
  return `There is no backup for an ${type} one to stand on, so it was taken as FULL.`;
}

/** Rows of both must be the same bytes for the same values: columns in one order too. */
function layoutDifferences({ structure: before }: TableManifest, now: TableStructure): string[] {
  const differences = structureDifferences(before, now, now.rowEncoding);
  const order = ({ columns }: TableStructure): string => columns.map(({ name }) => name).join();
  if (differences.length === 0 && order(before) !== order(now)) return ['its columns stand in another order'];
  return differences;
}
