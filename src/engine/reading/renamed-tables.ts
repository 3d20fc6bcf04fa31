/**
 * A backup under the names that its tables have now: the mapping says what a mapped table was called before. Foreign keys and paths of
 * ownership follow. What a table holds, and how it was made, stays as the backup knows it.
 */
import { AppError } from '../../domain/errors';
import type { Manifest, TableManifest } from '../../domain/manifest';
import type { Ownership, SourceMapping, TableMapping } from '../../domain/mapping';
import type { TableStructure } from '../../domain/table';

/** The name in the backup, by the name now. */
export type Renamed = ReadonlyMap<string, string>;

export function underLiveNames(manifest: Manifest, mapping: SourceMapping): { manifest: Manifest; renamed: Renamed } {
  const names = liveNames(manifest, mapping);
  if (names.size === 0) return { manifest, renamed: new Map() };
  const tables = manifest.tables.map((table) => renameTable(table, names));
  return { manifest: { ...manifest, tables }, renamed: new Map([...names].map(([before, now]) => [now, before])) };
}

/** By the name in the backup. A table that is mapped under that very name is what it was. */
function liveNames({ tables }: Manifest, mapping: SourceMapping): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const { table } of tables) {
    const entry = mapping.find(({ formerly }) => formerly?.includes(table));
    if (entry === undefined || mapping.some((other) => other.table === table)) continue;
    const isTaken = tables.some((other) => other.table === entry.table) || [...names.values()].includes(entry.table);
    if (isTaken) throw ambiguous(table, entry);
    names.set(table, entry.table);
  }
  return names;
}

function ambiguous(table: string, { table: now }: TableMapping): AppError {
  return new AppError('SCHEMA_MISMATCH', `The backup holds ${table} beside another table that is ${now} now.`, {
    hint: `Leave ${table} out of the former names of ${now}, or restore into a scratch schema.`,
  });
}

function renameTable(table: TableManifest, names: ReadonlyMap<string, string>): TableManifest {
  const nameOf = (name: string): string => names.get(name) ?? name;
  return { ...table, table: nameOf(table.table), structure: renameStructure(table.structure, nameOf) };
}

function renameStructure(structure: TableStructure, nameOf: (name: string) => string): TableStructure {
  const { table, mapping, foreignKeys } = structure;
  return {
    ...structure,
    table: nameOf(table),
    mapping: renameMapping(mapping, nameOf),
    foreignKeys: foreignKeys.map((key) =>
      key.referencedSchema === undefined ? { ...key, referencedTable: nameOf(key.referencedTable) } : key,
    ),
  };
}

function renameMapping(mapping: TableMapping, nameOf: (name: string) => string): TableMapping {
  const follow = (ownership: Ownership): Ownership =>
    ownership.kind === 'PATH' ? { ...ownership, referencedTable: nameOf(ownership.referencedTable) } : ownership;
  const { table, business, tenant } = mapping;
  return {
    ...mapping,
    table: nameOf(table),
    ...(business && { business: follow(business) }),
    ...(tenant && { tenant: follow(tenant) }),
  };
}
