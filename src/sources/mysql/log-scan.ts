/** Goes through the events of a binary log and tells the keys of rows that changed. */
import type { KeyBytes } from '../../domain/rows';
import type { LoggedKey, ReadChangeLogOptions, ReferencedValues } from '../../domain/source';
import type { ColumnStructure } from '../../domain/table';
import {
  EVENT,
  hasBit,
  IGNORABLE,
  LogUnusable,
  readQuery,
  readRows,
  readTableMap,
  type LogEvent,
  type QueryBody,
  type RowsBody,
  type TableMapBody,
} from './log-events';
import { kindOf, mayName, reachOf, type StatementReach } from './log-statements';
import { decoderOf, ImageReader, keyTypeRefusal, measureOf, type Decode, type Measure } from './log-values';
import { LoggedReferences } from './log-references';
import type { LogWatch, WatchedTable } from './log-watch';
import { encodeField } from './row-encoding';

const HARMLESS: ReadonlySet<number> = new Set<number>([
  EVENT.STOP,
  EVENT.ROTATE,
  EVENT.INTVAR,
  EVENT.RAND,
  EVENT.USER_VAR,
  EVENT.FORMAT_DESCRIPTION,
  EVENT.XID,
  EVENT.IGNORABLE,
  EVENT.ROWS_QUERY,
  EVENT.GTID,
  EVENT.ANONYMOUS_GTID,
  EVENT.PREVIOUS_GTIDS,
  EVENT.TRANSACTION_CONTEXT,
  EVENT.VIEW_CHANGE,
  EVENT.GTID_TAGGED,
  EVENT.ANNOTATE_ROWS,
  EVENT.BINLOG_CHECKPOINT,
  EVENT.MARIADB_GTID,
  EVENT.MARIADB_GTID_LIST,
  EVENT.START_ENCRYPTION,
]);
/** What a statement of several tables ends with where its last rows were filtered out: of no table. */
const NO_TABLE = 0xffffff;

const XA_SEEN = 'XA transactions are in the log: their rows are logged before they are committed';

export type LogSink = Pick<ReadChangeLogOptions, 'onKeys' | 'onReferences'>;

export class LogScan {
  /** By the number that the log gives them until the next file; null for tables that nobody watches. */
  private tables = new Map<number, LoggedTable | null>();

  constructor(
    private readonly watch: LogWatch,
    private readonly sink: LogSink,
  ) {}

  /** Throws LogUnusable where nothing can be told of any table. */
  async take(event: LogEvent): Promise<void> {
    const { type, flags, body } = event;
    const rows = readRows(event);
    if (rows) return this.takeRows(rows);
    if (type === EVENT.TABLE_MAP) return this.takeTable(readTableMap(body));
    if (type === EVENT.QUERY) return this.takeStatement(readQuery(body));
    if (type === EVENT.XA_PREPARE) throw new LogUnusable(XA_SEEN);
    if (type === EVENT.PARTIAL_UPDATE_ROWS) return this.takePartial(body.readUIntLE(0, 6));
    // Numbers of tables begin anew with a server; a statement's rows never go over into another file.
    if (type === EVENT.FORMAT_DESCRIPTION || type === EVENT.ROTATE) this.tables.clear();
    if (!HARMLESS.has(type) && (flags & IGNORABLE) === 0) throw new LogUnusable(unreadable(type));
  }

  private takeTable(map: TableMapBody): void {
    const watched = this.watch.find(map.schema, map.table);
    this.tables.set(map.id, watched ? this.logged(watched, map) : null);
  }

  private logged(watched: WatchedTable, map: TableMapBody): LoggedTable | null {
    const logged = LoggedTable.of(watched, map, this.watch);
    if (logged instanceof LoggedTable) return logged;
    this.watch.giveUp(watched, logged);
    return null;
  }

  private takePartial(tableId: number): void {
    const table = this.tables.get(tableId);
    if (table)
      this.watch.giveUp(table.watched, 'parts of JSON values are logged (binlog_row_value_options), no whole rows');
  }

  private takeStatement(query: QueryBody): void {
    const reach = reachOf(query.statement);
    if (reach === 'XA') throw new LogUnusable(XA_SEEN);
    if (reach === 'ALL') throw new LogUnusable(`changes are logged as statements: ${this.described(query)}`);
    if (reach !== 'NONE') this.giveUpNamed(query, reach, this.watch.all());
  }

  /**
   * Of what came after the later read, before it was looked what is to be watched: a foreign key that acted may be gone by then. The
   * tables asked for are as that read saw them.
   */
  takeLater({ type, body }: LogEvent): void {
    if (type !== EVENT.QUERY) return;
    const query = readQuery(body);
    const reach = reachOf(query.statement);
    if (reach === 'NONE' || reach === 'XA') return;
    this.giveUpNamed(
      query,
      reach,
      [...this.watch.all()].filter(({ structure }) => structure === undefined),
    );
  }

  private giveUpNamed(query: QueryBody, reach: StatementReach, tables: Iterable<WatchedTable>): void {
    for (const watched of tables) {
      if (!mayName(query, watched.schema, reach === 'SCHEMA' ? undefined : watched.table)) continue;
      this.watch.giveUp(watched, `its definition was changed: ${kindOf(query.statement)} (${watched.table})`);
    }
  }

  /** What an operator needs to know the statement again; never its text, whose values may be a person's. */
  private described(query: QueryBody): string {
    const tables = [...this.watch.all()].filter(({ schema, table }) => mayName(query, schema, table));
    const named = tables.map(({ table }) => table).join(', ');
    return `${kindOf(query.statement)}${named === '' ? '' : ` (it names ${named})`}`;
  }

  private async takeRows(rows: RowsBody): Promise<void> {
    const table = this.tables.get(rows.tableId);
    if (table === null || rows.tableId === NO_TABLE) return;
    if (!table) throw new LogUnusable('rows of a table are logged that the log does not describe');
    const refusal = table.imageRefusal(rows);
    if (refusal !== null) return this.watch.giveUp(table.watched, refusal);
    const { keys, references } = this.readImages(table, rows);
    if (keys.length > 0) await this.sink.onKeys(table.name, keys);
    for (const told of references) await this.sink.onReferences?.(told);
  }

  /** The keys, and what the rows' changes set off. */
  private readImages(table: LoggedTable, rows: RowsBody): { keys: LoggedKey[]; references: ReferencedValues[] } {
    const { watch } = this;
    const { watched } = table;
    const wantsKeys = watch.isUsable(watched);
    const referenced = rows.cascades && rows.change === 'UPDATE' ? watch.referencedColumns(watched) : [];
    if (rows.cascades && rows.change === 'DELETE') watch.rowChanged(watched, { kind: 'DELETE' });
    if (!wantsKeys && referenced.length === 0 && !table.references.areWanted(rows)) return { keys: [], references: [] };
    const told = table.read(rows, { wantsKeys, referenced });
    for (const column of told.changed) watch.rowChanged(watched, { kind: 'UPDATE', columns: [column] });
    return told;
  }
}

function unreadable(type: number): string {
  if (type === EVENT.TRANSACTION_PAYLOAD || (type >= EVENT.FIRST_COMPRESSED && type <= EVENT.LAST_COMPRESSED)) {
    return 'the log holds compressed events, which are not read';
  }
  return `the log holds an event of type ${type}, which is not known`;
}

interface KeyColumn {
  index: number;
  decode: Decode;
}

/** A watched table as the log describes it. */
class LoggedTable {
  readonly references: LoggedReferences;
  private readonly images: ImageReader;

  private constructor(
    readonly watched: WatchedTable,
    private readonly key: readonly KeyColumn[],
    { measures, references }: { measures: readonly Measure[]; references: LoggedReferences },
  ) {
    this.references = references;
    this.images = new ImageReader(measures);
  }

  /** In words, why its rows can't be read, if so. */
  static of(watched: WatchedTable, { columnCount, columns }: TableMapBody, watch: LogWatch): LoggedTable | string {
    if (watched.isVersioned) return 'it is system-versioned: rows that were deleted are logged as changed ones';
    if (columnCount !== watched.columns.length) {
      return `the log has ${columnCount} columns of it, the table ${watched.columns.length}`;
    }
    const measures = (columns ?? []).map(measureOf).filter((measure) => measure !== null);
    if (columns === null || measures.length !== columnCount)
      return 'it has a column of a type that is not read from the log';
    const { structure } = watched;
    const key: KeyColumn[] = [];
    for (const name of structure?.key ?? []) {
      const index = watched.columns.findIndex((column) => column.name === name);
      const column = structure?.columns.find((candidate) => candidate.name === name);
      const wire = columns[index];
      const decode = column && wire ? decoderOf(column, wire) : null;
      if (!decode) return `column ${name} of its key is of another type in the log than in the table`;
      key.push({ index, decode });
    }
    return new LoggedTable(watched, key, { measures, references: LoggedReferences.of(watched, columns, watch) });
  }

  get name(): string {
    return this.watched.structure?.table ?? this.watched.table;
  }

  /** In words, why these images are no whole rows, if so. */
  imageRefusal({ columnCount, present }: RowsBody): string | null {
    const { columns } = this.watched;
    const isWhole = (bitmap: Buffer): boolean => columns.every(({ stored }, i) => !stored || hasBit(bitmap, i));
    if (columnCount === columns.length && present.every(isWhole)) return null;
    return 'the log does not hold whole rows (binlog_row_image)';
  }

  /** Keys of all images; an update whose key stays gives it once. `changed`: those of `referenced` that differ in some row. */
  read(
    rows: RowsBody,
    wanted: { wantsKeys: boolean; referenced: readonly string[] },
  ): { keys: LoggedKey[]; changed: string[]; references: ReferencedValues[] } {
    const present = rows.present.map((bitmap) =>
      this.watched.columns.flatMap((_, i) => (hasBit(bitmap, i) ? [i] : [])),
    );
    const referenced = wanted.referenced.map((name) =>
      this.watched.columns.findIndex((column) => column.name === name),
    );
    const changed = new Set<string>();
    const keys: LoggedKey[] = [];
    const references = this.references.collect(rows);
    for (let at = rows.rowsAt; at < rows.bytes.length;) {
      const images = present.map((columns) => {
        at = this.images.locate(rows.bytes, at, columns);
        return {
          key: wanted.wantsKeys ? this.keyOf(rows.bytes) : null,
          fields: referenced.map((column) => this.rawField(rows.bytes, column)),
          references: references.read((column) => this.rawField(rows.bytes, column)),
        };
      });
      const [first, second] = images;
      references.take(first?.references, second?.references);
      if (first?.key) keys.push({ key: first.key, was: rows.change !== 'INSERT' });
      if (second?.key && !first?.key?.equals(second.key)) keys.push({ key: second.key, was: false });
      wanted.referenced.forEach((name, i) => {
        if (!sameField(first?.fields[i], second?.fields[i])) changed.add(name);
      });
    }
    return { keys, changed: [...changed], references: references.told() };
  }

  private keyOf(bytes: Buffer): KeyBytes {
    return Buffer.concat(this.key.map(({ index, decode }) => encodeField(this.decoded(bytes, index, decode))));
  }

  private decoded(bytes: Buffer, column: number, decode: Decode): Buffer | null {
    const value = this.rawField(bytes, column);
    return value && decode(value);
  }

  private rawField(bytes: Buffer, column: number): Buffer | null {
    const { spans } = this.images;
    const start = spans[2 * column] ?? -1;
    return start < 0 ? null : bytes.subarray(start, spans[2 * column + 1]);
  }
}

function sameField(a: Buffer | null | undefined, b: Buffer | null | undefined): boolean {
  return a && b ? a.equals(b) : a === b;
}

/** In words, why the table's key can't be told from any log; null where it can. */
export function keyRefusal(columns: readonly ColumnStructure[], key: readonly string[]): string | null {
  for (const column of columns) {
    const refusal = key.includes(column.name) ? keyTypeRefusal(column) : null;
    if (refusal !== null) return refusal;
  }
  return null;
}
