/**
 * Change detection by BINLOG, of rows that the source changes without logging it: the children, in the parent backup, of rows that were
 * deleted or got other values, and, where they were deleted with these, their own children. They are found by the indexes by foreign key
 * that stand beside the parent's layers; where that can't be, the table and what follows it is given up with the reason.
 */
import type { BackupStore } from '../../domain/backup-store';
import type { RowBatch, RowCodec } from '../../domain/rows';
import type { Cascade, ReferencedValues } from '../../domain/source';
import { isAction, keyColumnIndexes, type ForeignKey, type TableStructure } from '../../domain/table';
import { childrenOf, type FoundChildren } from '../reading/backup-children';
import { isDamage } from '../reading/prove-chunks';
import { KeyReader } from '../rows/key-bytes';
import { RowCollector } from '../rows/row-chunk';
import type { ChangedTable } from './range-changes';

/** Values of one foreign key that are looked for; beyond, its table is compared. */
const MAX_VALUES = 200_000;

/** Where what is found goes. */
export interface FollowSink {
  /** Rows of the parent backup that may have changed, by their keys as latin1 text. */
  addFound(table: string, rows: ReadonlyMap<string, Buffer>): void;
  giveUp(table: string, reason: string): void;
}

export interface Following {
  tables: readonly ChangedTable[];
  cascades: readonly Cascade[];
  store: BackupStore;
  codec: RowCodec;
  sink: FollowSink;
}

/** Values told, as latin1 text, of one foreign key, each kind by itself: however many of one there are, no other is forgotten. */
class ToldValues {
  readonly gone = new Set<string>();
  readonly changed = new Set<string>();
  readonly met = new Set<string>();

  constructor(
    readonly child: string,
    readonly key: ForeignKey,
  ) {}
}

export class ToldReferences {
  private readonly told = new Map<string, ToldValues>();

  add({ seen, child, key, values }: ReferencedValues): void {
    const told = this.of(child, key);
    const into = { GONE: told.gone, CHANGED: told.changed, MET: told.met }[seen];
    for (const value of values) {
      // One more than is looked for: enough to know that they are too many.
      if (isTooMany(into)) return;
      into.add(value.toString('latin1'));
    }
  }

  of(child: string, key: ForeignKey): ToldValues {
    const name = JSON.stringify([child, key.name]);
    let told = this.told.get(name);
    if (!told) this.told.set(name, (told = new ToldValues(child, key)));
    return told;
  }

  all(): ToldValues[] {
    return [...this.told.values()];
  }
}

function isTooMany(values: ReadonlySet<string>): boolean {
  return values.size > MAX_VALUES;
}

/** Once the log is read to its end. */
export async function followReferences(told: ToldReferences, following: Following): Promise<void> {
  const follower = new Follower(told, following);
  for (const { child, key, gone, changed } of told.all()) {
    follower.wantTold(stepTo(child, key), gone);
    follower.wantTold({ child, key, isDeleted: false }, changed);
  }
  await follower.run();
}

interface Step {
  child: string;
  key: ForeignKey;
  /** Whether the rows that are found were deleted; else only their own values may have changed. */
  isDeleted: boolean;
}

class Follower {
  private readonly wanted = new Map<string, { step: Step; values: Set<string> }>();
  private readonly done = new Map<string, Set<string>>();
  /** Tables of which rows were deleted. */
  private readonly deletedFrom = new Set<string>();
  /** By table, what refers to rows whose own values changed: these may have been deleted by values that the parent backup does not have. */
  private readonly belowChanged = new Map<string, { step: Step; values: string[] }[]>();
  /** By table, why nobody knows which of its rows changed. */
  private readonly unknownChanges = new Map<string, string>();
  /** Tables of which nobody knows the deleted rows. */
  private readonly lost = new Set<string>();
  private readonly tables: ReadonlyMap<string, ChangedTable>;

  constructor(
    private readonly told: ToldReferences,
    private readonly following: Following,
  ) {
    this.tables = new Map(following.tables.map((table) => [table.structure.table, table]));
  }

  wantTold(step: Step, told: ReadonlySet<string>): void {
    if (isTooMany(told)) this.giveUp(step, tooMany(step));
    else this.want(step, told);
  }

  /** Each value of a step once. */
  private want(step: Step, values: Iterable<string>): void {
    const name = JSON.stringify([step.child, step.key.name, step.isDeleted]);
    const done = this.done.get(name) ?? new Set();
    this.done.set(name, done);
    const wanted = this.wanted.get(name)?.values ?? new Set();
    for (const value of values) {
      if (done.has(value)) continue;
      done.add(value);
      wanted.add(value);
    }
    if (wanted.size > 0) this.wanted.set(name, { step, values: wanted });
  }

  async run(): Promise<void> {
    for (;;) {
      const [next] = this.wanted;
      if (next === undefined) return;
      this.wanted.delete(next[0]);
      await this.follow(next[1].step, next[1].values);
    }
  }

  private async follow(step: Step, values: ReadonlySet<string>): Promise<void> {
    const table = this.tables.get(step.child);
    if (table === undefined) return;
    const found = isTooMany(values)
      ? ({ kind: 'UNKNOWN', reason: tooMany(step) } as const)
      : await this.find(table, step.key, values);
    if (found.kind === 'UNKNOWN') return this.giveUp(step, found.reason);
    const rows = keyedRows(table.structure, found.rows, this.following.codec);
    this.following.sink.addFound(step.child, rows);
    const below = this.below(table, rows);
    if (step.isDeleted) this.goOn(table);
    if (this.deletedFrom.has(step.child)) for (const next of below) this.want(next.step, next.values);
    else this.belowChanged.set(step.child, [...(this.belowChanged.get(step.child) ?? []), ...below]);
  }

  /** Of the table as it is laid out now, which is as it was; but how values compare may have changed. */
  private async find(
    { parent, structure }: ChangedTable,
    key: ForeignKey,
    values: ReadonlySet<string>,
  ): Promise<FoundChildren> {
    const { store, codec } = this.following;
    const wanted = new RowCollector();
    for (const value of values) wanted.add(fromText(value), 0, value.length);
    try {
      return await childrenOf({ table: { ...parent, structure }, key, values: wanted.takeBatch() }, { store, codec });
    } catch (error) {
      if (!isDamage(error)) throw error;
      return { kind: 'UNKNOWN', reason: `the parent backup is damaged: ${error.message}` };
    }
  }

  /** Once rows of a table were deleted, so may be those of which only the log knew, and those that had changed unlogged before. */
  private goOn({ structure: { table } }: ChangedTable): void {
    if (this.deletedFrom.has(table)) return;
    this.deletedFrom.add(table);
    for (const { child, key } of this.cascadesOf(table))
      this.wantTold(stepTo(child, key), this.told.of(child, key).met);
    for (const { step, values } of this.belowChanged.get(table) ?? []) this.want(step, values);
    this.belowChanged.delete(table);
    const unknown = this.unknownChanges.get(table);
    if (unknown !== undefined) this.lose(table, unknown);
  }

  /** What is set off where the rows were deleted: they take their own children with them. */
  private below({ structure }: ChangedTable, rows: ReadonlyMap<string, Buffer>): { step: Step; values: string[] }[] {
    return this.cascadesOf(structure.table).map(({ child, key }) => {
      const values = new ReferencedReader(structure, key, this.following.codec);
      return { step: stepTo(child, key), values: [...rows.values()].flatMap((row) => values.read(row) ?? []) };
    });
  }

  private giveUp({ child, isDeleted }: Step, reason: string): void {
    this.following.sink.giveUp(child, reason);
    if (isDeleted || this.deletedFrom.has(child)) this.lose(child, reason);
    else this.unknownChanges.set(child, reason);
  }

  private lose(table: string, reason: string): void {
    if (this.lost.has(table)) return;
    this.lost.add(table);
    const below = `${table}, which it follows by foreign keys, can't be followed: ${reason}`;
    for (const { child, key } of this.cascadesOf(table)) this.giveUp(stepTo(child, key), below);
  }

  private cascadesOf(table: string): Cascade[] {
    return this.following.cascades.filter(({ parent, key }) => parent === table && isAction(key.onDelete));
  }
}

/** From rows that were deleted. */
function stepTo(child: string, key: ForeignKey): Step {
  return { child, key, isDeleted: key.onDelete === 'CASCADE' };
}

function tooMany({ child }: Step): string {
  return `too many rows that ${child} refers to were deleted or changed`;
}

/** Rows by their keys. */
function keyedRows(structure: TableStructure, { bytes, ends }: RowBatch, codec: RowCodec): Map<string, Buffer> {
  const reader = new KeyReader(codec, keyColumnIndexes(structure));
  const rows = new Map<string, Buffer>();
  let start = 0;
  for (const end of ends) {
    reader.read(bytes, start);
    rows.set(reader.copy().toString('latin1'), bytes.subarray(start, end));
    start = end;
  }
  return rows;
}

/** Reads what rows of other tables may refer to out of rows. */
class ReferencedReader {
  private readonly positions: number[];
  private readonly fields: Int32Array;

  constructor(
    { columns }: TableStructure,
    key: ForeignKey,
    private readonly codec: RowCodec,
  ) {
    this.positions = key.referencedColumns.map((name) => columns.findIndex((column) => column.name === name));
    this.fields = new Int32Array(3 * (Math.max(...this.positions) + 1));
  }

  /** Null where one is NULL: nothing refers to it. */
  read(row: Buffer): string | null {
    const { fields } = this;
    this.codec.locate(row, 0, fields.length / 3, fields);
    if (this.positions.some((position) => (fields[3 * position + 1] as number) < 0)) return null;
    return this.positions
      .map((position) => row.toString('latin1', fields[3 * position], fields[3 * position + 2]))
      .join('');
  }
}

function fromText(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}
