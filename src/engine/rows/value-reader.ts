/**
 * Reads the values of a list of columns out of encoded rows, as value indexes take them (FORMAT.md, section 8). Built for the
 * hot path: one reader per stream of rows, no allocation per row.
 */
import type { ValueIndexRef, PlainForm } from '../../domain/manifest';
import type { RowCodec } from '../../domain/rows';
import type { TableStructure } from '../../domain/table';
import { uvarintLength, writeUvarint } from '../../domain/uvarint';
import { murmur3 } from './key-bytes';
import { NOT_PLAIN, plainFormOf, trimToPlain, writePlain, type ValuePlace } from './plain-values';

export type IndexedColumns = ValueIndexRef['columns'];

/** Under which rows are listed whose values may be equal to anything. */
export const OTHER_NUMBER = 0;
/** What `read` gives for a row with a NULL in the columns: it refers to nothing, and belongs to nobody. */
export const HAS_NULL = -1;

/** So that chunk boundaries and page boundaries tell nothing about each other. */
const SEED_MASK = 0x666b6579;

/** Null where a column has no form. */
export function columnsOf({ columns }: TableStructure, names: readonly string[]): IndexedColumns | null {
  const found: IndexedColumns = [];
  for (const name of names) {
    const column = columns.find((candidate) => candidate.name === name);
    const form = column && plainFormOf(column);
    if (!form) return null;
    found.push({ name, form });
  }
  return found;
}

export class ValueReader {
  private readonly slots: readonly number[];
  private readonly forms: readonly PlainForm[];
  private readonly seed: number;
  private readonly place: ValuePlace = { bytes: Buffer.alloc(0), fieldStart: 0, start: 0, end: 0, form: 'EXACT' };
  private scratch = Buffer.allocUnsafe(1024);
  private size = 0;
  /** Whether what was read last has a number of its own; by chance that may be OTHER_NUMBER too. */
  isPlain = true;

  /** Where the fields of the row before lie, in the same bytes; -1 for no such row. */
  private readonly before: Int32Array;

  /** `positions`: of the columns among the fields that `read` is given. */
  constructor(columns: IndexedColumns, positions: readonly number[], seed: number) {
    this.slots = positions.map((position) => 3 * position);
    this.forms = columns.map(({ form }) => form);
    this.seed = (seed ^ SEED_MASK) >>> 0;
    this.before = new Int32Array(2 * positions.length).fill(-1);
  }

  /** To be called where other bytes follow; `isRepeated` then begins anew. */
  forget(): void {
    this.before.fill(-1);
  }

  /** Whether the key is, byte for byte, that of the row before: children of one row mostly stand next to each other. */
  isRepeated(bytes: Buffer, fields: Int32Array): boolean {
    let same = true;
    for (let i = 0; i < this.slots.length; i++) {
      const slot = this.slots[i] as number;
      const start = fields[slot] as number;
      const end = fields[slot + 2] as number;
      same = same && this.isField(i, bytes, start, end);
      this.before[2 * i] = start;
      this.before[2 * i + 1] = end;
    }
    return same;
  }

  /** Reads the key out of located fields, and gives its number: OTHER_NUMBER, HAS_NULL, or the hash. */
  read(bytes: Buffer, fields: Int32Array): number {
    this.size = 0;
    this.isPlain = true;
    const { place } = this;
    for (let i = 0; i < this.slots.length; i++) {
      const slot = this.slots[i] as number;
      if ((fields[slot + 1] as number) < 0) return HAS_NULL;
      if (!this.isPlain) continue;
      place.bytes = bytes;
      place.fieldStart = fields[slot] as number;
      place.start = fields[slot + 1] as number;
      place.end = fields[slot + 2] as number;
      place.form = this.forms[i] as PlainForm;
      this.isPlain = this.append();
    }
    return this.isPlain ? murmur3(this.scratch, 0, this.size, this.seed) : OTHER_NUMBER;
  }

  /** The plain bytes of what was read last, where it had a number of its own. */
  plainText(): string {
    return this.scratch.toString('latin1', 0, this.size);
  }

  // eslint-disable-next-line max-params -- called once a row: an options object would be the hot path's only allocation
  private isField(i: number, bytes: Buffer, start: number, end: number): boolean {
    const from = this.before[2 * i] as number;
    if (from < 0 || (this.before[2 * i + 1] as number) - from !== end - start) return false;
    for (let at = start, other = from; at < end; at++, other++) if (bytes[at] !== bytes[other]) return false;
    return true;
  }

  private append(): boolean {
    const { place } = this;
    trimToPlain(place);
    const length = place.end - place.start;
    this.makeRoom(length + uvarintLength(length));
    const at = writePlain(this.scratch, writeUvarint(this.scratch, this.size, length), place);
    if (at !== NOT_PLAIN) this.size = at;
    return at !== NOT_PLAIN;
  }

  private makeRoom(bytes: number): void {
    if (this.size + bytes <= this.scratch.length) return;
    const grown = Buffer.allocUnsafe(2 * (this.size + bytes));
    this.scratch.copy(grown, 0, 0, this.size);
    this.scratch = grown;
  }
}

/** A reader of a key out of the fields of its own columns, back to back, as they are looked for. */
export function readerOfFields(columns: IndexedColumns, seed: number): ValueReader {
  return new ValueReader(columns, [...columns.keys()], seed);
}

export function positionsOf({ columns }: TableStructure, of: IndexedColumns): number[] {
  return of.map(({ name }) => columns.findIndex((column) => column.name === name));
}

/** Locates as many fields of a row as the positions need. */
export class FieldLocator {
  readonly fields: Int32Array;
  private readonly count: number;

  constructor(
    private readonly codec: RowCodec,
    positions: readonly number[],
  ) {
    this.count = Math.max(0, ...positions) + 1;
    this.fields = new Int32Array(3 * this.count);
  }

  locate(bytes: Buffer, start: number): Int32Array {
    this.codec.locate(bytes, start, this.count, this.fields);
    return this.fields;
  }
}
