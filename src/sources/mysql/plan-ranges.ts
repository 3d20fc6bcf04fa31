/**
 * Splits a table into key ranges. Integer keys are cut at multiples of a power of two, which the first rows decide; character
 * keys at the first row at or after evenly spread guesses, which the server looks up and puts in order; where neither splits
 * well, at every n-th row. The same data gives the same ranges; rows added at the end of a numbered table move no cut.
 */
import type { KeyRange, RowBatch } from '../../domain/rows';
import { WHOLE_TABLE } from '../../domain/rows';
import type { ColumnStructure, TableStructure } from '../../domain/table';
import { keyColumns, keyIndexHint, orderByKey, rangeCondition } from './key-range';
import { readBatches } from './raw-rows';
import { decodeFields, encodeField } from './row-encoding';
import { quoteName, selectExpression, selectList, valueLiteral } from './sql';
import type { Session } from './session';

/** More would only cost look-ups. */
const MAX_RANGES = 1024;
const SAMPLE_ROWS = 256;

export interface PlanRangesOptions {
  session: Session;
  table: TableStructure;
  targetBytes: number;
  /** Quoted name of the table where it is read. */
  name: string;
}

export async function planRanges(options: PlanRangesOptions): Promise<KeyRange[]> {
  const { table, targetBytes } = options;
  const wanted = table.estimatedBytes / Math.max(1, targetBytes);
  if (wanted <= 1 || table.estimatedRows === 0) return [WHOLE_TABLE];
  const sample = await sampleRows(options);
  if (sample.rows === 0) return [WHOLE_TABLE];
  const count = Math.min(MAX_RANGES, 2 ** Math.ceil(Math.log2(wanted)));
  const [column] = keyColumns(table) as [ColumnStructure];
  if (column.kind === 'INTEGER' && table.key.length === 1) return toRanges(await integerCuts(options, column, sample));
  const cuts = await guessedCuts(options, column, count);
  return toRanges(cuts.length + 1 >= count / 4 ? cuts : await countedCuts(options, sample));
}

/** The first rows by key: what a row weighs and how close the keys stand. They stay when the table grows at its end. */
interface Sample {
  rows: number;
  averageBytes: number;
  firstKey: Buffer;
  lastKey: Buffer;
}

async function sampleRows({ session, table, name }: PlanRangesOptions): Promise<Sample> {
  const keyFirst = [...keyColumns(table), ...table.columns];
  const list = selectList(keyFirst, session.dialect);
  const sql = `SELECT ${list} FROM ${name} ${keyIndexHint(table)} ORDER BY ${orderByKey(table)} LIMIT ${SAMPLE_ROWS}`;
  const rows: Buffer[] = [];
  for await (const batch of readBatches(session, sql)) rows.push(...rowsOf(batch));
  const bytes = rows.reduce((sum, row) => sum + row.length, 0);
  const keyOf = (row: Buffer | undefined): Buffer =>
    row ? (decodeFields(row)[0] ?? Buffer.alloc(0)) : Buffer.alloc(0);
  return {
    rows: rows.length,
    averageBytes: Math.max(1, bytes / Math.max(1, rows.length)),
    firstKey: keyOf(rows[0]),
    lastKey: keyOf(rows.at(-1)),
  };
}

function rowsOf({ bytes, ends }: RowBatch): Buffer[] {
  return Array.from(ends, (end, i) => Buffer.from(bytes.subarray(i === 0 ? 0 : ends[i - 1], end)));
}

function toRanges(cuts: readonly Buffer[]): KeyRange[] {
  const bounds: (Buffer | null)[] = [null, ...cuts, null];
  return bounds.slice(1).map((to, i) => ({ from: bounds[i] as Buffer | null, to }));
}

async function extremes(
  { session, name }: PlanRangesOptions,
  column: ColumnStructure,
): Promise<[string, string] | null> {
  const quoted = quoteName(column.name);
  const text = column.kind === 'TEXT' || column.kind === 'BINARY' ? `HEX(${quoted})` : quoted;
  const edge = (direction: string): string => `(SELECT ${text} FROM ${name} ORDER BY ${quoted} ${direction} LIMIT 1)`;
  const [row] = await session.rows(`SELECT ${edge('ASC')} AS low, ${edge('DESC')} AS high`);
  return row?.low === null || row?.high === null ? null : [String(row?.low), String(row?.high)];
}

/** Multiples of a power of two, so that a plan for larger ranges keeps every other cut. */
async function integerCuts(options: PlanRangesOptions, column: ColumnStructure, sample: Sample): Promise<Buffer[]> {
  const edges = await extremes(options, column);
  if (!edges) return [];
  const [low, high] = edges.map(BigInt) as [bigint, bigint];
  const span = Number(BigInt(sample.lastKey.toString()) - BigInt(sample.firstKey.toString())) + 1;
  const keysPerRange = (options.targetBytes / sample.averageBytes) * (span / sample.rows);
  let step = 2n ** BigInt(Math.max(0, Math.round(Math.log2(keysPerRange))));
  while (step * BigInt(MAX_RANGES) < high - low) step *= 2n;
  const cuts: Buffer[] = [];
  for (let cut = (floorDivide(low, step) + 1n) * step; cut <= high; cut += step) {
    cuts.push(encodeField(Buffer.from(printedAs(column, cut))));
  }
  return cuts;
}

/** Every n-th key, counted by the server along the key's index. */
async function countedCuts(options: PlanRangesOptions, sample: Sample): Promise<Buffer[]> {
  const { session, table, name, targetBytes } = options;
  const rows = 2 ** Math.max(0, Math.floor(Math.log2(targetBytes / sample.averageBytes)));
  const list = selectList(keyColumns(table), session.dialect);
  const cuts: Buffer[] = [];
  for (;;) {
    const after = rangeCondition(table, { from: cuts.at(-1) ?? null, to: null });
    const from = `FROM ${name} ${keyIndexHint(table)} ${after ? `WHERE ${after}` : ''}`;
    const sql = `SELECT ${list} ${from} ORDER BY ${orderByKey(table)} LIMIT 1 OFFSET ${rows}`;
    const found: Buffer[] = [];
    for await (const batch of readBatches(session, sql)) found.push(...rowsOf(batch));
    const [cut] = found;
    if (!cut) return cuts;
    cuts.push(cut);
  }
}

function floorDivide(value: bigint, step: bigint): bigint {
  const quotient = value / step;
  return value < 0n && quotient * step !== value ? quotient - 1n : quotient;
}

/** ZEROFILL columns print leading zeros; a bound is only compared, yet looks like the keys it stands between. */
function printedAs(column: ColumnStructure, value: bigint): string {
  const width = /zerofill/i.test(column.type) ? Number(/\((\d+)\)/.exec(column.type)?.[1] ?? 0) : 0;
  return value.toString().padStart(width, '0');
}

/** Character keys split by hex digits, letters and digits, or bytes, whichever their outermost values are made of. */
async function guessedCuts(options: PlanRangesOptions, column: ColumnStructure, count: number): Promise<Buffer[]> {
  if ((column.kind !== 'TEXT' && column.kind !== 'BINARY') || (column.kind === 'TEXT' && !splittableText(column)))
    return [];
  const edges = await extremes(options, column);
  if (!edges) return [];
  const [low, high] = edges.map((hex) => Buffer.from(hex, 'hex')) as [Buffer, Buffer];
  const guesses = guessBetween([low, high], count, column.kind === 'BINARY');
  return lookUp(options, column, guesses);
}

/** Charsets of one byte per plain letter: a guess of such bytes is text there. */
function splittableText({ charset }: ColumnStructure): boolean {
  return charset !== undefined && !/^(ucs2|utf16|utf16le|utf32)$/.test(charset);
}

const HEX_DIGITS = Buffer.from('0123456789abcdef');
const LETTERS = Buffer.from('0123456789abcdefghijklmnopqrstuvwxyz');
const BYTES = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
const GUESS_DIGITS = 5;

function guessBetween([low, high]: [Buffer, Buffer], count: number, binary: boolean): Buffer[] {
  let common = 0;
  while (common < low.length && common < high.length && low[common] === high[common]) common += 1;
  const prefix = low.subarray(0, common);
  const alphabet = binary ? BYTES : alphabetOf(Buffer.concat([low.subarray(common), high.subarray(common)]));
  return Array.from({ length: count - 1 }, (_, i) => Buffer.concat([prefix, digitsOf((i + 1) / count, alphabet)]));
}

function alphabetOf(sample: Buffer): Buffer {
  const isHex = /^[-0-9a-f]*$/i.test(sample.toString('latin1'));
  const alphabet = isHex ? HEX_DIGITS : LETTERS;
  const isUpper = /[A-Z]/.test(sample.toString('latin1'));
  return isUpper ? Buffer.from(alphabet.toString().toUpperCase()) : alphabet;
}

/** A fraction of the key space, written in digits of the alphabet without trailing zeros. */
function digitsOf(fraction: number, alphabet: Buffer): Buffer {
  const digits: number[] = [];
  for (let rest = fraction; rest > 0 && digits.length < GUESS_DIGITS;) {
    rest *= alphabet.length;
    digits.push(alphabet[Math.floor(rest)] as number);
    rest -= Math.floor(rest);
  }
  return Buffer.from(digits);
}

/** The first keys at or after the guesses, each once, in the server's order. */
async function lookUp(
  options: PlanRangesOptions,
  column: ColumnStructure,
  guesses: readonly Buffer[],
): Promise<Buffer[]> {
  const { session, name } = options;
  const quoted = quoteName(column.name);
  const found = guesses.map((guess) => {
    const literal = valueLiteral(column, guess);
    return `(SELECT MIN(${quoted}) FROM ${name} WHERE ${quoted} >= ${literal})`;
  });
  const select = `SELECT DISTINCT ${selectExpression(column, session.dialect)} FROM ${name}`;
  const sql = `${select} WHERE ${quoted} IN (${found.join(', ')}) ORDER BY ${quoted}`;
  const cuts: Buffer[] = [];
  for await (const batch of readBatches(session, sql)) cuts.push(...rowsOf(batch));
  // The smallest key of all would leave an empty first range.
  return cuts;
}
