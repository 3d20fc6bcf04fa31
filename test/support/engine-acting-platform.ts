/** The small platform with keys that act on columns of text, so that its backups have indexes by foreign key; and what happens to it. */
import type { BackupId } from '../../src/domain/ids';
import type { TableStructure } from '../../src/domain/table';
import { fill, memorySource, type MemorySource } from './engine-memory-source';
import { PLATFORM, platformSource } from './engine-platform';
import type { Row } from './engine-rows';

const TEXT = { type: 'varchar(40)', kind: 'TEXT', charset: 'utf8mb4', collation: 'utf8mb4_unicode_ci' } as const;

export const ACTING_PLATFORM: TableStructure[] = PLATFORM.map((table) => ({
  ...table,
  columns: table.columns.map((column) => (column.name.endsWith('_id') ? { ...column, ...TEXT } : column)),
  foreignKeys: table.foreignKeys.map((key) => ({ ...key, onDelete: 'CASCADE' as const })),
}));

export const ACTING_TYPES_IN_ORDER = ['FULL', 'INCREMENTAL'] as const;

export function actingBackupIdAt(index: number): BackupId {
  return `00000000-0000-4000-8000-0000000000b${index}` as BackupId;
}

/** As it was at the backup with this index: before the second, factors went, moved to another assessment, and came. */
export function actingPlatformAt(index: number): MemorySource {
  const source = memorySource(ACTING_PLATFORM);
  const { tables } = platformSource(80, 300);
  for (const structure of ACTING_PLATFORM) fill(source, structure, [...tables.get(structure.table)!.values()]);
  if (index > 0) changeFactors(source);
  return source;
}

function changeFactors(source: MemorySource): void {
  const factors = source.tables.get('factors')!;
  for (const [at, [key, row]] of [...factors].entries()) {
    if (at % 37 === 0) factors.set(key, moved(row));
    if (at % 41 === 0) factors.delete(key);
  }
}

function moved([id, , factor, note]: Row): Row {
  return [id!, 'A7-0', factor!, note!];
}
