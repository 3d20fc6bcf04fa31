/** Foreign keys of tables that are being built beside the live ones: proven, then added, against where each table is for now. */
import { shownKey } from '../../domain/invariant';
import type { BrokenReference } from '../../domain/source';
import type { ForeignKey, TableStructure } from '../../domain/table';
import { readIncomingReferences } from './incoming-references';
import { checkIncoming, checkReference, findOrphans, parentName, type ReferenceCheck } from './references';
import type { Session } from './session';
import { qualified, quoteName, quoteNames } from './sql';
import type { BuildPlan } from './staging';

export class StagedReferences {
  constructor(
    private readonly session: Pick<Session, 'foldsTableNames' | 'target'>,
    private readonly plans: readonly BuildPlan[],
  ) {}

  findPlan(table: string): BuildPlan | undefined {
    const same = (a: string, b: string): boolean =>
      a === b || (this.session.foldsTableNames && a.toLowerCase() === b.toLowerCase());
    return this.plans.find(({ structure }) => same(structure.table, table));
  }

  /** Proves one foreign key of a built table; throws CONFLICT. */
  proveOwn(session: Session, plan: BuildPlan, key: ForeignKey): Promise<void> {
    return checkReference(session, this.checkOf(plan, key));
  }

  /** The same, for whoever wants to know it; null where the foreign key holds. */
  async findBroken(session: Session, plan: BuildPlan, key: ForeignKey): Promise<BrokenReference | null> {
    const { structure } = plan;
    const orphans = await findOrphans(session, this.checkOf(plan, key), shownKeyColumns(structure));
    if (orphans === null) return null;
    const firstKeys = orphans.shown.map((row) => shownKey(row.join(', ')));
    return { table: structure.table, key, rowCount: orphans.count, firstKeys };
  }

  private checkOf({ structure: { table }, location }: BuildPlan, key: ForeignKey): ReferenceCheck {
    const childName = qualified(location.schema, location.table);
    const restoresParent = this.planOfParent(key) !== undefined;
    return { child: table, key, childName, parentName: this.parentOf(key), restoresParent };
  }

  /**
   * Proves what rows of all other tables, of any schema, refer to: what is built will stand in the place of their parents. False
   * where there may be tables that this user can't see.
   */
  async proveIncoming(session: Session): Promise<boolean> {
    const { schema } = this.session.target;
    const names = this.plans.map(({ structure }) => structure.table);
    const { references, complete } = await readIncomingReferences(session, schema, names);
    for (const reference of references) {
      const parent = this.findPlan(reference.key.referencedTable);
      const isBuilt = reference.schema === schema && this.findPlan(reference.table) !== undefined;
      if (!parent || isBuilt) continue;
      const parentName = qualified(undefined, parent.location.table);
      await checkIncoming(session, reference, { parentName, restoresParent: true });
    }
    return complete;
  }

  async add(session: Session, { foreignKeys, location }: BuildPlan): Promise<void> {
    if (foreignKeys.length === 0) return;
    const clauses = foreignKeys.map((key) => {
      const references = `${this.parentOf(key)} (${quoteNames(key.referencedColumns)})`;
      const columns = quoteNames(key.columns);
      return `ADD CONSTRAINT ${quoteName(key.name)} FOREIGN KEY (${columns}) REFERENCES ${references}${actions(key)}`;
    });
    await session.run(`ALTER TABLE ${qualified(location.schema, location.table)} ${clauses.join(', ')}`);
  }

  /** Where the table is that the foreign key will refer to once all is published. */
  private parentOf(key: ForeignKey): string {
    const plan = this.planOfParent(key);
    return plan ? qualified(plan.location.schema, plan.location.table) : parentName(key);
  }

  private planOfParent({ referencedSchema, referencedTable }: ForeignKey): BuildPlan | undefined {
    return referencedSchema === undefined ? this.findPlan(referencedTable) : undefined;
  }
}

/** Of a referring row, called `c`; bytes that are no text as hexadecimal digits. */
function shownKeyColumns({ key, columns }: TableStructure): string {
  const isBytes = (name: string): boolean => {
    const kind = columns.find((column) => column.name === name)?.kind;
    return kind === 'BINARY' || kind === 'BIT' || kind === 'GEOMETRY';
  };
  const shown = (name: string): string => `c.${quoteName(name)}`;
  return key.map((name) => (isBytes(name) ? `CONCAT('0x', HEX(${shown(name)}))` : shown(name))).join(', ');
}

/** RESTRICT is what no clause means; said aloud, MariaDB would keep it as NO ACTION. */
function actions({ onDelete, onUpdate }: ForeignKey): string {
  const clause = (event: string, action: string): string => (action === 'RESTRICT' ? '' : ` ON ${event} ${action}`);
  return clause('DELETE', onDelete) + clause('UPDATE', onUpdate);
}
