/**
 * Which rows of a damaged backup are left out of a restore although they can be read: those that refer to lost rows, those that refer to
 * these, and so on, so that what is left breaks no foreign key. Rows that are in the target and stay there are not missing. Found before
 * anything is written; kept in memory are hashes of what may be referred to, and only of tables around the losses.
 */
import type { TableManifest } from '../../domain/manifest';
import type { RowBatch, RowCodec } from '../../domain/rows';
import type { ForeignKey } from '../../domain/table';
import { runLanes } from '../lanes';
import type { TaskContext } from '../ports';
import type { BackupRows } from '../reading/rows-in-scope';
import { columnIndexes, ScopedFields } from '../reading/scoped-fields';
import type { RowPredicate } from '../rows/row-filter';
import { ValueHashes } from '../rows/value-hashes';
import type { LiveReader } from './compare-tables';

const CHUNKS_AT_ONCE = 4;

export interface OrphanSearch {
  codec: RowCodec;
  rows: BackupRows;
  /** Tables of the restore whose rows can be read, but for single chunks. */
  tables: readonly TableManifest[];
  /** Names of those of them that lost some. */
  hurt: ReadonlySet<string>;
  /** Tables of the restore of which all rows are lost. */
  lost: readonly TableManifest[];
  /** What is in the target; null where nothing is. */
  live: LiveReader | null;
}

export interface LeftOutRows {
  /** Of each table with such rows: whether one is left out. */
  predicates: ReadonlyMap<string, RowPredicate>;
  /** Whole sentences, by table: how many, and why. */
  reasons: ReadonlyMap<string, readonly string[]>;
}

export async function findLeftOutRows(search: OrphanSearch, context: TaskContext): Promise<LeftOutRows> {
  context.progress.begin({ name: 'finding rows that refer to lost ones', from: 30, to: 30 });
  return new LeftOutSearch(search, context).find();
}

/** What rows may refer to in some columns of a table that lost rows, or has rows that are left out. */
class ReferredValues {
  /** Of the backup's rows that can be read; null where that is all of them. */
  kept: ValueHashes | null = null;
  /** Of rows that are left out. */
  readonly leftOut = new ValueHashes();
  /** Of rows in the target. */
  readonly live = new ValueHashes();

  constructor(readonly columns: readonly number[]) {}

  isMissing(value: string): boolean {
    if (this.live.has(value)) return false;
    return this.leftOut.has(value) || (this.kept !== null && !this.kept.has(value));
  }
}

interface Reference {
  key: ForeignKey;
  parent: TableNode;
  columns: readonly number[];
  values: ReferredValues;
  /** Rows that refer to nothing by it. */
  orphans: number;
}

/** A table with its foreign keys to others of the restore, and what these refer to in it. */
class TableNode {
  readonly references: Reference[] = [];
  readonly referred = new Map<string, ReferredValues>();
  readonly fields: ScopedFields;
  hasLiveValues = false;

  constructor(
    readonly manifest: TableManifest,
    readonly loss: 'NONE' | 'SOME' | 'ALL',
    codec: RowCodec,
  ) {
    this.fields = new ScopedFields(codec, manifest.structure);
  }

  get orphans(): number {
    return this.references.reduce((sum, { orphans }) => sum + orphans, 0);
  }

  /** Null where rows hold no such column: a generated one. */
  refer(key: ForeignKey, parent: TableNode): void {
    const columns = columnIndexes(this.manifest.structure, key.columns);
    const values = parent.valuesOf(key.referencedColumns);
    if (columns.includes(-1) || values === null) return;
    this.references.push({ key, parent, columns, values, orphans: 0 });
  }

  /** The foreign key by which a row refers to what is missing. */
  brokenReference(bytes: Buffer, start: number): Reference | undefined {
    this.fields.at(bytes, start);
    return this.references.find(({ columns, values }) => {
      const value = this.fields.tuple(columns);
      return value !== null && values.isMissing(value);
    });
  }

  /** Notes what a row may be referred to by. */
  note(bytes: Buffer, start: number, into: (values: ReferredValues) => ValueHashes | null): void {
    this.fields.at(bytes, start);
    for (const values of this.referred.values()) {
      const value = this.fields.tuple(values.columns);
      if (value !== null) into(values)?.add(value);
    }
  }

  private valuesOf(names: readonly string[]): ReferredValues | null {
    const columns = columnIndexes(this.manifest.structure, names);
    if (columns.includes(-1)) return null;
    const name = columns.join();
    const values = this.referred.get(name) ?? new ReferredValues(columns);
    if (this.loss !== 'NONE') values.kept ??= new ValueHashes();
    this.referred.set(name, values);
    return values;
  }
}

class LeftOutSearch {
  private readonly nodes: TableNode[];

  constructor(
    private readonly search: OrphanSearch,
    private readonly context: TaskContext,
  ) {
    const { tables, lost, hurt, codec } = search;
    this.nodes = [
      ...tables.map((manifest) => new TableNode(manifest, hurt.has(manifest.table) ? 'SOME' : 'NONE', codec)),
      ...lost.map((manifest) => new TableNode(manifest, 'ALL', codec)),
    ];
    for (const node of this.nodes) this.connect(node);
  }

  private connect(node: TableNode): void {
    for (const key of node.manifest.structure.foreignKeys) {
      const parent = this.nodes.find(({ manifest }) => sameName(manifest.table, key.referencedTable));
      if (parent !== undefined && key.referencedSchema === undefined) node.refer(key, parent);
    }
  }

  /** Round by round: rows of the children of tables that lost rows in the round before. */
  async find(): Promise<LeftOutRows> {
    let grown = new Set(this.nodes.filter(({ loss }) => loss !== 'NONE'));
    for (const node of grown) await this.noteKept(node);
    while (grown.size > 0) {
      const parents = grown;
      grown = new Set();
      for (const node of this.nodes) {
        const isBelow = node.loss !== 'ALL' && node.references.some(({ parent }) => parents.has(parent));
        if (isBelow && (await this.noteLeftOut(node))) grown.add(node);
      }
    }
    return this.result();
  }

  private async noteKept(node: TableNode): Promise<void> {
    if (node.referred.size === 0) return;
    await this.noteLive(node);
    if (node.loss === 'ALL') return;
    await this.eachRow(node, (bytes, start) => node.note(bytes, start, ({ kept }) => kept));
  }

  /** Whether more rows are left out than before. */
  private async noteLeftOut(node: TableNode): Promise<boolean> {
    await this.noteLive(node);
    const before = node.orphans;
    for (const reference of node.references) reference.orphans = 0;
    await this.eachRow(node, (bytes, start) => {
      const broken = node.brokenReference(bytes, start);
      if (broken === undefined) return;
      broken.orphans++;
      node.note(bytes, start, ({ leftOut }) => leftOut);
    });
    return node.orphans > before;
  }

  /** Rows that are there stay: the restore neither deletes what it lost nor what it leaves out. */
  private async noteLive(node: TableNode): Promise<void> {
    const { live } = this.search;
    if (live === null || node.hasLiveValues || node.referred.size === 0) return;
    node.hasLiveValues = true;
    for await (const batch of live.readRows(node.manifest.structure, { signal: this.context.signal })) {
      eachRowOf(batch, (bytes, start) => node.note(bytes, start, (values) => values.live));
      batch.release?.();
    }
  }

  private async eachRow({ manifest }: TableNode, visit: (bytes: Buffer, start: number) => void): Promise<void> {
    const { rows } = this.search;
    const { signal, progress } = this.context;
    await runLanes({ lanes: CHUNKS_AT_ONCE, signal }, rows.stretches(manifest), async (stretch) => {
      eachRowOf(await rows.readStretch(manifest, stretch), visit);
      progress.advance({ rows: stretch.rowCount, bytes: stretch.rawBytes, table: manifest.table });
    });
  }

  private result(): LeftOutRows {
    const leaving = this.nodes.filter(({ orphans }) => orphans > 0);
    const isLeftOut =
      (node: TableNode): RowPredicate =>
      (bytes, start) =>
        node.brokenReference(bytes, start) !== undefined;
    return {
      predicates: new Map(leaving.map((node) => [node.manifest.table, isLeftOut(node)])),
      reasons: new Map(leaving.map((node) => [node.manifest.table, reasonsOf(node)])),
    };
  }
}

function reasonsOf({ manifest, references }: TableNode): string[] {
  return references.flatMap(({ key, parent, orphans }) => {
    if (orphans === 0) return [];
    const which = [...(parent.loss === 'NONE' ? [] : ['lost']), ...(parent.orphans > 0 ? ['left out'] : [])];
    const rows = `${orphans} row${orphans === 1 ? '' : 's'} of table ${manifest.table}`;
    const verb = orphans === 1 ? 'is left out: it refers' : 'are left out: they refer';
    return [`${rows} ${verb} by ${key.columns.join(', ')} to rows of ${parent.manifest.table} that are ${which.join(' or ')}.`]; // prettier-ignore
  });
}

function eachRowOf({ bytes, ends }: RowBatch, visit: (bytes: Buffer, start: number) => void): void {
  let start = 0;
  for (const end of ends) {
    visit(bytes, start);
    start = end;
  }
}

/** Foreign keys may write a table's name in another case. */
function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
