/**
 * Others who write to the reference platform while it is restored: each has rows of its own, edits them one after the other in transactions,
 * and remembers what it committed last of each. So what must be there in the end is known, whoever came first.
 */
import { createSeededRandom } from '../../src/sources/seeded-random';
import type { ContractConnection } from '../contract/source-contract';
import { inOrder, type Rows } from './reference-damage';

type Row = (string | null)[];
type EditedTable = (typeof EDITED)[number];

const EDITED = ['businesses', 'risk_trends', 'risk_history', 'risk_alerts'] as const;
const WRITERS = 3;

/** Last committed row of each one edited; null where it was deleted. */
export type Edits = Map<EditedTable, Map<string, Row | null>>;

/** What the database tells a writer whom another one stands in the way of, or whose parent is gone: it goes on with another row. */
const LOST_RACES = new Set(['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT', 'ER_NO_REFERENCED_ROW_2', 'ER_CHECKREAD']);

export interface Editing {
  connect(): Promise<ContractConnection>;
  /** Rows that may be edited. */
  ids: Record<EditedTable, readonly string[]>;
  seed: number;
}

/** Writes until `stop`, which gives what was committed. Resolves once every writer has committed something. */
export async function startEdits(editing: Editing): Promise<{ stop(): Promise<Edits> }> {
  const edits: Edits = new Map(EDITED.map((table) => [table, new Map()]));
  const writers = Array.from({ length: WRITERS }, (_, index) => new Writer(editing, index, edits));
  const running = writers.map((writer) => writer.run());
  await Promise.all(writers.map((writer) => writer.hasBegun));
  return {
    async stop() {
      for (const writer of writers) writer.isStopped = true;
      await Promise.all(running);
      return edits;
    },
  };
}

/** The rows with what was committed of them. */
export function withEdits(rows: Rows, edits: Edits): Rows {
  const edited = { ...rows };
  for (const [table, committed] of edits) {
    const left = (rows[table] ?? []).filter(([id]) => !committed.has(id as string));
    edited[table] = inOrder([...left, ...[...committed.values()].filter((row): row is Row => row !== null)]);
  }
  return edited;
}

class Writer {
  isStopped = false;
  readonly hasBegun: Promise<void>;
  private begun: () => void = () => undefined;
  private added = 0;

  constructor(
    private readonly editing: Editing,
    private readonly index: number,
    private readonly edits: Edits,
  ) {
    this.hasBegun = new Promise((resolve) => (this.begun = resolve));
  }

  async run(): Promise<void> {
    const random = createSeededRandom(this.editing.seed * WRITERS + this.index);
    const sql = await this.editing.connect();
    await sql.exec('SET innodb_lock_wait_timeout = 5');
    try {
      while (!this.isStopped) await this.editOne(sql, random);
    } finally {
      await sql.close();
    }
  }

  private async editOne(sql: ContractConnection, random: ReturnType<typeof createSeededRandom>): Promise<void> {
    const table = random.pick(EDITED);
    const mine = this.editing.ids[table].filter((_, i) => i % WRITERS === this.index);
    const adds = random.chance(0.2) && table === 'risk_alerts';
    const id = adds ? `late-${this.index}-${++this.added}` : random.pick(mine);
    try {
      await sql.exec('BEGIN');
      await sql.exec(
        adds ? insertion(id, random.pick(this.editing.ids.businesses)) : this.edit(table, id, random.int(0, 9999)),
      );
      const [row = null] = await sql.query(`SELECT * FROM ${table} WHERE id = '${id}'`);
      await sql.exec('COMMIT');
      this.remember(table, id, row);
    } catch (error) {
      if (!LOST_RACES.has((error as { code?: string }).code ?? '')) throw error;
      await sql.exec('ROLLBACK');
    }
  }

  /** A row that was not there when this writer looked for it was no edit of its own. */
  private remember(table: EditedTable, id: string, row: Row | null): void {
    const known = this.edits.get(table) as Map<string, Row | null>;
    if (row !== null || table === 'risk_history') known.set(id, row);
    this.begun();
  }

  private edit(table: EditedTable, id: string, n: number): string {
    if (table === 'risk_history') return `DELETE FROM risk_history WHERE id = '${id}'`;
    const values = {
      businesses: `name = 'edit ${n}'`,
      risk_trends: `change_from = ${n / 100}`,
      risk_alerts: `message = 'edit ${n}'`,
    };
    return `UPDATE ${table} SET ${values[table]} WHERE id = '${id}'`;
  }
}

function insertion(id: string, business: string): string {
  return `INSERT INTO risk_alerts (id, tenant_id, business_id, risk_factor, level, message, score, threshold, triggered_at)
    SELECT '${id}', tenant_id, id, 'late', 'low', 'late', 1, 2, NOW(6) FROM businesses WHERE id = '${business}'`;
}
