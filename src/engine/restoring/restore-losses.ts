/** What becomes of a damaged backup that is restored all the same: rows that refer to lost ones are left out, and all of it is told. */
import type { Source } from '../../domain/source';
import type { RestoredTable } from '../../domain/task';
import type { TaskContext } from '../ports';
import type { ScopedTable } from '../reading/scoped-table';
import { findLeftOutRows, type LeftOutRows } from './left-out-rows';
import { openLiveTables } from './live-tables';
import type { OpenedBackup } from './open-backup';
import type { Losses } from './restore-scope';

export interface HurtRestore extends Pick<OpenedBackup, 'scope' | 'rows' | 'losses'> {
  source: Source;
  /** Tables that are not there, lost ones included. */
  missing: ReadonlySet<string>;
  isScratch: boolean;
}

/** Of a damaged backup: leaves out what refers to lost rows, so that the rest breaks no foreign key. Gives the reasons by table. */
export async function leaveOutOrphans(restore: HurtRestore, context: TaskContext): Promise<LeftOutRows['reasons']> {
  const { source, rows, losses, scope, missing, isScratch } = restore;
  if (losses.hurt.size === 0 && losses.lost.length === 0) return new Map();
  const inTarget = { source, missing, tables: [...scope.tables, ...losses.lost] };
  const live = isScratch ? null : await openLiveTables(inTarget, context);
  try {
    const tables = scope.tables.map(({ manifest }) => manifest);
    const lost = losses.lost.map(({ manifest }) => manifest);
    const search = { codec: source.codec, rows, tables, hurt: losses.hurt, lost, live };
    const { predicates, reasons } = await findLeftOutRows(search, context);
    rows.leaveOut(predicates);
    return reasons;
  } finally {
    await live?.close();
  }
}

/** Missing tables of which nothing is left come into being empty: those that refer to them need them. */
export function emptyTables({ missing, losses }: Pick<HurtRestore, 'missing' | 'losses'>): ScopedTable[] {
  const lost = losses.lost.filter(({ manifest }) => missing.has(manifest.table));
  return lost.map((table): ScopedTable => ({ ...table, isLost: true }));
}

export function withLosses<Table extends Pick<RestoredTable, 'table' | 'warnings'>>(
  table: Table,
  { losses, leftOut }: { losses: Losses; leftOut: LeftOutRows['reasons'] },
): Table {
  const isLost = losses.lost.some(({ manifest }) => manifest.table === table.table);
  const warnings = [
    ...(isLost ? ['All of its rows are lost.'] : []),
    ...(losses.hurt.has(table.table) ? ['Rows of it are lost; the notes say how many.'] : []),
    ...(leftOut.has(table.table) ? ['Rows of it that refer to lost rows are left out; the notes say how many.'] : []),
  ];
  return { ...table, warnings: [...table.warnings, ...warnings] };
}
