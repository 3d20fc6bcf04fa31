/** Keys of single records that a restore names: their form first, then the tables that they mean in its backup. */
import type { BackupRecord } from '../catalog/catalog';
import type { RestoreType } from '../domain/backup';
import type { RequestedDataType } from '../domain/data-type';
import { isAppError } from '../domain/errors';
import type { SourceMapping } from '../domain/mapping';
import { parseRecordKey } from '../domain/record-filter';
import { MAX_RECORD_KEYS, type RecordKey } from '../domain/record-key';
import type { JsonValue } from '../domain/values';
import type { InputProblems } from './input-problems';
import { isGiven, type Given } from './input-rules';
import { tableOf, type NamedTable } from './tables';

export interface RecordKeyInput extends NamedTable {
  /** JSON, as records show it. */
  key: unknown;
}

/** As they were given; null for no keys, or where something is wrong with them. */
export function checkRecordKeys(
  { type, keys }: { type: RestoreType; keys?: Given<readonly RecordKeyInput[]> },
  problems: InputProblems,
): RecordKeyInput[] | null {
  if (!isGiven(keys)) return null;
  if (type === 'SYSTEM') {
    problems.add('keys', 'SYSTEM takes no keys.', 'Use PARTIAL with the data type CONFIG, or leave keys out.');
  } else if (keys.length === 0) {
    problems.add('keys', 'keys is empty.', 'Name at least one record, or leave keys out to restore all.');
  } else if (keys.length > MAX_RECORD_KEYS) {
    problems.add('keys', `There are ${keys.length} keys.`, `Give at most ${MAX_RECORD_KEYS} at once.`);
  } else {
    return keys.map(({ key, ...table }, at) => ({ ...table, key: checkKey(key as JsonValue, at, problems) }));
  }
  return null;
}

function checkKey(key: JsonValue, at: number, problems: InputProblems): JsonValue {
  noting(problems, at, () => parseRecordKey(key, ['key']));
  return key;
}

/** Adds what is thrown as a problem of that key. */
function noting<Result>(problems: InputProblems, at: number, work: () => Result): Result | null {
  try {
    return work();
  } catch (error) {
    if (!isAppError(error) || error.code !== 'INVALID_INPUT') throw error;
    problems.add(['keys', at, ...(error.path ?? [])].join('.'), error.message, error.hint ?? '');
    return null;
  }
}

/** With the tables that they mean in the backup. Reports those that name none, or none of the data types that are to be restored. */
export function locateRecordKeys(
  { keys, dataTypes }: { keys: readonly RecordKeyInput[]; dataTypes: readonly RequestedDataType[] | null },
  { backup, mapping }: { backup: Pick<BackupRecord, 'tables'>; mapping: SourceMapping },
  problems: InputProblems,
): RecordKey[] {
  return keys.flatMap(({ key, ...given }, at) => {
    const named = asInBackup(given, { backup, mapping });
    const table = noting(problems, at, () => tableOf(backup.tables, named, 'The backup'));
    if (table === null) return [];
    if (dataTypes && !dataTypes.includes('ALL') && !dataTypes.includes(table.dataType)) {
      const hint = `Name it in dataTypes, or leave this key out; dataTypes are ${dataTypes.join(', ')}.`;
      problems.add(`keys.${at}.dataType`, `${table.dataType} is not among the dataTypes to restore.`, hint);
    }
    return [{ ...table, key: key as RecordKey['key'] }];
  });
}

/** A table that the backup knows under a former name may be called what it is called now. */
function asInBackup(
  named: NamedTable,
  { backup, mapping }: { backup: Pick<BackupRecord, 'tables'>; mapping: SourceMapping },
): NamedTable {
  const isHeld = (name: string): boolean => backup.tables.some(({ table }) => table === name);
  if (!isGiven(named.table) || isHeld(named.table)) return named;
  const former = mapping.find(({ table }) => table === named.table)?.formerly?.filter(isHeld) ?? [];
  return former.length === 1 ? { ...named, table: former[0] } : named;
}
