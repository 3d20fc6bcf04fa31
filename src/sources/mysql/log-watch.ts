/**
 * Which tables a reader of the binary log watches, and why it gave one up. InnoDB runs ON DELETE and ON UPDATE actions without
 * logging the rows they change, so a table is also given up once a row that its own may follow was deleted or changed: its parents,
 * their parents and so on are watched too, mapped or not, in whatever schema.
 */
import { acts, isAction, type ForeignKey, type TableStructure } from '../../domain/table';
import { readColumns, readForeignKeys } from './introspect';
import type { Session } from './session';

export interface WatchedTable {
  schema: string;
  table: string;
  /** Names in the order of the table, generated ones included; what stands in no row image need not be stored. */
  columns: readonly { name: string; stored: boolean }[];
  /** The table as asked for; absent where it is only watched for what its rows' changes set off. */
  structure?: TableStructure;
}

/** What happens to rows of `child` as a row of `parent` is deleted or changes. */
interface Link {
  parent: string;
  child: string;
  key: ForeignKey;
}

type ParentChange = { kind: 'DELETE' } | { kind: 'UPDATE'; columns: readonly string[] };

export class LogWatch {
  private readonly watched = new Map<string, WatchedTable>();
  private readonly links: Link[] = [];
  private readonly spread = new Set<string>();
  readonly unusable = new Map<string, string>();

  constructor(
    private readonly tables: readonly TableStructure[],
    private readonly own: { schema: string; foldsTableNames: boolean },
  ) {}

  /** Reads what must be watched. Without `followsCascades`, what the server's foreign keys do is logged. */
  async plan(session: Session, followsCascades: boolean): Promise<void> {
    const { schema } = this.own;
    for (const structure of this.tables) await this.watch(session, { schema, table: structure.table, structure });
    if (!followsCascades) return;
    // Grows as parents are found.
    for (const child of this.watched.values()) await this.watchParents(session, child);
  }

  private async watch(session: Session, place: Omit<WatchedTable, 'columns'>): Promise<void> {
    const columns = await readColumns(session, place.schema, place.table);
    const listed = columns.map(({ column, generated }) => ({ name: column.name, stored: generated === null }));
    const watched = { ...place, columns: listed };
    this.watched.set(this.id(place.schema, place.table), watched);
    const { structure } = place;
    if (structure && !sameColumns(structure, listed))
      this.giveUp(watched, 'its columns were changed since it was read');
  }

  private async watchParents(session: Session, child: WatchedTable): Promise<void> {
    const keys = child.structure?.foreignKeys ?? (await readForeignKeys(session, child.schema, child.table));
    for (const key of keys.filter(acts)) {
      const schema = key.referencedSchema ?? child.schema;
      const parent = this.id(schema, key.referencedTable);
      this.links.push({ parent, child: this.id(child.schema, child.table), key });
      if (!this.watched.has(parent)) await this.watch(session, { schema, table: key.referencedTable });
      if (this.watched.get(parent)?.columns.length === 0) {
        this.giveUp(
          child,
          `${schema}.${key.referencedTable}, whose changes its foreign keys follow, can't be seen: SELECT on it is not granted`,
        );
      }
    }
  }

  private id(schema: string, table: string): string {
    const name = JSON.stringify([schema, table]);
    return this.own.foldsTableNames ? name.toLowerCase() : name;
  }

  find(schema: string, table: string): WatchedTable | undefined {
    return this.watched.get(this.id(schema, table));
  }

  all(): Iterable<WatchedTable> {
    return this.watched.values();
  }

  get isHopeless(): boolean {
    return this.unusable.size === this.tables.length;
  }

  isUsable({ structure }: WatchedTable): boolean {
    return structure !== undefined && !this.unusable.has(structure.table);
  }

  giveUpAll(reason: string): void {
    for (const { table } of this.tables) this.refuse(table, reason);
  }

  /** Nothing is known of the table's rows, so nothing either of those that follow them. */
  giveUp({ schema, table, structure }: WatchedTable, reason: string): void {
    if (structure) this.refuse(structure.table, reason);
    const from = this.id(schema, table);
    const because = structure ? `${table}, which it follows by foreign keys, can't be followed: ${reason}` : reason;
    this.follow(from, { kind: 'DELETE' }, because);
    for (const { parent, key } of this.links) {
      if (parent === from) this.follow(from, { kind: 'UPDATE', columns: key.referencedColumns }, because);
    }
  }

  refuse(table: string, reason: string): void {
    if (!this.unusable.has(table)) this.unusable.set(table, reason);
  }

  /** Columns whose change sets something off. */
  referencedColumns({ schema, table }: WatchedTable): string[] {
    const id = this.id(schema, table);
    const acting = this.links.filter(({ parent, key }) => parent === id && isAction(key.onUpdate));
    return [...new Set(acting.flatMap(({ key }) => key.referencedColumns))];
  }

  /** A row of the table was deleted, or changed in columns of which it is known that others refer to them. */
  rowChanged({ schema, table }: WatchedTable, change: ParentChange): void {
    const did = change.kind === 'DELETE' ? 'deleted from' : `changed in column ${change.columns.join(', ')} of`;
    const reason = `rows were ${did} ${table}, and what foreign keys then do to other tables is not logged`;
    this.follow(this.id(schema, table), change, reason);
  }

  private follow(from: string, change: ParentChange, reason: string): void {
    const step = JSON.stringify([from, change]);
    if (this.spread.has(step)) return;
    this.spread.add(step);
    for (const { parent, child, key } of this.links) {
      if (parent !== from) continue;
      const next = consequence(key, change);
      if (!next) continue;
      const structure = this.watched.get(child)?.structure;
      if (structure) this.refuse(structure.table, reason);
      this.follow(child, next, reason);
    }
  }
}

function sameColumns(structure: TableStructure, live: WatchedTable['columns']): boolean {
  const stored = live.filter((column) => column.stored).map(({ name }) => name);
  return stored.join('\0') === structure.columns.map(({ name }) => name).join('\0');
}

/** What the key does to the referring rows; null for nothing. */
function consequence(key: ForeignKey, change: ParentChange): ParentChange | null {
  if (change.kind === 'DELETE') {
    if (!isAction(key.onDelete)) return null;
    return key.onDelete === 'CASCADE' ? change : { kind: 'UPDATE', columns: key.columns };
  }
  const isMeant = key.referencedColumns.some((column) => change.columns.includes(column));
  return isMeant && isAction(key.onUpdate) ? { kind: 'UPDATE', columns: key.columns } : null;
}
