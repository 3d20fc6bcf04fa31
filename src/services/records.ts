/** Records of backups, what comparisons of them found, and conflicts of plans, read without restoring anything. */
import type { BackupRecord, Catalog, ComparisonRecord, RestorePlanRecord } from '../catalog/catalog';
import type { Clock } from '../domain/ambient';
import type {
  BackupReader,
  ChangePlace,
  ChangesFound,
  ChangesWanted,
  HistoryFound,
  HistoryPlace,
  RecordPlace,
  RecordsFound,
} from '../domain/backup-reader';
import { ROW_CHANGE_KINDS, type RowChangeKind } from '../domain/change-set';
import type { DataType, RequestedDataType } from '../domain/data-type';
import { AppError } from '../domain/errors';
import type { BackupId } from '../domain/ids';
import type { RecordFilter } from '../domain/record-filter';
import type { ConflictPlace, ConflictsFound } from '../domain/restore-conflict';
import type { JsonValue } from '../domain/values';
import { authorize } from './authorize';
import { InputProblems } from './input-problems';
import { checkBusinessId, isGiven, type Given } from './input-rules';
import type { SourcePort } from './ports';
import type { Principal } from './principal';
import { oneAfterAnother } from './questions';
import { checkSource } from './sources';
import { refuse, tableOf } from './tables';

export interface RecordsRequest {
  backupId: BackupId;
  dataType: RequestedDataType;
  /** Needed where the data type has several. */
  table?: Given<string>;
  businessId?: Given<string>;
  filter: RecordFilter | null;
  limit: number;
  from: RecordPlace | null;
}

export interface RecordsService {
  /**
   * INVALID_INPUT with the path of what is wrong; NOT_FOUND where the backup is not there, or nothing of it is stored; REPOSITORY_UNAVAILABLE
   * where reading takes too long or too many read; and what `BackupReader` throws.
   */
  find(principal: Principal, request: RecordsRequest, signal: AbortSignal): Promise<RecordsPage>;
  /** As `find`, of one record through all backups of its source. */
  history(principal: Principal, request: HistoryRequest, signal: AbortSignal): Promise<HistoryFound>;
  /** As `find`, of the rows in which a comparison's sides differ; NOT_FOUND once it has expired. */
  changes(principal: Principal, request: ChangesRequest, signal: AbortSignal): Promise<ChangesFound>;
  /** As `find`, of the rows in conflict of a three-way plan; PLAN_EXPIRED once it has expired. */
  conflicts(principal: Principal, request: ConflictsRequest, signal: AbortSignal): Promise<ConflictsFound>;
}

export interface ConflictsRequest {
  plan: RestorePlanRecord;
  limit: number;
  from: ConflictPlace | null;
}

export interface ChangesRequest {
  comparison: ComparisonRecord;
  /** None or ALL: of all. */
  dataType?: Given<RequestedDataType>;
  table?: Given<string>;
  /** None: all. */
  kinds?: Given<readonly RowChangeKind[]>;
  limit: number;
  from: ChangePlace | null;
}

export interface HistoryRequest {
  source: string;
  dataType: RequestedDataType;
  /** Needed where the source maps several to the data type. */
  table?: Given<string>;
  key: JsonValue;
  limit: number;
  from: HistoryPlace | null;
}

export interface RecordsPage extends RecordsFound {
  dataType: DataType;
  table: string;
}

export interface RecordsDependencies {
  catalog: Pick<Catalog, 'backups'>;
  reader: BackupReader;
  sources: readonly SourcePort[];
  clock: Clock;
}

export const MAX_READING_MS = 60_000;
export const MAX_OPEN_READS = 100;
const READ_BOUNDS = {
  maxMs: MAX_READING_MS,
  maxOpen: MAX_OPEN_READS,
  what: 'Reading records',
  hint: 'Ask again when fewer others read.',
};

export function createRecordsService({ catalog, reader, sources, clock }: RecordsDependencies): RecordsService {
  const ask = oneAfterAnother({ clock, ...READ_BOUNDS });
  return {
    async find(principal, request, signal) {
      authorize(principal, 'record:read');
      const backup = requireStored(await catalog.backups.find(request.backupId));
      const table = tableOf(backup.tables, request, 'The backup');
      const { backupId, limit, from, filter } = request;
      const wanted = { backupId, limit, from, ...table, filter, businessId: businessIdOf(request) };
      return { ...(await ask(signal, (bounded) => reader.findRecords(wanted, bounded))), ...table };
    },
    async history(principal, { source, dataType, table, ...request }, signal) {
      authorize(principal, 'record:read');
      const problems = new InputProblems([]);
      const mapping = checkSource(sources, source, problems)?.mapping ?? [];
      problems.throwIfAny();
      const found = tableOf(mapping, { dataType, table }, `The source ${source}`);
      const { formerly } = mapping.find((entry) => entry.table === found.table) ?? {};
      const wanted = { source, ...request, ...found, formerly };
      return ask(signal, (bounded) => reader.findHistory(wanted, bounded));
    },
    async changes(principal, { comparison, limit, from, ...request }, signal) {
      authorize(principal, 'record:read');
      if (comparison.expiresAt <= clock.now()) throw keptNoLonger();
      const wanted = { comparisonId: comparison.id, limit, from, ...changesWanted(comparison, request) };
      return ask(signal, (bounded) => reader.findChanges(wanted, bounded));
    },
    async conflicts(principal, { plan, limit, from }, signal) {
      authorize(principal, 'record:read');
      if (plan.expiresAt <= clock.now()) throw planKeptNoLonger();
      return ask(signal, (bounded) => reader.findConflicts({ changeSetId: plan.id, limit, from }, bounded));
    },
  };
}

function planKeptNoLonger(): AppError {
  return new AppError('PLAN_EXPIRED', 'The plan has expired; its conflicts are kept no longer.', {
    hint: 'Make a new plan.',
  });
}

function keptNoLonger(): AppError {
  return new AppError('NOT_FOUND', 'What the comparison found is kept no longer.', { hint: 'Compare again.' });
}

function changesWanted(
  { tables }: ComparisonRecord,
  { dataType, table, kinds }: Pick<ChangesRequest, 'dataType' | 'table' | 'kinds'>,
): Pick<ChangesWanted, 'dataType' | 'table' | 'kinds'> {
  if (isGiven(table) && !tables.some(({ table: name }) => name === table)) {
    const names = tables.map(({ table: name }) => name).join(', ');
    throw refuse('table', 'No such table was compared.', `Name one of: ${names}.`);
  }
  if (kinds?.length === 0) throw refuse('kinds', 'kinds is empty.', 'Leave it out, or name at least one.');
  const ofType = !isGiven(dataType) || dataType === 'ALL' ? null : dataType;
  return { dataType: ofType, table: table ?? null, kinds: kinds ?? ROW_CHANGE_KINDS };
}

/** What has expired can be read, as it can be restored, until it is deleted. Throws NOT_FOUND. */
export function requireStored(backup: BackupRecord | null, path?: readonly string[]): BackupRecord {
  const isStored = backup?.status === 'COMPLETED' || backup?.status === 'EXPIRED';
  if (backup !== null && isStored && backup.missingSince === null) return backup;
  const hint = 'Read one whose status is COMPLETED.';
  throw new AppError('NOT_FOUND', 'Nothing of the backup is stored.', { hint, path });
}

function businessIdOf({ businessId }: RecordsRequest): string | null {
  const problems = new InputProblems([]);
  const checked = isGiven(businessId)
    ? checkBusinessId(businessId, { required: true, type: 'BUSINESS' }, problems)
    : null;
  problems.throwIfAny();
  return checked;
}
