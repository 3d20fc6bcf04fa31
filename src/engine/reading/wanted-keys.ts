/** Many keys of one table, looked for together: in ranges that can have them, and there by their bytes before any is compared by its value. */
import type { KeyBytes, KeyRange, RowBatch, RowCodec, SortKey } from '../../domain/rows';
import { rowStart } from '../../domain/rows';
import { keyColumnIndexes, type TableStructure } from '../../domain/table';
import { KeyReader } from '../rows/key-bytes';
import type { KeyProbe } from './key-probe';

/** Given a row's own bytes, good until it returns. */
export type OnRow = (row: Buffer) => void;
export type OnMet = (row: Buffer, probe: KeyProbe) => void;

/** Places of keys as `sortKey` tells them; null for one that only the source knows. */
export class KeyPlaces {
  constructor(
    private readonly sortKey: SortKey | null,
    private readonly places: Iterable<Buffer | null>,
  ) {}

  /** True too where that can't be told. */
  mayBeWithin({ from, to }: KeyRange): boolean {
    const [low, high] = [this.placeOf(from), this.placeOf(to)];
    for (const place of this.places) {
      if (place === null) return true;
      if ((low === null || place.compare(low) >= 0) && (high === null || place.compare(high) < 0)) return true;
    }
    return false;
  }

  private placeOf(bound: KeyBytes | null): Buffer | null {
    return bound && (this.sortKey?.(bound) ?? null);
  }
}

export class WantedKeys {
  /** Not met yet. */
  private readonly open: Set<KeyProbe>;
  private readonly byBytes = new Map<string, KeyProbe>();
  private readonly reader: KeyReader;
  private readonly sortKey: SortKey | null;

  constructor(codec: RowCodec, structure: TableStructure, probes: Iterable<KeyProbe>) {
    this.open = new Set(probes);
    for (const probe of this.open) this.noteBytes(probe);
    this.reader = new KeyReader(codec, keyColumnIndexes(structure));
    this.sortKey = codec.sortKey?.(structure) ?? null;
  }

  /** The same key twice is one. */
  private noteBytes(probe: KeyProbe): void {
    const text = probe.bytes?.toString('latin1');
    if (text === undefined) return;
    if (this.byBytes.has(text)) this.open.delete(probe);
    else this.byBytes.set(text, probe);
  }

  /** Those that no row had. */
  get unmet(): ReadonlySet<KeyProbe> {
    return this.open;
  }

  mayBeWithin(range: KeyRange): boolean {
    const places = Array.from(this.open, ({ place }) => place);
    return new KeyPlaces(this.sortKey, places).mayBeWithin(range);
  }

  /** Gives the rows that have one of the keys. Only keys whose bytes can't be told are compared by value, unless all shall be. */
  meet(rows: RowBatch, onMet: OnMet, { allByValue = false } = {}): void {
    for (let row = 0; row < rows.ends.length; row++) {
      const start = rowStart(rows, row);
      this.reader.read(rows.bytes, start);
      const probe = this.byBytes.get(keyText(this.reader));
      if (probe !== undefined && this.open.delete(probe)) onMet(rows.bytes.subarray(start, rows.ends[row]), probe);
    }
    for (const probe of [...this.open]) {
      const found = probe.bytes === null || allByValue ? probe.findRow(rows) : null;
      if (found === null) continue;
      this.open.delete(probe);
      onMet(found, probe);
    }
  }
}

/** Of the key that was read last, to look up in maps and sets. */
export function keyText({ bytes, start, end }: KeyReader): string {
  return bytes.toString('latin1', start, end);
}
