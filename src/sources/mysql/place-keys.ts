/**
 * Lets the server tell where keys stand among others, of rows that need not be there: it sorts both as it would compare the key's
 * columns, so that this agrees with `rangeCondition` for every type and collation that the log tells keys of (`keyTypeRefusal`).
 */
import { AppError } from '../../domain/errors';
import type { KeyBytes } from '../../domain/rows';
import type { KeyPlacing } from '../../domain/source';
import type { ColumnStructure, TableStructure } from '../../domain/table';
import type { Dialect } from './dialect';
import { keyColumns } from './key-range';
import { decodeFields } from './row-encoding';
import type { Session } from './session';
import { orderLiteral, valueLiteral } from './sql';

/** One statement sorts this many keys, and as many bytes of them. */
const SORTED_KEYS = 2000;
const SORTED_BYTES = 256 * 1024;
const SPACE = 0x20;
/** Values in one list of keys: MariaDB joins longer ones as a table, in an order of its own (`in_predicate_conversion_threshold`). */
const LISTED_VALUES = 900;
const LISTED_KEYS = 500;

export async function placeKeys(
  session: Session,
  table: TableStructure,
  { keys, bounds }: KeyPlacing,
): Promise<Uint32Array | null> {
  const places = new Uint32Array(keys.length);
  if (bounds.length === 0) return places;
  if (holdsDoubtful(table, keys) || holdsDoubtful(table, bounds)) return null;
  let placed = 0;
  for (const batch of batches(keys, SORTED_KEYS)) {
    const sql = sortStatement(table, [...bounds, ...batch], session.dialect);
    const order = (await session.values(sql)).map(([number]) => Number(number));
    for (const [number, place] of placesIn(order, bounds.length, table)) places[placed + number] = place;
    placed += batch.length;
  }
  return places;
}

/**
 * Texts that end in a space or hold characters below it: sorting puts them, in some collations, elsewhere than comparing does among
 * texts that are the same up to there.
 */
function holdsDoubtful(table: TableStructure, keys: readonly KeyBytes[]): boolean {
  const texts = keyColumns(table).flatMap(({ kind }, i) => (kind === 'TEXT' ? [i] : []));
  if (texts.length === 0) return false;
  return keys.some((key) => {
    const values = decodeFields(key);
    return texts.some((column) => isDoubtful(values[column] ?? null));
  });
}

function isDoubtful(text: Buffer | null): boolean {
  return text !== null && (text.at(-1) === SPACE || text.some((byte) => byte < SPACE));
}

/** Of each key its number and how many bounds stand before it; bounds have the lower numbers. */
function* placesIn(order: readonly number[], bounds: number, { table }: TableStructure): Iterable<[number, number]> {
  let place = 0;
  for (const number of order) {
    if (number >= bounds) yield [number - bounds, place];
    else if (number === place) place++;
    else
      throw new AppError('INTEGRITY_FAILURE', `The key ranges of table ${table} do not stand in the order of its key.`);
  }
}

/** Of keys that the collation calls equal the earlier one comes first. */
export function sortStatement(table: TableStructure, keys: readonly KeyBytes[], { valueRow }: Dialect): string {
  const columns = keyColumns(table);
  const rows = keys.map((key, number) => {
    const values = decodeFields(key);
    return `${valueRow}(${[number, ...columns.map((column, i) => sortLiteral(column, values[i] ?? null))].join(', ')})`;
  });
  const names = columns.map((_, i) => `k${i}`);
  const order = columns.map((column, i) => sortExpression(column, `k${i}`));
  return `WITH u (n, ${names.join(', ')}) AS (VALUES ${rows.join(', ')}) SELECT n FROM u ORDER BY ${order.join(', ')}, n`;
}

/** Dates stand in the order of their text; as they are all of one length, that of its bytes. */
function sortLiteral(column: ColumnStructure, value: Buffer | null): string {
  if (value !== null && isDate(column)) return `X'${value.toString('hex')}'`;
  const literal = orderLiteral(column, value);
  return column.type === 'uuid' ? `CAST(${valueLiteral(column, value)} AS UUID)` : literal;
}

function isDate({ kind }: ColumnStructure): boolean {
  return kind === 'DATE' || kind === 'DATETIME' || kind === 'TIMESTAMP';
}

function sortExpression({ kind, charset, collation }: ColumnStructure, name: string): string {
  if (kind !== 'TEXT' || charset === undefined || collation === undefined) return name;
  return `CONVERT(${name} USING ${charset}) COLLATE ${collation}`;
}

/** As many keys as one statement may list. */
export function keyBatches(table: TableStructure, keys: readonly KeyBytes[]): Iterable<KeyBytes[]> {
  return batches(keys, Math.min(LISTED_KEYS, Math.floor(LISTED_VALUES / table.key.length)));
}

function* batches(keys: readonly KeyBytes[], most: number): Generator<KeyBytes[]> {
  let batch: KeyBytes[] = [];
  let bytes = 0;
  for (const key of keys) {
    if (batch.length === most || bytes > SORTED_BYTES) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(key);
    bytes += key.length;
  }
  if (batch.length > 0) yield batch;
}
