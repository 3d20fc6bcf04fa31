/**
 * The tables of a backup and those of the live source, at one moment of it, for a comparison: key range by key range both sides' rows are
 * joined, or all at once where keys sort another way since. Reads only.
 */
import type { BackupStore } from '../../domain/backup-store';
import { AppError } from '../../domain/errors';
import type { Manifest, TableManifest } from '../../domain/manifest';
import type { TableMapping } from '../../domain/mapping';
import { ALL_ROWS, type KeyRange, type RowBatch, type RowCodec, type RowScope } from '../../domain/rows';
import type { ConsistentRead, Source } from '../../domain/source';
import type { LayerLoad } from '../../domain/change-set';
import type { DataType } from '../../domain/data-type';
import type { TableStructure } from '../../domain/table';
import type { DiffCounts } from '../../domain/task';
import { runLanes, throwIfAborted } from '../lanes';
import type { TaskContext } from '../ports';
import { collectBusinessRows } from '../reading/business-rows';
import { comparedColumns, matchingOf } from '../reading/compared-columns';
import { counting, diffTables, tellAll } from '../reading/diff-tables';
import { ownersOf } from '../reading/owned-by';
import { BackupRows, type Stretch } from '../reading/rows-in-scope';
import { joinStates, type DiffSink, type RowMatching, type Side } from '../rows/join-states';
import { FieldReader, RowFilter } from '../rows/row-filter';
import { SpilledJoin } from '../rows/spilled-join';
import type { ComparedScope } from './compared-scope';
import { isOwned, loadOf, unownedNote, type ComparedTables, type TableComparison } from './table-comparison';

interface Reading {
  store: BackupStore;
  context: TaskContext;
}

/** Throws SCHEMA_MISMATCH where the mapping and the source disagree, INTEGRITY_FAILURE where whose the backup's rows are can't be told. */
export async function liveTables(base: Manifest, scope: ComparedScope, reading: Reading): Promise<ComparedTables> {
  const { context } = reading;
  const source = await context.deps.source(base.source.name);
  const held = base.tables.filter(({ dataType }) => scope.dataTypes.includes(dataType));
  const mapped = source.mapping.filter((entry) => isMeant(entry, { held, scope }));
  const states = await source.tableStates([...new Set([...held, ...mapped].map(({ table }) => table))]);
  const isThere = ({ table }: { table: string }): boolean => (states.get(table) ?? 'MISSING') !== 'MISSING';
  const read = await openRead(source, mapped.filter(isThere), context);
  try {
    const missing = new Set(held.filter((table) => !isThere(table)).map(({ table }) => table));
    const comparing = { read, codec: source.codec, ...scope, ...reading };
    const { tables, notes } = await comparedTables(base, { held, missing, comparing });
    return { readAt: read.readAt.toISOString(), tables, notes, close: () => read.close() };
  } catch (error) {
    await read.close();
    throw error;
  }
}

/** New tables are compared too; one that is mapped to another data type by now is the same table. */
function isMeant(
  { dataType, table }: TableMapping,
  { held, scope }: { held: readonly TableManifest[]; scope: ComparedScope },
): boolean {
  return scope.dataTypes.includes(dataType) || held.some(({ table: name }) => name === table);
}

type LiveRead = Pick<ConsistentRead, 'lanes' | 'readAt' | 'tables' | 'readRows' | 'close'>;

function openRead(
  source: Source,
  existing: readonly TableMapping[],
  { deps, signal }: TaskContext,
): LiveRead | Promise<LiveRead> {
  if (existing.length === 0) return { ...NOTHING_LIVE, readAt: deps.clock.now() };
  return source.openConsistentRead({
    dataTypes: [...new Set(existing.map(({ dataType }) => dataType))],
    tables: existing.map(({ table }) => table),
    ...deps.limits(source.name),
    signal,
  });
}

const NOTHING_LIVE = { lanes: 1, tables: [], readRows: noRows, close: async () => undefined };

async function* noRows(): AsyncGenerator<RowBatch> {}

type LiveComparing = Reading & ComparedScope & { read: LiveRead; codec: RowCodec };

async function comparedTables(
  base: Manifest,
  of: { held: readonly TableManifest[]; missing: ReadonlySet<string>; comparing: LiveComparing },
): Promise<{ tables: TableComparison[]; notes: string[] }> {
  const { held, missing, comparing } = of;
  const live = new Map(comparing.read.tables.map((structure) => [structure.table, structure]));
  const isMapped = ({ table }: TableManifest): boolean => missing.has(table) || live.has(table);
  const names = new Set([...held.filter(isMapped).map(({ table }) => table), ...live.keys()]);
  const pairs = [...names].map((name) => ({
    before: held.find(({ table }) => table === name) ?? null,
    after: live.get(name) ?? null,
  }));
  const isOne = comparing.businessId !== null;
  const meant = isOne ? pairs.filter((pair) => isOwned(structuresOf(pair))) : pairs;
  const noteOf = (pair: Pair): string | null => (isOne ? unownedNote(nameOf(pair), structuresOf(pair)) : null);
  const compared = meant.filter((pair) => noteOf(pair) === null);
  const rows = await rowsOf(base, compared, comparing);
  const tables = compared.map((pair) => new LiveTable(base, pair, { ...comparing, rows }));
  const notes = held.filter((table) => !isMapped(table)).map(unmappedNote);
  return { tables, notes: [...notes, ...meant.flatMap((pair) => noteOf(pair) ?? [])] };
}

type Structures = Record<Side, TableStructure | null>;

interface Pair {
  before: TableManifest | null;
  after: TableStructure | null;
}

function structuresOf({ before, after }: Pair): Structures {
  return { before: before?.structure ?? null, after };
}

function nameOf({ before, after }: Pair): string {
  return (after ?? (before as TableManifest)).table;
}

function unmappedNote({ table }: TableManifest): string {
  return `Table ${table} is not mapped any more, so what is live of it is not compared.`;
}

/** Of the backup's tables; of one business the ranges that hold rows of it. */
async function rowsOf(base: Manifest, pairs: readonly Pair[], comparing: LiveComparing): Promise<BackupRows> {
  const { store, codec, businessId, context } = comparing;
  if (businessId === null) return new BackupRows({ store, codec }, new Set(), new Map());
  const owners = new Set(pairs.flatMap(({ before }) => (before === null ? [] : ownersOf(before, base))));
  const scoped = [...owners].map((manifest) => ({ manifest, role: 'WHOLE' as const }));
  const found = await collectBusinessRows(scoped, businessId, { store, codec, signal: context.signal });
  if (found.proof.losses.length > 0) throw damaged(found.proof.losses.slice(0, 3).join(' '));
  return new BackupRows({ store, codec }, new Set(), found.tables);
}

/** Of a live table, and how they are told to be those of the backup. */
interface LiveRows {
  structure: TableStructure;
  matching: RowMatching;
}

class LiveTable implements TableComparison {
  readonly load: LayerLoad | null;

  constructor(
    private readonly base: Manifest,
    private readonly pair: Pair,
    private readonly comparing: LiveComparing & { rows: BackupRows },
  ) {
    const { before, after } = pair;
    const comesWhole = after === null && before !== null && comparing.businessId === null;
    this.load = comesWhole ? loadOf('OUT', before) : null;
  }

  get structures(): Structures {
    return structuresOf(this.pair);
  }

  get dataType(): DataType {
    return (this.pair.after?.mapping ?? (this.pair.before as TableManifest)).dataType;
  }

  get table(): string {
    return nameOf(this.pair);
  }

  get codec(): RowCodec {
    return this.comparing.codec;
  }

  get rowCount(): number {
    return this.pair.before?.rowCount ?? 0;
  }

  async tell(sink: DiffSink): Promise<DiffCounts> {
    const { before, after } = this.pair;
    const { codec } = this.comparing;
    const matching = before && after && matchingOf({ before: before.structure, after }, codec);
    if (before && after && matching) return this.join(before, { structure: after, matching }, sink);
    const counts = { removed: 0, added: 0, changed: 0 };
    const counted = counting(sink, counts);
    if (before)
      await diffTables({ before: { table: before, manifest: this.base }, after: null }, this.comparing, counted);
    if (after) for await (const rows of this.liveRows(after)) await tellAll('after', rows, counted);
    return { ...counts, unchanged: 0 };
  }

  private async join(before: TableManifest, live: LiveRows, sink: DiffSink): Promise<DiffCounts> {
    const counts = { removed: 0, added: 0, changed: 0 };
    const counted = counting(sink, counts);
    const { keepsKeyOrder } = comparedColumns({ before: before.structure, after: live.structure }, this.codec);
    const unchanged = await (keepsKeyOrder ? this.joinRanges(before, live, counted) : this.joinAll(before, live, counted)); // prettier-ignore
    const { removed, changed } = counts;
    const isComplete = this.comparing.businessId !== null || removed + changed + unchanged === before.rowCount;
    if (!isComplete) throw damaged(`Table ${before.table} does not hold as many rows as its manifest counts.`);
    return { ...counts, unchanged };
  }

  /** Gives how many are the same. */
  private async joinRanges(before: TableManifest, { structure, matching }: LiveRows, sink: DiffSink): Promise<number> {
    const { rows, read, context } = this.comparing;
    let unchanged = 0;
    await runLanes({ lanes: read.lanes, signal: context.signal }, rows.stretches(before), async (stretch, signal) => {
      const held = { side: 'before', rows: await rows.readStretch(before, stretch) } as const;
      const passing = this.liveRows(structure, { range: stretch.range, signal });
      const equal = await joinStates({ matching, held, passing }, sink);
      unchanged += equal; // after the await: several lanes count
      this.advance(before, stretch);
    });
    return unchanged;
  }

  /** Keys sort another way by now, so a range of them means other rows: both sides wait on disk. */
  private async joinAll(before: TableManifest, { structure, matching }: LiveRows, sink: DiffSink): Promise<number> {
    const { rows, context } = this.comparing;
    const { signal, deps } = context;
    const { tempDir, random } = deps;
    const waiting = new SpilledJoin({ matching, tempDir, random, signal, expectedBytes: before.rawBytes });
    try {
      for await (const stretch of rows.stretches(before)) {
        throwIfAborted(signal);
        await waiting.addBatch('before', await rows.readStretch(before, stretch));
        this.advance(before, stretch);
      }
      for await (const batch of this.liveRows(structure)) await waiting.addBatch('after', batch);
      return await waiting.join(sink);
    } finally {
      await waiting.close();
    }
  }

  private advance({ table }: TableManifest, { rowCount: rows, rawBytes: bytes }: Stretch): void {
    this.comparing.context.progress.advance({ rows, bytes, table });
  }

  /** Of one business without those that a collation alone counts to it: they are another business's. */
  private async *liveRows(
    structure: TableStructure,
    options: { range?: KeyRange; signal: AbortSignal } = { signal: this.comparing.context.signal },
  ): AsyncGenerator<RowBatch> {
    const { read, businessId } = this.comparing;
    const scope: RowScope = businessId === null ? ALL_ROWS : { kind: 'BUSINESS', businessId };
    const rows = read.readRows(structure, { ...options, scope });
    const filter = this.filterOf(structure);
    for await (const batch of rows) yield filter === null ? batch : filter.apply(batch);
  }

  private filterOf(structure: TableStructure): RowFilter | null {
    const { codec, businessId } = this.comparing;
    const { business } = structure.mapping;
    if (businessId === null || business?.kind !== 'COLUMN') return null;
    const fields = new FieldReader(codec, structure);
    const column = structure.columns.findIndex(({ name }) => name === business.column);
    return new RowFilter((bytes, start) => {
      fields.locate(bytes, start);
      return fields.text(column) === businessId;
    });
  }
}

function damaged(what: string): AppError {
  return new AppError('INTEGRITY_FAILURE', `The backup is damaged. ${what}`, {
    hint: 'Verify the backup to learn what is damaged, or compare another one.',
  });
}
