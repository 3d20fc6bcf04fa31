/**
 * Backups as scripts for the client of MySQL or MariaDB. The session is as strict, and takes as odd values, as those that restore. Text that
 * is UTF-8 stands as it is, but for what the client would change on its way; every other value as `storedLiteral` spells it.
 */
import { isUtf8 } from 'node:buffer';
import { AppError } from '../../domain/errors';
import type { RowBatch, RowCodec, SqlScript } from '../../domain/rows';
import type { ColumnStructure, TableStructure, TriggerStructure } from '../../domain/table';
import { runsOf, type Tuple } from '../script-statements';
import { holdsDecimals } from './json-literal';
import { LENIENT_SQL_MODE, STRICT_SQL_MODE } from './session';
import { hasErrorValue, quoteName, quoteNames, quoteText, storedLiteral } from './sql';

const KEPT = ['sql_mode', 'time_zone', 'foreign_key_checks'];

const BEGIN = `-- For an empty schema: mariadb <schema> < file, or mysql <schema> < file
SET ${KEPT.map((name) => `@riskvault_${name} = @@SESSION.${name}`).join(', ')};
SET NAMES utf8mb4;
SET SESSION sql_mode = '${STRICT_SQL_MODE}', time_zone = '+00:00', foreign_key_checks = 0;
/*M!100201 SET SESSION check_constraint_checks = 0 */;
`;
const END = `SET SESSION ${KEPT.map((name) => `${name} = @riskvault_${name}`).join(', ')};
/*M!100201 SET SESSION check_constraint_checks = 1 */;
`;

/** `locate` is that of the encoding. */
export function mysqlSqlScript(locate: RowCodec['locate']): SqlScript {
  return {
    begin: () => BEGIN,
    createTable: ({ createStatement }) => `\n${createStatement};\n`,
    beforeRows: () => '\nSTART TRANSACTION;\n',
    inserts: (table, rows) => inserts(table, rows, locate),
    afterRows: ({ triggers }) => `COMMIT;\n${triggers.map(triggerSql).join('')}`,
    end: () => END,
  };
}

function* inserts(table: TableStructure, rows: RowBatch, locate: RowCodec['locate']): Generator<string> {
  const head = `INSERT INTO ${quoteName(table.table)} (${quoteNames(table.columns.map(({ name }) => name))}) VALUES`;
  for (const run of runsOf(tuples(table, rows, locate))) {
    const insert = `${head}\n${run.rows};\n`;
    // Strict mode does not take back the '' that an earlier refused ENUM value left.
    yield run.isOdd ? `${useMode(LENIENT_SQL_MODE)}${insert}${useMode(STRICT_SQL_MODE)}` : insert;
  }
}

function useMode(mode: string): string {
  return `SET SESSION sql_mode = ${quoteText(mode)};\n`;
}

function* tuples({ table, columns }: TableStructure, batch: RowBatch, locate: RowCodec['locate']): Generator<Tuple> {
  const { bytes, ends } = batch;
  const fields = new Int32Array(3 * columns.length);
  const enums = columns.flatMap((column, i) => (hasErrorValue(column) ? [3 * i] : []));
  let start = 0;
  for (const end of ends) {
    if (locate(bytes, start, columns.length, fields) !== end) throw unevenRow(table);
    const values = columns.map((column, i) => literal(column, valueAt(bytes, fields, 3 * i)));
    const isOdd = enums.some((slot) => fields[slot + 1] === fields[slot + 2]);
    yield { sql: `(${values.join(',')})`, isOdd };
    start = end;
  }
}

function unevenRow(table: string): AppError {
  return new AppError('INTEGRITY_FAILURE', `A row of ${table} holds more or fewer fields than it has columns.`);
}

function valueAt(bytes: Buffer, fields: Int32Array, slot: number): Buffer | null {
  const start = fields[slot + 1] as number;
  return start < 0 ? null : bytes.subarray(start, fields[slot + 2]);
}

const UTF8_CHARSETS: ReadonlySet<string> = new Set(['utf8mb4', 'utf8mb3', 'utf8', 'ascii']);

function literal(column: ColumnStructure, value: Buffer | null): string {
  return value !== null && isPlainText(column, value) ? textLiteral(value) : storedLiteral(column, value);
}

function isPlainText({ kind, charset }: ColumnStructure, value: Buffer): boolean {
  if (kind === 'JSON') return isUtf8(value) && !holdsDecimals(value);
  const isText = kind === 'TEXT' || kind === 'ENUM' || kind === 'SET';
  return isText && charset !== undefined && UTF8_CHARSETS.has(charset) && isUtf8(value);
}

/** The client changes line ends, takes lines apart, and refuses NUL: no line of the script ends within a text. */
const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "''",
  '\0': '\\0',
  '\n': '\\n',
  '\r': '\\r',
  '\x1a': '\\Z',
};

function textLiteral(value: Buffer): string {
  // eslint-disable-next-line no-control-regex -- those that need an escape
  return `'${value.toString('utf8').replace(/[\\'\0\n\r\x1a]/g, (char) => ESCAPES[char] as string)}'`;
}

const DEFINER = /^CREATE\s+DEFINER\s*=\s*(`(?:[^`]|``)*`|\S+?)(@(`(?:[^`]|``)*`|\S+))?\s+TRIGGER/i;

/** In the name of whom runs the script: only an administrator may create one in another's. Its mode decides what its text means. */
function triggerSql({ statement, sqlMode }: TriggerStructure): string {
  const delimiter = [';;', '$$', '//', '|||'].find((candidate) => !statement.includes(candidate)) ?? ';;';
  const create = statement.replace(DEFINER, 'CREATE TRIGGER');
  const mode = sqlMode === undefined ? '' : useMode(sqlMode.replace(/\bNO_AUTO_CREATE_USER,?/, ''));
  const strict = sqlMode === undefined ? '' : useMode(STRICT_SQL_MODE);
  return `${mode}DELIMITER ${delimiter}\n${create}\n${delimiter}\nDELIMITER ;\n${strict}`;
}
