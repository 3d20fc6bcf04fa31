/**
 * Which tables a reader of the binary log watches, and why it gave one up. InnoDB runs ON DELETE and ON UPDATE actions without
 * logging the rows they change: a table's parents, their parents and so on are watched too, mapped or not, in whatever schema. Once a
 * row of them was deleted or changed, the caller is told what rows of the table may refer to; where that can't be told or followed for
 * certain, the table is given up.
 */
import type { Cascade } from '../../domain/source';
import { acts, isAction, type ColumnStructure, type ForeignKey, type TableStructure } from '../../domain/table';
import { isOfOneKind, isUnique, overlaps, pairsOf } from './log-follow';
import { keyTypeRefusal } from './log-values';
import { readColumns, readForeignKeys } from './introspect';
import type { Session } from './session';

export interface WatchedTable {
  schema: string;
  table: string;
  /** Names in the order of the table, generated ones included; what stands in no row image need not be stored. */
  columns: readonly { name: string; stored: boolean; column: ColumnStructure }[];
  /** A row that is deleted stays there as history, and is logged as one that changed. */
  isVersioned: boolean;
  /** The table as asked for; absent where it is only watched for what its rows' changes set off. */
  structure?: TableStructure;
}

/** What happens to rows of `child` as a row of `parent` is deleted or changes. */
export interface Link {
  parent: string;
  child: string;
  key: ForeignKey;
}

type ParentChange = { kind: 'DELETE' } | { kind: 'UPDATE'; columns: readonly string[] };

/** What is to be told of a table's rows for one foreign key that refers to it. */
export interface LinkToTell {
  link: Link;
  child: TableStructure;
  /** Rows of the table may be deleted without being logged: then all values count that it is met with. */
  isMet: boolean;
}

export class LogWatch {
  private readonly watched = new Map<string, WatchedTable>();
  private readonly links: Link[] = [];
  private readonly spread = new Map<string, { following: Following; reason: string }>();
  /** Those whose values can't be read from the log. */
  private readonly unread = new Set<Link>();
  readonly unusable = new Map<string, string>();

  constructor(
    private readonly tables: readonly TableStructure[],
    private readonly own: { schema: string; foldsTableNames: boolean; followsReferences: boolean },
  ) {}

  /** Reads what must be watched. Without `followsCascades`, what the server's foreign keys do is logged. */
  async plan(session: Session, followsCascades: boolean): Promise<void> {
    const { schema } = this.own;
    for (const structure of this.tables) await this.watch(session, { schema, table: structure.table, structure });
    if (!followsCascades) return;
    // Grows as parents are found.
    for (const child of this.watched.values()) await this.watchParents(session, child);
  }

  private async watch(session: Session, place: Pick<WatchedTable, 'schema' | 'table' | 'structure'>): Promise<void> {
    const columns = await readColumns(session, place.schema, place.table);
    const listed = columns.map(({ column, generated }) => ({ name: column.name, stored: generated === null, column }));
    const isVersioned = columns.some(({ generated }) => generated?.expression === 'ROW END');
    const watched = { ...place, columns: listed, isVersioned };
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

  /** Tables that were not asked for: no read keeps them as they were. */
  get watchesOthers(): boolean {
    return [...this.watched.values()].some(({ structure }) => structure === undefined);
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
    this.follow({ from, change: { kind: 'DELETE' }, by: 'NOBODY' }, because);
    for (const { parent, key } of this.links) {
      if (parent !== from) continue;
      this.follow({ from, change: { kind: 'UPDATE', columns: key.referencedColumns }, by: 'NOBODY' }, because);
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

  /** For which foreign keys to tell values of the table's rows. */
  linksToTell({ schema, table }: WatchedTable): LinkToTell[] {
    const id = this.id(schema, table);
    return this.links.flatMap((link) => {
      const child = this.watched.get(link.child)?.structure;
      if (link.parent !== id || child === undefined || !this.canTell(link)) return [];
      return [
        { link, child, isMet: isAction(link.key.onDelete) && this.isDeletedUnlogged(id) && this.isKnownBelow(link) },
      ];
    });
  }

  /** Values of the link stand in the log in a form that is not read. What was followed by it before is given up. */
  cannotRead(link: Link): void {
    if (this.unread.has(link)) return;
    this.unread.add(link);
    for (const [step, { following, reason }] of [...this.spread]) {
      if (following.from !== link.parent) continue;
      this.spread.delete(step);
      this.follow(following, reason);
    }
  }

  /** By which the caller goes on from rows that it found. */
  cascades(): Cascade[] {
    return this.links.flatMap((link) => {
      const [parent, child] = [this.watched.get(link.parent)?.structure, this.watched.get(link.child)?.structure];
      if (!parent || !child || !isAction(link.key.onDelete) || !this.isKnownBelow(link)) return [];
      return [{ parent: parent.table, child: child.table, key: link.key }];
    });
  }

  /** A row of the table was deleted, or changed in columns of which it is known that others refer to them. */
  rowChanged({ schema, table }: WatchedTable, change: ParentChange): void {
    const did = change.kind === 'DELETE' ? 'deleted from' : `changed in column ${change.columns.join(', ')} of`;
    const reason = `rows were ${did} ${table}, and what foreign keys then do to other tables is not logged`;
    this.follow({ from: this.id(schema, table), change, by: 'LOG' }, reason);
  }

  /** Gives up what refers to the table and is not followed by the caller, from there on down. */
  private follow({ from, change, by }: Following, reason: string): void {
    const step = JSON.stringify([from, change, by]);
    if (this.spread.has(step)) return;
    this.spread.set(step, { following: { from, change, by }, reason });
    for (const link of this.links) {
      if (link.parent !== from) continue;
      const next = consequence(link.key, change);
      if (!next) continue;
      const isFollowed = this.isFollowed(link, { change, next, by });
      const structure = this.watched.get(link.child)?.structure;
      if (structure && !isFollowed) this.refuse(structure.table, reason);
      this.follow({ from: link.child, change: next, by: isFollowed ? 'CALLER' : 'NOBODY' }, reason);
      // Then nobody can tell either which of its rows are deleted by what they refer to now.
      if (!isFollowed && this.isDeletedBy(link.child, next))
        this.follow({ from: link.child, change: { kind: 'DELETE' }, by: 'NOBODY' }, reason);
    }
  }

  private isFollowed(
    link: Link,
    { change, next, by }: { change: ParentChange; next: ParentChange; by: Following['by'] },
  ): boolean {
    if (by === 'NOBODY' || !this.canTell(link)) return false;
    const child = this.watched.get(link.child)?.structure;
    // A row whose own key changes unlogged is then another row.
    if (child === undefined || (next.kind === 'UPDATE' && overlaps(link.key.columns, child.key))) return false;
    return by === 'LOG' || (change.kind === 'DELETE' && this.isKnownBelow(link));
  }

  private canTell(link: Link): boolean {
    const [above, below] = [this.watched.get(link.parent), this.watched.get(link.child)?.structure];
    if (!this.own.followsReferences || !above || !below || this.unread.has(link)) return false;
    const stored = above.columns.flatMap((listed) => (listed.stored ? [listed.column] : []));
    const pairs = pairsOf(stored, below.columns, link.key);
    return pairs?.every((pair) => isOfOneKind(pair) && keyTypeRefusal(pair.below) === null) ?? false;
  }

  /** Whether rows of the child can be found by rows of the parent that the caller found: by values that no two rows of it have. */
  private isKnownBelow(link: Link): boolean {
    const above = this.watched.get(link.parent)?.structure;
    return above !== undefined && isUnique(above, link.key.referencedColumns) && this.canTell(link);
  }

  private isDeletedBy(id: string, change: ParentChange): boolean {
    return (
      change.kind === 'UPDATE' &&
      this.links.some(
        ({ child, key }) => child === id && key.onDelete === 'CASCADE' && overlaps(key.columns, change.columns),
      )
    );
  }

  private isDeletedUnlogged(id: string): boolean {
    return this.links.some(({ child, key }) => child === id && key.onDelete === 'CASCADE');
  }
}

interface Following {
  from: string;
  change: ParentChange;
  /** Who knows which rows of the table changed: all stand in the log, the caller finds them, or nobody can. */
  by: 'LOG' | 'CALLER' | 'NOBODY';
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
