/** A small platform and what happens to it between the backups of the golden repository `deltas`. */
import type { BackupId } from '../../src/domain/ids';
import { fill, memorySource, type MemorySource } from './engine-memory-source';
import { ASSESSMENTS, BUSINESSES, FACTORS, platformSource, TENANTS } from './engine-platform';
import { tableOf, type Row } from './engine-rows';

export const BACKUP_TYPES_IN_ORDER = ['FULL', 'INCREMENTAL', 'INCREMENTAL', 'DIFFERENTIAL'] as const;

export function backupIdAt(index: number): BackupId {
  return `00000000-0000-4000-8000-0000000000a${index}` as BackupId;
}

/** As it was at the backup with this index. */
export function platformAt(index: number): MemorySource {
  const source = platformSource(80, 300);
  for (const change of CHANGES.slice(0, index)) change(source);
  return source;
}

/** What the golden repository `comparison` has the platform compared with: rows that differ, tenants of other columns, settings in place of config. */
export function comparedSource(): MemorySource {
  const changed = platformAt(1);
  const tenants = tableOf(TENANTS.mapping, ['id', 'country', 'name']);
  const settings = tableOf({ dataType: 'CONFIG', table: 'settings' }, ['id']);
  const source = memorySource([tenants, BUSINESSES, FACTORS, ASSESSMENTS, settings]);
  fill(source, settings, [[1], [2]]);
  for (const table of [BUSINESSES, FACTORS, ASSESSMENTS])
    fill(source, table, [...changed.tables.get(table.table)!.values()]);
  fill(source, tenants, [['t0', 'PT', 'Tenant 0'], ['t1', 'DE', 'another name'], ['t3', 'FR', 'Tenant 3']]); // prettier-ignore
  return source;
}

/** As it was at the backup with the index 1, and three rows that changed up to it were touched again: a field, another field, the row. */
export function platformLater(): MemorySource {
  const source = platformAt(1);
  const factors = source.tables.get('factors')!;
  const [one, two, three] = rowsOf(source, 'factors').filter(([, row]) => row[3] === 'changed');
  factors.set(one![0], [...one![1].slice(0, 3), 'edited']);
  factors.set(two![0], [...two![1].slice(0, 2), 'renamed', 'changed']);
  factors.delete(three![0]);
  return source;
}

function rowsOf(source: MemorySource, table: string): [string, Row][] {
  return [...(source.tables.get(table) ?? [])];
}

const CHANGES: ((source: MemorySource) => void)[] = [
  (source) => {
    const factors = source.tables.get('factors')!;
    for (const [at, [key, row]] of rowsOf(source, 'factors').entries()) {
      if (at % 37 === 0) factors.set(key, [...row.slice(0, 3), 'changed']);
      if (at % 41 === 0) factors.delete(key);
    }
  },
  (source) => {
    source.tables.get('config')!.set('added', [700, 'added']);
    const factors = source.tables.get('factors')!;
    for (const [at, [key, row]] of rowsOf(source, 'factors').entries()) {
      if (at % 53 === 0) factors.set(key, [...row.slice(0, 3), null]);
    }
  },
  (source) => source.tables.get('config')!.clear(),
];
