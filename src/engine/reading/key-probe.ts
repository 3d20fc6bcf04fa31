/** One key, looked for in the rows of tables of one structure: by its values, and by its place where the encoding tells how keys sort. */
import type { ChunkEntry } from '../../domain/backup-store';
import { AppError, isAppError } from '../../domain/errors';
import type { LayerRef } from '../../domain/manifest';
import { rowStart, type KeyBytes, type KeyRange, type RowBatch, type RowCodec, type SortKey } from '../../domain/rows';
import { keyColumnIndexes, type TableStructure } from '../../domain/table';
import type { ColumnValues, CompareField, JsonValue } from '../../domain/values';

const OPEN = Buffer.alloc(0);

export class KeyProbe {
  private readonly columns: readonly number[];
  private readonly compares: readonly CompareField[];
  private readonly fields: Int32Array;
  private readonly located: number;
  private readonly sortKey: SortKey | null;
  /** The key as rows most likely hold it, which may be written otherwise; null where that can't be told. */
  readonly bytes: KeyBytes | null;
  /** The key's place; null where only the source knows it. */
  readonly place: Buffer | null;

  /** Throws INVALID_INPUT, with the path `key`, for what is no key of the table. */
  constructor(
    private readonly codec: RowCodec,
    readonly structure: TableStructure,
    key: JsonValue,
  ) {
    const values = codec.values(structure);
    this.columns = keyColumnIndexes(structure);
    const ofKey = keyValues(structure, key).map((value, i) => keyed(structure.key[i] as string, { value, values: values[this.columns[i] as number] as ColumnValues })); // prettier-ignore
    this.compares = ofKey.map(({ compare }) => compare);
    this.located = Math.max(...this.columns) + 1;
    this.fields = new Int32Array(3 * Math.max(this.located, this.columns.length));
    this.sortKey = codec.sortKey?.(structure) ?? null;
    const encoded = ofKey.map((part) => part.encoded);
    this.bytes = encoded.includes(null) ? null : Buffer.concat(encoded as Buffer[]);
    this.place = this.bytes && (this.sortKey?.(this.bytes) ?? null);
  }

  /** Whether a chunk, or a page's whole subtree, may have the key. True where that can't be told. */
  mayHold({ firstKey, lastKey }: Pick<ChunkEntry, 'firstKey' | 'lastKey'>, kind: LayerRef['kind']): boolean {
    if (this.place === null) return true;
    // In a base layer the keys are rows', elsewhere bounds, which are empty where open and of which the upper one is no row's.
    const isBase = kind === 'BASE';
    const [low, high] = [this.placeOf(firstKey), this.placeOf(lastKey)];
    if (low !== null && this.place.compare(low) < 0) return false;
    return high === null || this.place.compare(high) < (isBase ? 1 : 0);
  }

  /** The same of a range of keys. */
  mayBeWithin({ from, to }: KeyRange): boolean {
    return this.mayHold({ firstKey: from ?? OPEN, lastKey: to ?? OPEN }, 'MERGED');
  }

  /** The row that has the key; null where none has. */
  findRow(rows: RowBatch): Buffer | null {
    const row = this.find(rows, this.located, this.columns);
    return row < 0 ? null : Buffer.from(rows.bytes.subarray(rowStart(rows, row), rows.ends[row]));
  }

  /** Whether the key is among keys, back to back as tombstones are. */
  isAmong(keys: RowBatch): boolean {
    return this.find(keys, this.columns.length, [...this.columns.keys()]) >= 0;
  }

  private find(batch: RowBatch, located: number, columns: readonly number[]): number {
    const { bytes, ends } = batch;
    for (let row = 0; row < ends.length; row++) {
      this.codec.locate(bytes, rowStart(batch, row), located, this.fields);
      if (this.compares.every((compare, i) => this.isEqual(compare, bytes, 3 * (columns[i] as number)))) return row;
    }
    return -1;
  }

  private isEqual(compare: CompareField, bytes: Buffer, slot: number): boolean {
    return this.fields[slot + 1] !== -1 && compare(bytes, this.fields, slot) === 0;
  }

  private placeOf(key: Buffer): Buffer | null {
    return key.length === 0 ? null : (this.sortKey?.(key) ?? null);
  }
}

/** In the order of the key's columns. */
function keyValues({ table, key: names }: TableStructure, key: JsonValue): JsonValue[] {
  const isObject = typeof key === 'object' && key !== null && !Array.isArray(key);
  const fields = isObject ? key : names.length === 1 ? { [names[0] as string]: key } : {};
  const given = Object.keys(fields);
  if (given.length === names.length && names.every((name) => Object.hasOwn(fields, name)))
    return names.map((name) => fields[name] as JsonValue);
  throw refuse(`This is no key of ${table}.`, `Give an object with exactly: ${names.join(', ')}.`);
}

function keyed(name: string, { value, values }: { value: JsonValue; values: ColumnValues }) {
  try {
    return { compare: values.comparing(value), encoded: values.encode(value) };
  } catch (error) {
    if (!isAppError(error)) throw error;
    throw new AppError(error.code, error.message, { hint: error.hint, path: ['key', name] });
  }
}

function refuse(message: string, hint: string): AppError {
  return new AppError('INVALID_INPUT', message, { hint, path: ['key'] });
}
