/** Reads, out of logged row images of a table, the values that rows of other tables may refer to. */
import type { KeyBytes } from '../../domain/rows';
import type { ReferencedValues } from '../../domain/source';
import { isAction } from '../../domain/table';
import type { RowsBody, WireColumn } from './log-events';
import { decoderOf, type Decode } from './log-values';
import type { LinkToTell, LogWatch, WatchedTable } from './log-watch';
import { encodeField } from './row-encoding';

interface ReadableLink extends LinkToTell {
  columns: { index: number; decode: Decode }[];
}

type Field = (column: number) => Buffer | null;
/** One for each link; null where the row has a NULL, to which nothing refers. */
type ReferenceImage = readonly (KeyBytes | null)[];

export class LoggedReferences {
  private constructor(private readonly links: readonly ReadableLink[]) {}

  /** Links whose values are not of a form that is read are given back to the watch. */
  static of(watched: WatchedTable, wire: readonly WireColumn[], watch: LogWatch): LoggedReferences {
    const links = watch.linksToTell(watched).flatMap((toTell) => {
      const columns = readableColumns(watched, wire, toTell);
      if (columns === null) watch.cannotRead(toTell.link);
      return columns === null ? [] : [{ ...toTell, columns }];
    });
    return new LoggedReferences(links);
  }

  areWanted(rows: RowsBody): boolean {
    return this.links.some((link) => isWanted(link, rows));
  }

  collect(rows: RowsBody): CollectedReferences {
    return new CollectedReferences(
      this.links.filter((link) => isWanted(link, rows)),
      rows,
    );
  }
}

/** Null where one is not. */
function readableColumns(
  { columns }: WatchedTable,
  wire: readonly WireColumn[],
  { link: { key }, child }: LinkToTell,
): ReadableLink['columns'] | null {
  const readable = key.columns.flatMap((name, i) => {
    const index = columns.findIndex((column) => column.name === key.referencedColumns[i]);
    const column = child.columns.find((candidate) => candidate.name === name);
    const logged = wire[index];
    const decode = column && logged && columns[index]?.stored ? decoderOf(column, logged) : null;
    return decode ? [{ index, decode }] : [];
  });
  return readable.length === key.columns.length ? readable : null;
}

/** Sessions without foreign key checks set nothing off, but their rows may be deleted by others later. */
function isWanted({ link: { key }, isMet }: ReadableLink, { change, cascades }: RowsBody): boolean {
  if (isMet) return true;
  if (!cascades || change === 'INSERT') return false;
  return isAction(change === 'DELETE' ? key.onDelete : key.onUpdate);
}

export class CollectedReferences {
  private readonly values: { gone: KeyBytes[]; changed: KeyBytes[]; met: KeyBytes[] }[];

  constructor(
    private readonly links: readonly ReadableLink[],
    private readonly rows: RowsBody,
  ) {
    this.values = links.map(() => ({ gone: [], changed: [], met: [] }));
  }

  /** Copies what it needs of the image that is located. */
  read(field: Field): ReferenceImage {
    return this.links.map(({ columns }) => {
      const fields = columns.map(({ index, decode }) => {
        const value = field(index);
        return value && encodeField(decode(value));
      });
      return fields.every((value) => value !== null) ? Buffer.concat(fields) : null;
    });
  }

  /** The images of one row: of an update the old and the new one. */
  take(first: ReferenceImage | undefined, second: ReferenceImage | undefined): void {
    const { change, cascades } = this.rows;
    this.links.forEach(({ link: { key }, isMet }, i) => {
      const [old, now] = [first?.[i] ?? null, second?.[i] ?? null];
      const { gone, changed, met } = this.values[i] as { gone: KeyBytes[]; changed: KeyBytes[]; met: KeyBytes[] };
      const isChanged = change === 'UPDATE' && old !== null && now?.equals(old) !== true;
      if (change === 'DELETE' && cascades && isAction(key.onDelete) && old) gone.push(old);
      if (isChanged && cascades && isAction(key.onUpdate)) changed.push(old);
      if (isMet) for (const value of [old, now]) if (value) met.push(value);
    });
  }

  told(): ReferencedValues[] {
    return this.links.flatMap(({ link: { key }, child }, i) => {
      const { gone, changed, met } = this.values[i] as { gone: KeyBytes[]; changed: KeyBytes[]; met: KeyBytes[] };
      const all: ReferencedValues[] = [
        { seen: 'GONE', child: child.table, key, values: gone },
        { seen: 'CHANGED', child: child.table, key, values: changed },
        { seen: 'MET', child: child.table, key, values: met },
      ];
      return all.filter(({ values }) => values.length > 0);
    });
  }
}
