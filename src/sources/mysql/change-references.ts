/**
 * Remembers, during an in-place write, which references the changes could break, and proves them before COMMIT: rows written
 * must find their parents, and no row, of any table in any schema, may still refer to a row that went.
 */
import type { RowBatch } from '../../domain/rows';
import type { ColumnStructure, ForeignKey, TableStructure } from '../../domain/table';
import { rowValues } from './insert-rows';
import { readIncomingReferences, type IncomingReference, type IncomingReferences } from './incoming-references';
import { readForeignKeys } from './introspect';
import { keysCondition } from './key-range';
import { checkIncoming, parentName } from './references';
import { quoteName } from './sql';
import type { Session } from './session';

/** Values named in one query. */
const VALUES_PER_QUERY = 500;
/** From here on remembering values costs more than looking at the whole table. */
const MAX_REMEMBERED = 200_000;

type Values = (Buffer | null)[];

/** One foreign key that changes may break, and the distinct values of its columns that are in question. */
interface Suspect {
  childSchema: string | undefined;
  child: string;
  key: ForeignKey;
  /** The columns as the changed table types them, named as in the referring table. */
  columns: ColumnStructure[];
  /** The referring table is hidden from this user: only whether the values are gone can be told. */
  hidden?: true;
  /** By their bytes; null once there were too many. */
  values: Map<string, Values> | null;
}

export class ChangedReferences {
  private readonly suspects = new Map<string, Suspect>();
  private readonly outgoing = new Map<string, Promise<ForeignKey[]>>();
  private incoming: Promise<IncomingReferences> | null = null;
  /** Tables that lost rows or were missing, to which hidden tables may refer: nobody tells this user. */
  readonly unproven = new Set<string>();

  constructor(
    private readonly session: Session,
    private readonly tables: readonly TableStructure[],
  ) {}

  /** Rows that are there after the change: they need parents. */
  async wrote(table: TableStructure, rows: RowBatch): Promise<void> {
    for (const key of await this.foreignKeysOf(table)) {
      const suspect = this.suspect({ child: table.table, key }, pick(table, key.columns, key.columns));
      remember(suspect, { table, names: key.columns }, rows);
    }
  }

  /** Rows, as they were, that are gone, or changed to the new ones: nobody may need what is no more. */
  async removed(table: TableStructure, rows: RowBatch, newRows?: RowBatch): Promise<void> {
    for (const reference of await this.referencesTo(table)) {
      const { key } = reference;
      const suspect = this.suspectIncoming(reference, pick(table, key.referencedColumns, key.columns));
      remember(suspect, { table, names: key.referencedColumns, kept: newRows }, rows);
    }
    if (newRows === undefined) await this.noteUnproven(table);
  }

  private async noteUnproven({ table }: TableStructure): Promise<void> {
    if (!(await this.incoming)?.complete) this.unproven.add(table);
  }

  private suspectIncoming({ schema, table, key, hidden }: IncomingReference, columns: ColumnStructure[]): Suspect {
    const elsewhere = schema === this.session.target.schema ? undefined : schema;
    const suspect = this.suspect({ schema: elsewhere, child: table, key }, columns);
    if (hidden) suspect.hidden = hidden;
    return suspect;
  }

  /** A table that was missing: whatever refers to it, anywhere, must find its row. */
  async created(table: TableStructure): Promise<void> {
    for (const reference of await this.referencesTo(table)) this.suspectIncoming(reference, []).values = null;
    await this.noteUnproven(table);
  }

  private foreignKeysOf({ table }: TableStructure): Promise<ForeignKey[]> {
    const known = this.outgoing.get(table) ?? readForeignKeys(this.session, this.session.target.schema, table);
    this.outgoing.set(table, known);
    return known;
  }

  private async referencesTo({ table }: TableStructure): Promise<IncomingReference[]> {
    const names = this.tables.map((entry) => entry.table);
    this.incoming ??= readIncomingReferences(this.session, this.session.target.schema, names);
    return (await this.incoming).references.filter(
      ({ key }) => key.referencedTable.toLowerCase() === table.toLowerCase(),
    );
  }

  /** The same foreign key is suspected from both its ends, by values of the same columns. */
  private suspect(reference: { schema?: string; child: string; key: ForeignKey }, columns: ColumnStructure[]): Suspect {
    const { schema: childSchema, child, key } = reference;
    const identity = JSON.stringify([childSchema ?? null, child, key.name]);
    const fresh: Suspect = { childSchema, child, key, columns, values: new Map() };
    const suspect = this.suspects.get(identity) ?? fresh;
    this.suspects.set(identity, suspect);
    return suspect;
  }

  /** Throws CONFLICT naming the first rows without a parent. Locks what it saw until the transaction ends. */
  async check(): Promise<void> {
    for (const suspect of this.suspects.values()) {
      if (suspect.hidden && !(await this.anyGone(suspect))) continue;
      for (const where of conditions(suspect)) await this.prove(suspect, where);
    }
  }

  private restores(table: string): boolean {
    return this.tables.some((entry) => entry.table.toLowerCase() === table.toLowerCase());
  }

  /** Whether a value that hidden rows could refer to is in the table no more. */
  private async anyGone({ key, columns, values }: Suspect): Promise<boolean> {
    if (values === null) return true;
    const own = columns.map((column, i) => ({ ...column, name: key.referencedColumns[i] as string }));
    const list = own.map(({ name }) => quoteName(name)).join(', ');
    for (const part of portions([...values.values()])) {
      const [[found] = []] = await this.session.values(
        `SELECT COUNT(DISTINCT ${list}) FROM ${quoteName(key.referencedTable)} WHERE ${keysCondition(own, part)} LOCK IN SHARE MODE`,
      );
      if (Number(found) < part.length) return true;
    }
    return false;
  }

  private async prove({ childSchema, child, key, hidden }: Suspect, where: string | undefined): Promise<void> {
    const { schema } = this.session.target;
    const parentSchema = key.referencedSchema ?? childSchema;
    const atHome = parentSchema === undefined || parentSchema === schema;
    const parent = atHome ? quoteName(key.referencedTable) : parentName(key, childSchema);
    const reference = { schema: childSchema ?? schema, table: child, key, hidden };
    const restoresParent = atHome && this.restores(key.referencedTable);
    await checkIncoming(this.session, reference, { parentName: parent, restoresParent, where, locking: true });
  }
}

/** The columns `from` of the table, under the names `as` that they have in the referring table. */
function pick(table: TableStructure, from: readonly string[], as: readonly string[]): ColumnStructure[] {
  return from.flatMap((name, i) => {
    const column = table.columns.find((candidate) => candidate.name === name);
    return column ? [{ ...column, name: as[i] as string }] : [];
  });
}

interface Fields {
  table: TableStructure;
  names: readonly string[];
  /** What the rows become, one by one: those whose columns stay as they are put nothing in question. */
  kept?: RowBatch;
}

function remember(suspect: Suspect, { table, names, kept }: Fields, rows: RowBatch): void {
  // A generated column is in no row: then the whole table is looked at.
  if (suspect.columns.length !== names.length) suspect.values = null;
  const positions = names.map((name) => table.columns.findIndex((column) => column.name === name));
  const valuesOf = (batch: RowBatch, row: number): Values => {
    const all = rowValues(table, batch, row);
    return positions.map((position) => all[position] ?? null);
  };
  for (let i = 0; i < rows.ends.length && suspect.values; i++) {
    const values = valuesOf(rows, i);
    if (values.includes(null) || (kept && sameValues(values, valuesOf(kept, i)))) continue;
    // A copy: the batch's bytes must not be kept for a few of them.
    const own = values.map((value) => (value ? Buffer.from(value) : null));
    suspect.values.set(own.map((value) => value?.toString('latin1')).join('\0'), own);
    if (suspect.values.size > MAX_REMEMBERED) suspect.values = null;
  }
}

function sameValues(a: Values, b: Values): boolean {
  return a.every((value, i) => value !== null && (b[i]?.equals(value) ?? false));
}

function* conditions({ values, columns }: Suspect): Generator<string | undefined> {
  if (values === null) return void (yield undefined);
  for (const part of portions([...values.values()])) yield keysCondition(columns, part, 'c');
}

function* portions(values: readonly Values[]): Generator<Values[]> {
  for (let i = 0; i < values.length; i += VALUES_PER_QUERY) yield values.slice(i, i + VALUES_PER_QUERY);
}
