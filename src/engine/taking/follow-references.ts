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

/** Values told, as latin1 text, of one foreign key. */
class ToldValues {
  readonly gone = new Set<string>();
  readonly changed = new Set<string>();
  readonly met = new Set<string>();

  constructor(
    readonly child: string,
    readonly key: ForeignKey,
  ) {}

  get isTooMany(): boolean {
    return this.gone.size + this.changed.size + this.met.size > MAX_VALUES;
  }
}

export class ToldReferences {
  private readonly told = new Map<string, ToldValues>();

  add({ seen, child, key, values }: ReferencedValues): void {
    const told = this.of(child, key);
    // One more than is looked for: enough to know that they are too many.
    if (told.isTooMany) return;
    const into = { GONE: told.gone, CHANGED: told.changed, MET: told.met }[seen];
    for (const value of values) into.add(value.toString('latin1'));
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

/** Once the log is read to its end. */
export async function followReferences(told: ToldReferences, following: Following): Promise<void> {
  const follower = new Follower(told, following);
  for (const { child, key, gone, changed } of told.all()) {
    follower.want({ child, key, isDeleted: key.onDelete === 'CASCADE' }, gone);
    follower.want({ child, key, isDeleted: false }, changed);
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
  /** Keys of rows found to be deleted, by table. */
  private readonly deleted = new Map<string, Set<string>>();
  /** Tables of which nobody knows the deleted rows. */
  private readonly lost = new Set<string>();
  private readonly tables: ReadonlyMap<string, ChangedTable>;

  constructor(
    private readonly told: ToldReferences,
    private readonly following: Following,
  ) {
    this.tables = new Map(following.tables.map((table) => [table.structure.table, table]));
  }

  /** Each value of a step once. */
  want(step: Step, values: Iterable<string>): void {
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
    const found = await this.find(table, step.key, values);
    if (found.kind === 'UNKNOWN') return this.giveUp(step, found.reason);
    const rows = keyedRows(table.structure, found.rows, this.following.codec);
    this.following.sink.addFound(step.child, rows);
    if (step.isDeleted) this.goOn(table, rows);
  }

  /** Of the table as it is laid out now, which is as it was; but how values compare may have changed. */
  private async find(
    { parent, structure }: ChangedTable,
    key: ForeignKey,
    values: ReadonlySet<string>,
  ): Promise<FoundChildren> {
    const { store, codec } = this.following;
    if (this.told.of(structure.table, key).isTooMany || values.size > MAX_VALUES)
      return { kind: 'UNKNOWN', reason: `too many rows that ${structure.table} refers to were deleted or changed` };
    const wanted = new RowCollector();
    for (const value of values) wanted.add(fromText(value), 0, value.length);
    try {
      return await childrenOf({ table: { ...parent, structure }, key, values: wanted.takeBatch() }, { store, codec });
    } catch (error) {
      if (!isDamage(error)) throw error;
      return { kind: 'UNKNOWN', reason: `the parent backup is damaged: ${error.message}` };
    }
  }

  /** Rows that were deleted take their own children with them; so do those of which only the log ever knew. */
  private goOn({ structure }: ChangedTable, rows: ReadonlyMap<string, Buffer>): void {
    const known = this.deleted.get(structure.table);
    const seen = known ?? new Set();
    this.deleted.set(structure.table, seen);
    const fresh = [...rows].filter(([name]) => !seen.has(name));
    for (const [name] of fresh) seen.add(name);
    for (const { child, key } of this.cascadesOf(structure.table)) {
      const step = { child, key, isDeleted: key.onDelete === 'CASCADE' };
      if (known === undefined) this.want(step, this.told.of(child, key).met);
      const values = new ReferencedReader(structure, key, this.following.codec);
      this.want(
        step,
        fresh.flatMap(([, row]) => values.read(row) ?? []),
      );
    }
  }

  private giveUp({ child, isDeleted }: Step, reason: string): void {
    this.following.sink.giveUp(child, reason);
    if (!isDeleted || this.lost.has(child)) return;
    this.lost.add(child);
    const below = `${child}, which it follows by foreign keys, can't be followed: ${reason}`;
    for (const { child: next, key } of this.cascadesOf(child))
      this.giveUp({ child: next, key, isDeleted: key.onDelete === 'CASCADE' }, below);
  }

  private cascadesOf(table: string): Cascade[] {
    return this.following.cascades.filter(({ parent, key }) => parent === table && isAction(key.onDelete));
  }
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
