/**
 * Backups as scripts for SQLite: one transaction, values as literals that give the same storage class and the same bits. What its shell, or
 * reading a decimal, could change is spelled otherwise: odd text as a blob that is cast, REALs of many digits as exact arithmetic.
 */
import { isUtf8 } from 'node:buffer';
import { AppError } from '../../domain/errors';
import type { RowBatch, RowCodec, SqlScript } from '../../domain/rows';
import type { TableStructure } from '../../domain/table';
import { runsOf, type Tuple } from '../script-statements';
import { quoteName, quoteNames, quoteText } from './quote';

/** What the encoding gives (row-encoding.ts). */
interface Encoding {
  locate: RowCodec['locate'];
  fieldValue: (bytes: Buffer, fieldStart: number, fieldEnd: number) => null | bigint | number | Buffer;
  isText: (bytes: Buffer, fieldStart: number) => boolean;
}

const BEGIN = `-- For a new file: sqlite3 -bail <new file> < file
PRAGMA foreign_keys = OFF;
PRAGMA ignore_check_constraints = ON;
BEGIN;
`;
const END = `COMMIT;
PRAGMA ignore_check_constraints = OFF;
`;

export function sqliteSqlScript(encoding: Encoding): SqlScript {
  return {
    begin: () => BEGIN,
    createTable: ({ createStatement }) => `\n${createStatement};\n`,
    beforeRows: () => '\n',
    inserts: (table, rows) => inserts(table, rows, encoding),
    afterRows: (table) => [...lastNumber(table), ...laterStatements(table)].map((sql) => `${sql};\n`).join(''),
    end: () => END,
  };
}

/** OR ABORT: a table's own ON CONFLICT clause must not replace or drop rows. */
function* inserts(table: TableStructure, rows: RowBatch, encoding: Encoding): Generator<string> {
  const names = quoteNames(table.columns.map(({ name }) => name));
  const head = `INSERT OR ABORT INTO ${quoteName(table.table)} (${names}) VALUES`;
  for (const run of runsOf(tuples(table, rows, encoding))) yield `${head}\n${run.rows};\n`;
}

function* tuples({ table, columns }: TableStructure, batch: RowBatch, encoding: Encoding): Generator<Tuple> {
  const { bytes, ends } = batch;
  const fields = new Int32Array(3 * columns.length);
  let start = 0;
  for (const end of ends) {
    if (encoding.locate(bytes, start, columns.length, fields) !== end) throw unevenRow(table);
    const values = columns.map((_, i) => literal(bytes, [fields[3 * i]!, fields[3 * i + 2]!], encoding));
    yield { sql: `(${values.join(',')})`, isOdd: false };
    start = end;
  }
}

function unevenRow(table: string): AppError {
  return new AppError('INTEGRITY_FAILURE', `A row of ${table} holds more or fewer fields than it has columns.`);
}

function literal(bytes: Buffer, [start, end]: [number, number], { fieldValue, isText }: Encoding): string {
  const value = fieldValue(bytes, start, end);
  if (value === null) return 'NULL';
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return realLiteral(value);
  return isText(bytes, start) ? textLiteral(value) : `x'${value.toString('hex')}'`;
}

const CARRIAGE_RETURN = 13;

/** The shell drops carriage returns at the ends of lines. */
function textLiteral(value: Buffer): string {
  const isPlain = isUtf8(value) && !value.includes(CARRIAGE_RETURN) && !value.includes(0);
  return isPlain ? quoteText(value.toString('utf8')) : `CAST(x'${value.toString('hex')}' AS TEXT)`;
}

/** Up to so many digits, and so far from the point, every way to read a decimal gives the nearest double. */
const SAFE_DIGITS = 15;
const SAFE_EXPONENT = 20;

export function realLiteral(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? '9e999' : '-9e999';
  const [digits = '', exponent = '0'] = Math.abs(value).toExponential().replace('.', '').split('e');
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const isSafe = digits.length <= SAFE_DIGITS && Math.abs(Number(exponent)) <= SAFE_EXPONENT;
  return `${sign}${isSafe ? decimal(Math.abs(value)) : exactReal(Math.abs(value))}`;
}

/** With a point or an exponent: else it would be an integer. */
function decimal(value: number): string {
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

const FRACTION_BITS = 52n;
const BIAS = 1075;
const LARGEST_SHIFT = 62;

/** An integer of at most 53 bits, times or divided by powers of two: no step rounds. */
function exactReal(value: number): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const biased = Number(bits >> FRACTION_BITS);
  const fraction = bits & ((1n << FRACTION_BITS) - 1n);
  const mantissa = biased === 0 ? fraction : fraction | (1n << FRACTION_BITS);
  const exponent = Math.max(biased, 1) - BIAS;
  const steps: string[] = [];
  for (let left = Math.abs(exponent); left > 0; left -= LARGEST_SHIFT)
    steps.push(`${exponent > 0 ? '*' : '/'}${1n << BigInt(Math.min(left, LARGEST_SHIFT))}`);
  return `(CAST(${mantissa} AS REAL)${steps.join('')})`;
}

/** What was given out before is not given out again. */
function lastNumber({ table, lastNumber: number, createStatement }: TableStructure): string[] {
  if (number === undefined || !/AUTOINCREMENT/i.test(createStatement)) return [];
  const name = quoteText(table);
  return [
    `DELETE FROM sqlite_sequence WHERE name = ${name} COLLATE NOCASE`,
    `INSERT INTO sqlite_sequence (name, seq) VALUES (${name}, ${BigInt(number)})`,
  ];
}

function laterStatements({ indexes, triggers }: TableStructure): string[] {
  const ofIndexes = indexes.flatMap(({ statement }) => (statement === undefined ? [] : [statement]));
  return [...ofIndexes, ...triggers.map(({ statement }) => statement)];
}
