/** What `createBackup` accepts, and the job it stands for. */
import { DATA_TYPES, expandDataTypes, type DataType, type RequestedDataType } from '../domain/data-type';
import type { BackupType } from '../domain/backup';
import type { BackupId } from '../domain/ids';
import type { BackupJobSpec } from '../domain/job';
import { InputProblems } from './input-problems';
import {
  checkBusinessId, checkDataTypes, checkIdempotencyKey, checkLabels, checkRetentionDays, checkWaitFor, type Given,
} from './input-rules'; // prettier-ignore
import type { SourcePort } from './ports';
import { checkSource } from './sources';

export interface CreateBackupInput {
  type: BackupType;
  dataTypes?: Given<RequestedDataType[]>;
  businessId?: Given<string>;
  source?: Given<string>;
  retentionDays?: Given<number>;
  labels?: unknown;
  idempotencyKey?: Given<string>;
  waitFor?: Given<string>;
}

export interface BackupRules {
  sources: readonly SourcePort[];
  defaultRetentionDays: number;
}

export interface CheckedBackup {
  spec: (identity: { backupId: BackupId; now: Date }) => BackupJobSpec;
}

const DAY_MS = 86_400_000;
export const DEFAULT_SOURCE = 'default';

/** Throws INVALID_INPUT with everything that is wrong. */
export function checkCreateBackup(input: CreateBackupInput, rules: BackupRules): CheckedBackup {
  const problems = new InputProblems();
  const source = checkSource(rules.sources, input.source ?? DEFAULT_SOURCE, problems);
  const named = checkDataTypes(input.dataTypes, problems);
  const dataTypes = named ?? [input.type === 'SYSTEM' ? 'CONFIG' : 'ALL'];
  checkFitsType(input.type, dataTypes, problems);
  if (source) checkMapped(source, { type: input.type, dataTypes }, problems);
  const wanted = { required: input.type === 'BUSINESS', type: input.type };
  const businessId = checkBusinessId(input.businessId, wanted, problems);
  checkRetentionDays(input.retentionDays, problems);
  const labels = checkLabels(input.labels, problems);
  checkIdempotencyKey(input.idempotencyKey, problems);
  checkWaitFor(input.waitFor, problems);
  problems.throwIfAny();

  const retentionMs = (input.retentionDays ?? rules.defaultRetentionDays) * DAY_MS;
  const { type } = input;
  const held = expandDataTypes(dataTypes).filter((dataType) => mappedDataTypes(source).has(dataType));
  const fixed = { kind: 'BACKUP', source: source?.name ?? '', type, dataTypes: held, businessId, labels } as const;
  return {
    spec: ({ backupId, now }) => ({
      ...fixed,
      backupId,
      expiresAt: new Date(now.getTime() + retentionMs).toISOString(),
    }),
  };
}

function checkFitsType(type: BackupType, dataTypes: readonly RequestedDataType[], problems: InputProblems): void {
  if (type !== 'SYSTEM' || (dataTypes.length === 1 && dataTypes[0] === 'CONFIG')) return;
  problems.add('dataTypes', 'A SYSTEM backup holds CONFIG and nothing else.', 'Leave dataTypes out, or use FULL.');
}

function mappedDataTypes(source: SourcePort | null): ReadonlySet<DataType> {
  return new Set(source?.mapping.map(({ dataType }) => dataType));
}

/** Every data type named must have tables; for one business, at least one of them must know its business. */
function checkMapped(
  source: SourcePort,
  { type, dataTypes }: { type: BackupType; dataTypes: readonly RequestedDataType[] },
  problems: InputProblems,
): void {
  const mapped = mappedDataTypes(source);
  const unmapped = dataTypes.filter((dataType) => dataType !== 'ALL' && !mapped.has(dataType));
  if (unmapped.length > 0) {
    const known = DATA_TYPES.filter((dataType) => mapped.has(dataType)).join(', ');
    const message = `The source ${source.name} maps no table to ${unmapped.join(', ')}.`;
    return problems.add('dataTypes', message, `It maps tables to: ${known}.`);
  }
  const wanted = expandDataTypes(dataTypes);
  const owned = source.mapping.some((table) => wanted.includes(table.dataType) && table.business !== undefined);
  if (type !== 'BUSINESS' || owned) return;
  const message = `None of the tables of ${dataTypes.join(', ')} belongs to a business.`;
  problems.add('dataTypes', message, 'Name data types whose tables have a business column.');
}
