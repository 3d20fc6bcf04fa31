/**
 * Takes the tables of a backup: as changes to the parent backup where that can be, whole where not, each with its reason. What is taken
 * as changes and turns out to have changed too much, or to stand on damage, is taken whole after all.
 */
import type { BackupType } from '../domain/backup';
import type { Manifest, TableManifest } from '../domain/manifest';
import type { RowScope } from '../domain/rows';
import { planTable } from './parent-backup';
import type { TaskContext } from './ports';
import { isDamage } from './prove-chunks';
import { scanChanges, type ScanContext, type ScannedTable, type TableScan } from './scan-changes';
import { storeTables, type StoredTables, type TableToStore } from './store-tables';

export interface TablesToTake extends Omit<ScanContext, 'context'> {
  scope: RowScope;
  type: BackupType;
  parent: Manifest | null;
}

/** Share of the job, percent, in which tables are compared with their parents. */
const SCANNED_PERCENT = 80;

/** In the order of the read. */
export async function takeTables(taking: TablesToTake, context: TaskContext): Promise<StoredTables> {
  const { read, store, parent, type } = taking;
  const plans = read.tables.map((structure) => ({ structure, plan: planTable(parent, structure, type) }));
  const scans = plans.flatMap(({ plan }) => (plan.kind === 'CHANGES' ? [plan.scan] : []));
  const whole = plans.flatMap(({ structure, plan }) =>
    plan.kind === 'WHOLE' ? [{ structure, reason: plan.reason }] : [],
  );
  const changes = await scanTables(scans, { ...taking, context });
  const tables = [...whole, ...changes.overrun];
  const from = scans.length === 0 ? 1 : SCANNED_PERCENT;
  const rest = await storeTables({ ...taking, seed: store.chunkSeed, tables, from }, context);
  const taken = new Map([...changes.tables, ...rest.tables].map((table) => [table.table, table]));
  return {
    tables: read.tables.map(({ table }) => taken.get(table) as TableManifest),
    newRawBytes: changes.newRawBytes + rest.newRawBytes,
  };
}

type ScannedTables = StoredTables & { overrun: TableToStore[] };

async function scanTables(scans: readonly TableScan[], scanning: ScanContext): Promise<ScannedTables> {
  const found: ScannedTables = { tables: [], newRawBytes: 0, overrun: [] };
  if (scans.length === 0) return found;
  scanning.context.progress.begin({
    name: 'comparing',
    from: 1,
    to: SCANNED_PERCENT,
    rowsTotal: scans.reduce((sum, { parent }) => sum + parent.rowCount, 0),
    bytesTotal: scans.reduce((sum, { parent }) => sum + parent.rawBytes, 0),
  });
  for (const scan of scans) {
    const scanned = await scanOrReason(scan, scanning);
    if (typeof scanned === 'string') {
      found.overrun.push({ structure: scan.structure, reason: scanned });
      continue;
    }
    found.tables.push(scanned.manifest);
    found.newRawBytes += scanned.newRawBytes;
  }
  return found;
}

/** A damaged parent harms no backup that comes after it: the table is taken whole, for this reason. */
async function scanOrReason(scan: TableScan, scanning: ScanContext): Promise<ScannedTable | string> {
  try {
    return (await scanChanges(scan, scanning)) ?? 'So much changed that this is a new base.';
  } catch (error) {
    if (!isDamage(error)) throw error;
    return `The parent backup is damaged: ${error.message}`;
  }
}
