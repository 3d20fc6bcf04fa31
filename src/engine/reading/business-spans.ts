/**
 * Says in which spans of a table rows with the values sought may stand: by the value indexes of its layers, or, where these can't tell,
 * in all of them, and why.
 */
import type { BackupStore } from '../../domain/backup-store';
import type { TableManifest } from '../../domain/manifest';
import type { RowBatch, RowCodec } from '../../domain/rows';
import type { TableStructure } from '../../domain/table';
import { batchOfOne } from '../rows/row-chunk';
import { columnsOf, OTHER_NUMBER, type IndexedColumns } from '../rows/value-reader';
import { chunkSpans, type ChunkSpan } from './backup-rows';
import { indexRoots, listedSpans, plainValues } from './listed-spans';

/** Rows whose columns hold a text exactly, or one of the values of columns elsewhere, as a reference does. */
export type Sought =
  | { columns: readonly string[]; text: string }
  | { columns: readonly string[]; values: RowBatch; of: { structure: TableStructure; columns: readonly string[] } };

export class BusinessSpans {
  /** Tables that must be read whole, each with the reason, for an operator. */
  readonly readWhole = new Map<string, string>();

  constructor(private readonly reading: { store: BackupStore; codec: RowCodec }) {}

  /** In the order of their keys, each once. */
  async spansOf(
    table: TableManifest,
    sought: readonly Sought[],
  ): Promise<Iterable<ChunkSpan> | AsyncIterable<ChunkSpan>> {
    const found = new Map<number, ChunkSpan>();
    for (const one of sought) {
      const spans = await this.listed(table, one);
      if (typeof spans === 'string') return this.all(table, spans);
      for (const span of spans) found.set(span.index, span);
    }
    return [...found.values()].sort((a, b) => a.index - b.index);
  }

  private all(table: TableManifest, why: string): AsyncIterable<ChunkSpan> {
    this.readWhole.set(table.table, why);
    return chunkSpans(this.reading.store, table);
  }

  /** In words why not, where they can't be told. */
  private async listed(table: TableManifest, sought: Sought): Promise<ChunkSpan[] | string> {
    if ('of' in sought && sought.values.ends.length === 0) return [];
    const columns = columnsOf(table.structure, sought.columns);
    if (columns === null) return `only the source can tell which values of its ${sought.columns.join(', ')} are equal`;
    const roots = indexRoots(table.layers, columns);
    if (roots === null) return `the backup has no index of it by ${sought.columns.join(', ')}`;
    const numbers = this.numbersOf(columns, sought);
    if (numbers === null) return 'only the source can tell what is equal to one of the values';
    const listed = await listedSpans(table, { store: this.reading.store, roots, numbers });
    return listed.kind === 'LISTED'
      ? listed.spans
      : `its index is damaged${'message' in listed ? `: ${listed.message}` : ''}`;
  }

  private numbersOf(columns: IndexedColumns, sought: Sought): Uint32Array | null {
    if ('of' in sought) return this.numbersOfValues(columns, sought);
    const plain = plainValues(columns, batchOfOne(this.reading.codec.encodeText(sought.text)), this.reading);
    // Rows with exactly this text have a plain value where it has one, but for numbers that are no integers, and none where it has none.
    if (plain === null) return Uint32Array.of(OTHER_NUMBER);
    const { numbers } = plain;
    const isKnown = numbers.length > 1 && columns.every(({ form }) => form !== 'DYNAMIC');
    return isKnown ? numbers.filter((number) => number !== OTHER_NUMBER) : numbers;
  }

  private numbersOfValues(
    columns: IndexedColumns,
    { values, of }: Extract<Sought, { of: unknown }>,
  ): Uint32Array | null {
    const theirs = columnsOf(of.structure, of.columns);
    if (!theirs?.every(({ form }, i) => form === columns[i]?.form)) return null;
    return plainValues(columns, values, this.reading)?.numbers ?? null;
  }
}
