/**
 * A source in memory that keeps the source port's promises as far as the engine leans on them: snapshots, ranges, scopes by
 * column and path, drift, all-or-nothing writing. Real databases are the contract suite's business.
 */
import { AppError } from '../../src/domain/errors';
import { businessRoles } from '../../src/domain/ownership';
import type { KeyRange, RowBatch, RowScope } from '../../src/domain/rows';
import type {
  BulkWriter, ChangeLogReport, ChangeWriter, ConsistentRead, KeyedRead, LoggedKey, ReadChangeLogOptions, ReadRowsOptions, Source,
} from '../../src/domain/source'; // prettier-ignore
import { keyColumnIndexes, type TableStructure } from '../../src/domain/table';
import { sqliteCodec } from '../../src/sources/sqlite/row-encoding';
import { batchesOf, decodeRow, encodeField, encodeRow, rowsOf, type Row } from './engine-rows';

/** Rows by the key's text; a table that is not there is missing. */
export type MemoryTables = Map<string, Map<string, Row>>;

export interface MemorySource extends Source {
  /** Of a source that keeps a log: tables that it does not tell, each with the reason, and where keys are given in a wrong order. */
  log?: { unusable: Map<string, string>; doubtful: boolean };
  tables: MemoryTables;
  scratch: Map<string, MemoryTables>;
  /** Reads and writers that were opened and not ended. */
  openHandles(): number;
  /** Called before each batch of rows is given; tests make it throw or abort. */
  beforeBatch: (table: string) => void;
  /** Called once a change writer is open, before it writes. */
  beforeWrite: () => void;
}

const ROWS_PER_BATCH = 50;

export function memorySource(structures: readonly TableStructure[], rangeRows = 400, keepsLog = false): MemorySource {
  let handles = 0;
  let reads = 0;
  const structureOf = (name: string): TableStructure =>
    structures.find(({ table }) => table === name) as TableStructure;
  const keyOf = (table: TableStructure, row: Row): string =>
    JSON.stringify(keyColumnIndexes(table).map((i) => (typeof row[i] === 'number' ? sortable(row[i]) : row[i])));

  const handle = (): (() => void) => {
    handles++;
    let ended = false;
    return () => {
      if (!ended) handles--;
      ended = true;
    };
  };

  const sorted = (tables: MemoryTables, table: TableStructure): Row[] =>
    [...(tables.get(table.table) ?? new Map<string, Row>())].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);

  const inRange = (table: TableStructure, range: KeyRange, row: Row): boolean => {
    const keyText = (key: Buffer): string => keyOfBytes(table, key);
    const key = keyOf(table, row);
    return (range.from === null || key >= keyText(range.from)) && (range.to === null || key < keyText(range.to));
  };

  const read = (tables: MemoryTables, end: () => void, wanted?: readonly string[]): ConsistentRead => ({
    consistency: 'SQLITE_SNAPSHOT',
    lanes: 3,
    readAt: new Date(Date.UTC(2026, 0, 1) + 1000 * reads++),
    ...(source.log ? { position: positionNow(tables), byKey: byKey(tables) } : { position: null }),
    tables: structures.filter(({ table }) => wanted?.includes(table) ?? true),
    planRanges: async (table) => {
      const rows = sorted(tables, table);
      const bounds = rows.filter((_, i) => i > 0 && i % rangeRows === 0).map((row) => keyBytes(table, row));
      const froms = [null, ...bounds];
      return froms.map((from, i) => ({ from, to: froms[i + 1] ?? null }));
    },
    readRows: (table, options) => readRows(tables, table, options),
    close: async () => end(),
  });

  /** A log that is the states it was asked for; a position is the number of one. */
  const states: MemoryTables[] = [];
  const positionNow = (tables: MemoryTables) => ({ file: 'log', offset: String(states.push(copyOf(tables)) - 1), serverId: '1' }); // prettier-ignore

  const readLog = async ({ from, to, tables, onKeys }: ReadChangeLogOptions): Promise<ChangeLogReport> => {
    for (const table of tables) {
      const [before, after] = [from, to].map(
        ({ offset }) => (states[Number(offset)] as MemoryTables).get(table.table) ?? new Map<string, Row>(),
      ) as [Map<string, Row>, Map<string, Row>];
      const changed = [...before, ...after].filter(([key]) => before.get(key) !== after.get(key));
      const logged: LoggedKey[] = changed.map(([key, row]) => ({ key: keyBytes(table, row), was: before.has(key) }));
      // What came after a key's first time says nothing of the earlier state, and rows that only passed are told too.
      const passing = keyBytes(table, ['passing', ...table.columns.map(() => null)]);
      await onKeys(table.table, [
        ...logged,
        ...logged.map(({ key }) => ({ key, was: true })),
        { key: passing, was: false },
      ]);
    }
    return { unusable: source.log?.unusable ?? new Map(), cascades: [], events: 1, bytes: 1 };
  };

  const byKey = (tables: MemoryTables): KeyedRead => ({
    placeKeys: async (table, { keys, bounds }) => {
      if (source.log?.doubtful) return null;
      const text = (key: Buffer): string => keyOfBytes(table, key);
      return Uint32Array.from(keys, (key) => bounds.filter((bound) => text(bound) <= text(key)).length);
    },
    async *readKeys(table, { keys, ...options }) {
      const wanted = new Set(keys.map((key) => keyOfBytes(table, key)));
      for await (const { bytes, ends } of readRows(tables, table, options)) {
        const rows = rowsOf({ bytes, ends }).filter((row) =>
          wanted.has(keyOf(table, decodeRow(row, table.columns.length))),
        );
        yield* batchesOf(rows, ROWS_PER_BATCH);
      }
    },
  });

  const keyOfBytes = (table: TableStructure, key: Buffer): string => {
    const values = decodeRow(key, table.key.length);
    return JSON.stringify(values.map((value) => (typeof value === 'number' ? sortable(value) : value)));
  };

  async function* readRows(
    tables: MemoryTables,
    table: TableStructure,
    options: ReadRowsOptions,
  ): AsyncGenerator<RowBatch> {
    const { range = { from: null, to: null }, scope = { kind: 'ALL' } } = options;
    const by = { ...table, key: [...(options.keyedBy ?? table.key)] };
    const wanted = options.keys && new Set(options.keys.map((key) => keyOfBytes(by, key)));
    const rows = sorted(tables, table).filter(
      (row) =>
        inRange(table, range, row) && inScope(tables, table, row, scope) && (wanted?.has(keyOf(by, row)) ?? true),
    );
    for await (const batch of batchesOf(rows.map(encodeRow), ROWS_PER_BATCH)) {
      source.beforeBatch(table.table);
      if (options.signal?.aborted) throw new AppError('CANCELLED', 'The read was cancelled.');
      await Promise.resolve();
      yield batch;
    }
  }

  const inScope = (tables: MemoryTables, table: TableStructure, row: Row, scope: RowScope): boolean => {
    if (scope.kind === 'ALL') return true;
    const business = table.mapping.business;
    if (business === undefined)
      return businessRoles(structures).get(table.table) === 'PARENT' && isReferenced(tables, table, row, scope);
    const value = row[columnIndex(table, business.column)];
    if (business.kind === 'COLUMN') return String(value) === scope.businessId;
    const owner = structureOf(business.referencedTable);
    return sorted(tables, owner).some(
      (other) => other[columnIndex(owner, business.referencedColumn)] === value && inScope(tables, owner, other, scope),
    );
  };

  const isReferenced = (tables: MemoryTables, parent: TableStructure, row: Row, scope: RowScope): boolean =>
    structures.some((child) =>
      child.foreignKeys.some(
        (key) =>
          key.referencedTable === parent.table &&
          sorted(tables, child).some(
            (other) =>
              inScope(tables, child, other, scope) &&
              key.columns.every(
                (name, i) =>
                  other[columnIndex(child, name)] === row[columnIndex(parent, key.referencedColumns[i] as string)],
              ),
          ),
      ),
    );

  const rowsIn = (table: TableStructure, batch: RowBatch): Row[] =>
    rowsOf(batch).map((row) => decodeRow(row, table.columns.length));

  const bulkWriter = (tables: readonly TableStructure[], target: MemoryTables, publish: () => void): BulkWriter => {
    const end = handle();
    return {
      lanes: 2,
      load: async (table, batches) => {
        let loaded = 0;
        for await (const batch of batches) {
          for (const row of rowsIn(table, batch)) target.get(table.table)?.set(keyOf(table, row), row);
          loaded += batch.ends.length;
        }
        return loaded;
      },
      finishLoading: async () => undefined,
      finishTables: async () => undefined,
      openReadBack: async () => read(target, handle()),
      publish: async () => {
        publish();
        end();
      },
      abort: async () => end(),
    };
  };

  const changeWriter = (missing: readonly string[]): ChangeWriter => {
    const end = handle();
    const target = copyOf(source.tables);
    for (const table of missing) target.set(table, new Map());
    const drifted = (): AppError => new AppError('PLAN_DRIFTED', 'A row is not as listed.');
    const take = (table: TableStructure, row: Row): void => {
      const rows = target.get(table.table) as Map<string, Row>;
      const live = rows.get(keyOf(table, row));
      if (live === undefined || !encodeRow(live).equals(encodeRow(row))) throw drifted();
      rows.delete(keyOf(table, row));
    };
    const put = (table: TableStructure, row: Row): void => {
      const rows = target.get(table.table) as Map<string, Row>;
      if (rows.has(keyOf(table, row))) throw drifted();
      for (const { columns } of table.indexes.filter(({ unique }) => unique)) {
        const at = columns.map((name) => columnIndex(table, name));
        const taken = [...rows.values()].some((other) => at.every((i) => other[i] === row[i] && row[i] !== null));
        if (taken) throw new AppError('CONFLICT', `Duplicate in ${table.table} (${columns.join()}).`);
      }
      rows.set(keyOf(table, row), row);
    };
    source.beforeWrite();
    return {
      deleteRows: async (table, oldRows) => rowsIn(table, oldRows).forEach((row) => take(table, row)),
      updateRows: async (table, oldRows, newRows) => {
        const news = rowsIn(table, newRows);
        rowsIn(table, oldRows).forEach((row, i) => {
          take(table, row);
          put(table, news[i] as Row);
        });
      },
      insertRows: async (table, rows) => rowsIn(table, rows).forEach((row) => put(table, row)),
      readRows: (table, options) => readRows(target, table, options),
      countRows: async ({ table }) => target.get(table)?.size ?? 0,
      checkReferences: async () => undefined,
      commit: async () => {
        source.tables = target;
        end();
      },
      rollback: async () => end(),
    };
  };

  const source: MemorySource = {
    name: 'default',
    mapping: structures.map(({ mapping }) => mapping),
    codec: sqliteCodec,
    invariants: [],
    tables: new Map(structures.map(({ table }) => [table, new Map()])),
    scratch: new Map(),
    openHandles: () => handles,
    beforeBatch: () => undefined,
    beforeWrite: () => undefined,
    info: async () => ({ kind: 'sqlite', version: '3', schema: 'main' }),
    checkMapping: async () => [],
    diagnose: async () => [],
    estimateRows: async () => new Map([...source.tables].map(([table, rows]) => [table, rows.size])),
    openConsistentRead: async ({ dataTypes, tables }) => {
      const wanted = structures.filter(
        ({ table, mapping }) => tables?.includes(table) ?? dataTypes.includes(mapping.dataType),
      );
      const missing = wanted.find(({ table }) => !source.tables.has(table));
      if (missing !== undefined) throw new AppError('SCHEMA_MISMATCH', `There is no table ${missing.table}.`);
      return read(
        copyOf(source.tables),
        handle(),
        wanted.map(({ table }) => table),
      );
    },
    tableStates: async (names) =>
      new Map(
        names.map((name) => {
          const rows = source.tables.get(name);
          return [name, rows === undefined ? 'MISSING' : rows.size === 0 ? 'EMPTY' : 'FILLED'];
        }),
      ),
    openBulkWriter: async ({ tables, scratchSchema }) => {
      const target: MemoryTables = new Map(tables.map(({ table }) => [table, new Map()]));
      return bulkWriter(tables, target, () => {
        if (scratchSchema !== undefined) source.scratch.set(scratchSchema, target);
        else for (const [name, rows] of target) source.tables.set(name, rows);
      });
    },
    openChangeWriter: async ({ missing = [] }) => changeWriter(missing),
    ...(keepsLog ? { readChangeLog: readLog, log: { unusable: new Map(), doubtful: false } } : {}),
    recoverWrite: async () => 'ABSENT',
    referringTables: async () => new Map(),
    dropEmptyTables: async (names) => {
      for (const name of names) if (source.tables.get(name)?.size === 0) source.tables.delete(name);
      return new Map();
    },
    dropScratch: async (schema) => void source.scratch.delete(schema),
    scratchesNamed: async (prefix) => [...source.scratch.keys()].filter((schema) => schema.startsWith(prefix)),
    discardScratch: async (schema) => void source.scratch.delete(schema),
    checkInvariants: async () => [],
    close: async () => undefined,
  };
  return source;
}

export function fill(source: MemorySource, structure: TableStructure, rows: readonly Row[]): void {
  const key = (row: Row): string =>
    JSON.stringify(keyColumnIndexes(structure).map((i) => (typeof row[i] === 'number' ? sortable(row[i]) : row[i])));
  source.tables.set(structure.table, new Map(rows.map((row) => [key(row), row])));
}

function copyOf(tables: MemoryTables): MemoryTables {
  return new Map([...tables].map(([name, rows]) => [name, new Map(rows)]));
}

function columnIndex(table: TableStructure, name: string): number {
  return table.columns.findIndex((column) => column.name === name);
}

function keyBytes(table: TableStructure, row: Row): Buffer {
  return Buffer.concat(keyColumnIndexes(table).map((i) => encodeField(row[i] ?? null)));
}

function sortable(value: number): string {
  return String(value + 1e12).padStart(16, '0');
}
