/** What `exportBackup` accepts: first the input alone, then against the backup that it names. */
import type { BackupRecord } from '../catalog/catalog';
import type { DataType, RequestedDataType } from '../domain/data-type';
import { expandDataTypes } from '../domain/data-type';
import { EXPORT_VALID_MS, exportFileName, type ExportCompression, type ExportFormat } from '../domain/export';
import type { BackupId, ExportId } from '../domain/ids';
import type { ExportJobSpec } from '../domain/job';
import type { JsonValue } from '../domain/values';
import { InputProblems } from './input-problems';
import {
  checkBusinessId, checkDataTypes, checkIdempotencyKey, checkWaitFor, quote, type Given,
} from './input-rules'; // prettier-ignore
import { checkContained, checkValidFor } from './restore-rules';

export interface ExportBackupInput {
  backupId: BackupId;
  format: ExportFormat;
  compression?: Given<ExportCompression>;
  dataTypes?: Given<RequestedDataType[]>;
  table?: Given<string>;
  businessId?: Given<string>;
  /** Its form is checked. */
  filter?: Given<JsonValue>;
  validFor?: Given<string>;
  idempotencyKey?: Given<string>;
  waitFor?: Given<string>;
}

/** What stands after the input itself was checked. */
export interface CheckedExport {
  /** Null: those that the backup holds. */
  dataTypes: RequestedDataType[] | null;
  businessId: string | null;
  validForMs: number;
}

/** Throws INVALID_INPUT with everything that is wrong with the input by itself. */
export function checkExportInput(input: ExportBackupInput): CheckedExport {
  const problems = new InputProblems();
  const dataTypes = checkDataTypes(input.dataTypes, problems);
  const isGiven = input.businessId !== null && input.businessId !== undefined;
  const businessId = isGiven ? checkBusinessId(input.businessId, { required: true, type: 'BUSINESS' }, problems) : null;
  const validForMs = checkValidFor(input.validFor, problems) ?? EXPORT_VALID_MS;
  checkIdempotencyKey(input.idempotencyKey, problems);
  checkWaitFor(input.waitFor, problems);
  problems.throwIfAny();
  return { dataTypes, businessId, validForMs };
}

/** Throws INVALID_INPUT where the backup does not hold what is asked for, or the format does not. */
export function exportSpec(
  input: ExportBackupInput,
  { checked, backup, exportId }: { checked: CheckedExport; backup: BackupRecord; exportId: ExportId },
): ExportJobSpec {
  const problems = new InputProblems();
  checkContained(checked, backup, problems);
  checkBusiness(checked, backup, problems);
  problems.throwIfAny();
  const { format, compression, filter } = input;
  const dataTypes = expandDataTypes(checked.dataTypes ?? ['ALL']).filter((type) => backup.dataTypes.includes(type));
  const wanted = {
    ...{ backupId: backup.id, format, compression: compression ?? 'NONE', dataTypes },
    table: tableOf(input, tablesOf(backup, dataTypes)),
    businessId: checked.businessId,
    filter: filter === null || filter === undefined ? null : JSON.stringify(filter),
  };
  const fileName = exportFileName(wanted, backup);
  return { kind: 'EXPORT', exportId, ...wanted, fileName, validForMs: checked.validForMs };
}

function checkBusiness({ businessId }: CheckedExport, backup: BackupRecord, problems: InputProblems): void {
  if (businessId === null || backup.type !== 'BUSINESS' || businessId === backup.businessId) return;
  const message = `The backup holds the business ${quote(backup.businessId ?? '')}, not ${quote(businessId)}.`;
  problems.add('businessId', message, "Give the backup's own businessId, or choose another backup.");
}

function tablesOf(backup: BackupRecord, dataTypes: readonly DataType[]): string[] {
  return backup.tables.filter(({ dataType }) => dataTypes.includes(dataType)).map(({ table }) => table);
}

/** The one table that is meant; null for all of them. */
function tableOf({ format, table, filter }: ExportBackupInput, tables: readonly string[]): string | null {
  const problems = new InputProblems();
  const needsOne = format === 'CSV' || (filter !== null && filter !== undefined);
  const isNamed = table !== null && table !== undefined;
  const hint = `Name one of: ${tables.join(', ')}.`;
  if (isNamed && !tables.includes(table)) problems.add('table', `There is no table ${quote(table)} to export.`, hint);
  if (!isNamed && needsOne && tables.length !== 1)
    problems.add('table', `${format === 'CSV' ? 'CSV holds' : 'A filter is of'} a single table.`, hint);
  problems.throwIfAny();
  return isNamed ? table : needsOne ? (tables[0] ?? null) : null;
}
