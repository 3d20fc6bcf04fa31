/**
 * Takes the tables of a backup: as changes to the parent backup where that can be, whole where not, each with its reason. Changes are
 * told by the source's log where it has them all (BINLOG), else found by comparing every row (SCAN). What is taken as changes and
 * turns out to have changed too much, or to stand on damage, is taken whole after all.
 */
import type { BackupType } from '../../domain/backup';
import type { Manifest, TableManifest } from '../../domain/manifest';
import type { RowScope } from '../../domain/rows';
import type { Source } from '../../domain/source';
import type { TaskContext } from '../ports';
import { isDamage } from '../reading/prove-chunks';
import { NotByKey, storeLoggedChanges } from './log-changes';
import type { LoggedKeys, LogFindings } from './logged-keys';
import { planTable } from './parent-backup';
import type { ChangeContext, ChangedTable, StoredChanges } from './range-changes';
import { readLoggedKeys } from './read-log';
import { scanChanges, type TableToScan } from './scan-changes';
import { storeTables, type StoredTables, type TableToStore } from './store-tables';

export interface TablesToTake extends Omit<ChangeContext, 'context' | 'codec'> {
  source: Source;
  scope: RowScope;
  type: BackupType;
  parent: Manifest | null;
}

/** Shares of the job, percent, up to which the log is read, what it tells is looked up, and tables are compared with their parents. */
const LOG_PERCENT = 10;
const LOOKED_UP_PERCENT = 30;
const SCANNED_PERCENT = 80;

/** In the order of the read. */
export async function takeTables(taking: TablesToTake, context: TaskContext): Promise<StoredTables> {
  const { read, store, parent, type } = taking;
  const plans = read.tables.map((structure) => ({ structure, plan: planTable(parent, structure, type) }));
  const changed = plans.flatMap(({ plan }) => (plan.kind === 'CHANGES' ? [plan.table] : []));
  const whole = plans.flatMap(({ structure, plan }) =>
    plan.kind === 'WHOLE' ? [{ structure, reason: plan.reason }] : [],
  );
  const taken = new ChangesTaken();
  if (parent !== null && changed.length > 0) await takeChanges(changed, { ...taking, parent, taken }, context);
  const tables = [...whole, ...taken.whole];
  const from = changed.length === 0 ? 1 : SCANNED_PERCENT;
  const { codec } = taking.source;
  const rest = await storeTables({ ...taking, codec, seed: store.chunkSeed, tables, from }, context);
  const found = new Map([...taken.tables, ...rest.tables].map((table) => [table.table, table]));
  return {
    tables: read.tables.map(({ table }) => found.get(table) as TableManifest),
    newRawBytes: taken.newRawBytes + rest.newRawBytes,
  };
}

/** What became of the tables that were to be taken as changes. */
class ChangesTaken {
  readonly tables: TableManifest[] = [];
  readonly whole: TableToStore[] = [];
  newRawBytes = 0;

  add({ structure }: ChangedTable, stored: StoredChanges | string): void {
    if (typeof stored === 'string') this.whole.push({ structure, reason: stored });
    else {
      this.tables.push(stored.manifest);
      this.newRawBytes += stored.newRawBytes;
    }
  }
}

type ChangesToTake = TablesToTake & { parent: Manifest; taken: ChangesTaken };

async function takeChanges(
  tables: readonly ChangedTable[],
  taking: ChangesToTake,
  context: TaskContext,
): Promise<void> {
  const changing = { ...taking, codec: taking.source.codec, context };
  context.progress.begin({ name: 'reading the log', from: 1, to: LOG_PERCENT });
  const log = await readLoggedKeys(tables, changing);
  const scans = await lookUpTables(tables, log, changing);
  if (scans.length > 0) await scanTables(scans, changing);
}

type Changing = ChangeContext & Pick<ChangesToTake, 'taken'>;

/** Takes those that the log tells of; gives the others. */
async function lookUpTables(
  tables: readonly ChangedTable[],
  { keys, reasons }: LogFindings,
  changing: Changing,
): Promise<TableToScan[]> {
  const scans: TableToScan[] = [];
  if (keys.size > 0) {
    const rowsTotal = [...keys.values()].reduce((sum, { size }) => sum + size, 0);
    changing.context.progress.begin({ name: 'reading changes', from: LOG_PERCENT, to: LOOKED_UP_PERCENT, rowsTotal });
  }
  for (const table of tables) {
    const logged = keys.get(table.structure.table);
    const reason = logged ? await lookUpTable(table, logged, changing) : reasons.get(table.structure.table);
    if (reason !== undefined) scans.push({ ...table, reason });
  }
  return scans;
}

/** In words, why the table must be compared, if so. */
async function lookUpTable(
  table: ChangedTable,
  logged: LoggedKeys,
  { taken, ...changing }: Changing,
): Promise<string | undefined> {
  const { byKey } = changing.read;
  if (!byKey) return 'the source can not put keys in their order';
  try {
    taken.add(table, await storedOrReason(storeLoggedChanges(table, logged, { ...changing, byKey })));
  } catch (error) {
    if (!(error instanceof NotByKey)) throw error;
    return error.message;
  }
  return undefined;
}

async function scanTables(scans: readonly TableToScan[], { taken, ...scanning }: Changing): Promise<void> {
  scanning.context.progress.begin({
    name: 'comparing',
    from: LOG_PERCENT,
    to: SCANNED_PERCENT,
    rowsTotal: scans.reduce((sum, { parent }) => sum + parent.rowCount, 0),
    bytesTotal: scans.reduce((sum, { parent }) => sum + parent.rawBytes, 0),
  });
  for (const scan of scans) taken.add(scan, await storedOrReason(scanChanges(scan, scanning)));
}

/** A damaged parent harms no backup that comes after it: the table is taken whole, for this reason. */
async function storedOrReason(storing: Promise<StoredChanges | null>): Promise<StoredChanges | string> {
  try {
    return (await storing) ?? 'So much changed that this is a new base.';
  } catch (error) {
    if (!isDamage(error)) throw error;
    return `The parent backup is damaged: ${error.message}`;
  }
}
