/**
 * A model test of incremental and differential backups on a real database: whatever happens to the source, and to other backups, every
 * backup that is left restores to exactly what the source was at its moment.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAppError } from '../../src/domain/errors';
import type { ChangeDetection } from '../../src/domain/backup';
import type { BackupId } from '../../src/domain/ids';
import type { SourceMapping } from '../../src/domain/mapping';
import type { Source } from '../../src/domain/source';
import type { ComparisonResult, DiffCounts } from '../../src/domain/task';
import { createSeededRandom, type SeededRandom } from '../../src/sources/seeded-random';
import type { ContractConnection, SourceContractFixture } from '../contract/source-contract';
import { backup, compact, comparisonTask, restore, run, type EngineBench } from './engine-context';
import { openStore } from './engine-scenarios';

const MAPPING: SourceMapping = [
  { dataType: 'BUSINESSES', table: 'owner' },
  { dataType: 'ASSESSMENTS', table: 'item' },
  { dataType: 'ALERTS', table: 'note' },
  { dataType: 'CONFIG', table: 'setting' },
];
const TABLES = MAPPING.map(({ table }) => table);
const KEY_LENGTHS: Record<string, number> = { setting: 2 };
const CHILDREN_FIRST = ['note', 'item', 'setting', 'owner'];

const tables = ({ exact, caseless }: SourceContractFixture['types']): string[] => [
  `CREATE TABLE owner (id ${exact} NOT NULL PRIMARY KEY, name ${exact} NULL, version BIGINT NOT NULL)`,
  `CREATE TABLE item (id BIGINT NOT NULL PRIMARY KEY, owner_id ${exact} NOT NULL, body TEXT NULL, updated_at BIGINT NULL,
     FOREIGN KEY (owner_id) REFERENCES owner (id) ON DELETE CASCADE ON UPDATE CASCADE)`,
  `CREATE TABLE note (id BIGINT NOT NULL PRIMARY KEY, item_id BIGINT NULL, text TEXT NULL,
     FOREIGN KEY (item_id) REFERENCES item (id) ON DELETE SET NULL)`,
  `CREATE TABLE setting (name ${caseless} NOT NULL, n BIGINT NOT NULL, value ${exact} NULL, PRIMARY KEY (name, n))`,
];

type State = (string | null)[][][];
export type Change = (model: Model) => Promise<void>;

export interface ModelOptions {
  seed: number;
  steps: number;
  /** How changes must be found at least once; SCAN: the source's log is left out of it. */
  detection: 'BINLOG' | 'SCAN';
  /** What only databases of this kind can do, among the steps. */
  changes?: readonly Change[];
}

export async function runIncrementalModel(fixture: SourceContractFixture, options: ModelOptions): Promise<void> {
  const model = await Model.open(fixture, options);
  try {
    await model.run(options.steps);
    await model.expectDifferences();
    await model.expectEveryBackup();
    expect([...model.detections]).toContain(options.detection);
    if (options.detection === 'SCAN') expect([...model.detections]).not.toContain('BINLOG');
  } finally {
    await model.close();
  }
}

/** One history. */
export class Model {
  readonly taken = new Map<BackupId, State>();
  readonly detections = new Set<ChangeDetection>();
  private nextId = 1;
  /** Committed after the next backup: it must not be in it, and must be in the one after. */
  private late: ContractConnection | null = null;

  private constructor(
    readonly sql: ContractConnection,
    readonly random: SeededRandom,
    private readonly bench: EngineBench,
    private readonly ends: (() => unknown)[],
    readonly connect: () => Promise<ContractConnection>,
    private readonly changes: readonly Change[],
  ) {}

  static async open(fixture: SourceContractFixture, { seed, detection, changes = [] }: ModelOptions): Promise<Model> {
    const database = await fixture.createDatabase();
    const sql = await database.connect();
    for (const statement of tables(fixture.types)) await sql.exec(statement);
    const folder = mkdtempSync(join(tmpdir(), 'rv-model-'));
    const source = detection === 'SCAN' ? withoutLog(database.open(MAPPING)) : database.open(MAPPING);
    const ends = [
      () => source.close(),
      () => sql.close(),
      () => database.drop(),
      () => rmSync(folder, { recursive: true }),
    ];
    const bench = { source, store: await openStore(folder), connections: 2 };
    const model = new Model(sql, createSeededRandom(seed), bench, ends, () => database.connect(), [
      ...CHANGES,
      ...changes,
    ]);
    for (let n = 0; n < 20; n++) await insertOwner(model);
    for (let n = 0; n < 30; n++) await insertItems(model);
    return model;
  }

  id(): number {
    return this.nextId++;
  }

  async run(steps: number): Promise<void> {
    for (let step = 0; step < steps; step++) await (this.deed() ?? this.random.pick(this.changes))(this);
  }

  private deed(): Change | undefined {
    return DEEDS.find(({ chance, taken }) => this.taken.size >= taken && this.random.chance(chance))?.act;
  }

  async expectEveryBackup(): Promise<void> {
    await this.commitLate();
    for (const [backupId, state] of this.taken) {
      for (const table of CHILDREN_FIRST) await this.sql.exec(`DROP TABLE ${table}`);
      await restore(this.bench, { backupId });
      expect(await this.state()).toEqual(state);
    }
  }

  /** Between any two backups, as a look at both states side by side finds them. */
  async expectDifferences(): Promise<void> {
    const taken = [...this.taken];
    for (const [backupId, before] of taken) {
      const [targetId, after] = this.random.pick(taken);
      const found = (await run(comparisonTask({ backupId, targetId }), this.bench)) as ComparisonResult;
      const counts = TABLES.map((table) => {
        const { removed, added, changed, unchanged } = found.tables.find((compared) => compared.table === table)!;
        return { removed, added, changed, unchanged };
      });
      expect(counts).toEqual(TABLES.map((table, i) => differences(before[i]!, after[i]!, KEY_LENGTHS[table] ?? 1)));
    }
  }

  /** Writes an owner whose transaction is open while the next backup is taken, where the database lets others write meanwhile. */
  async writeLate(): Promise<void> {
    if (this.late !== null) return;
    const late = await this.connect();
    await late.exec('BEGIN');
    await late.exec(`INSERT INTO owner VALUES ('late${this.id()}', 'late', 0)`);
    this.late = late;
    await this.takeBackup();
    await this.commitLate();
  }

  async close(): Promise<void> {
    await this.commitLate();
    for (const end of this.ends) await end();
  }

  private async commitLate(): Promise<void> {
    await this.late?.exec('COMMIT');
    await this.late?.close();
    this.late = null;
  }

  async takeBackup(): Promise<void> {
    const type = this.random.pick(['FULL', 'INCREMENTAL', 'INCREMENTAL', 'DIFFERENTIAL'] as const);
    const state = await this.state();
    const { manifest } = (await backup(this.bench, { type })).stored;
    expect(manifest.rowCount).toBe(state.flat().length);
    for (const { changeDetection } of manifest.tables) this.detections.add(changeDetection);
    this.taken.set(manifest.backupId, state);
  }

  async forgetOne(): Promise<void> {
    const backupId = this.random.pick([...this.taken.keys()]);
    this.taken.delete(backupId);
    await this.collect([backupId]);
  }

  /** Marks what is garbage, deletes what was marked before, and rewrites packs of which little is left. */
  async collect(backupIds: BackupId[] = []): Promise<void> {
    await run({ kind: 'CLEANUP', jobId: 'j' as never, dryRun: false, backupIds }, this.bench);
  }

  /** As often the newest, on which the next one stands, as any. */
  async compactOne(): Promise<void> {
    const taken = [...this.taken.keys()];
    const backupId = this.random.chance(0.5) ? (taken[taken.length - 1] as BackupId) : this.random.pick(taken);
    const { stored } = await compact(this.bench, backupId);
    expect(stored.manifest.tables.map(({ layers }) => layers.length)).toEqual(TABLES.map(() => 1));
  }

  /** In place, over whatever is there. A column that came since the backup, of which nothing here sets a value, stays. */
  async restoreOne(): Promise<void> {
    const backupId = this.random.pick([...this.taken.keys()]);
    try {
      await restore(this.bench, { backupId });
      expect((await this.state()).map(widened)).toEqual(this.taken.get(backupId)!.map(widened));
    } catch (error) {
      if (!isAppError(error) || error.code !== 'SCHEMA_MISMATCH') throw error;
    }
  }

  private async state(): Promise<State> {
    const state: State = [];
    for (const table of TABLES) state.push(await this.sql.query(`SELECT * FROM ${table} ORDER BY 1, 2`));
    return state;
  }
}

function widened(rows: State[number]): State[number] {
  return rows.map((row) => [...row, null, null, null].slice(0, 5));
}

/** Of a table with another column in one of the states: by those that both have, which are the first ones. */
function differences(before: State[number], after: State[number], keyLength: number): DiffCounts {
  const width = Math.min(...[before, after].map(([row]) => row?.length ?? Infinity));
  const byKey = (rows: State[number]): Map<string, string> =>
    new Map(rows.map((row) => [JSON.stringify(row.slice(0, keyLength)), JSON.stringify(row.slice(0, width))]));
  const [was, is] = [byKey(before), byKey(after)];
  const kept = [...was].filter(([key]) => is.has(key));
  const unchanged = kept.filter(([key, row]) => is.get(key) === row).length;
  const changed = kept.length - unchanged;
  return { removed: was.size - kept.length, added: is.size - kept.length, changed, unchanged };
}

/** The same source, as if it kept no log. */
function withoutLog(source: Source): Source {
  return Object.create(source, { readChangeLog: { value: undefined } }) as Source;
}

const owners = (model: Model): Promise<(string | null)[][]> => model.sql.query(`SELECT id FROM owner ORDER BY id`);

async function someOwner(model: Model): Promise<string | null> {
  const found = await owners(model);
  return found.length === 0 ? null : (model.random.pick(found)[0] ?? null);
}

const insertOwner: Change = (model) => model.sql.exec(`INSERT INTO owner VALUES ('o${model.id()}', 'Größe', 0)`);

const insertItems: Change = async (model) => {
  const owner = await someOwner(model);
  if (owner === null) return;
  const ids = Array.from({ length: model.random.int(1, 40) }, () => model.id());
  const bodies = ids.map((id) => `(${id}, '${owner}', '${String(id).repeat(model.random.int(1, 400))}', ${id})`);
  await model.sql.exec(`INSERT INTO item VALUES ${bodies.join(',')}`);
  const notes = ids.filter((id) => id % 3 === 0).map((id) => `(${id}, ${id}, 'note')`);
  if (notes.length > 0) await model.sql.exec(`INSERT INTO note VALUES ${notes.join(',')}`);
};

/** Of the backups, by chance, once as many are there. */
const DEEDS: { chance: number; taken: number; act: Change }[] = [
  { chance: 0.25, taken: 0, act: (model) => model.takeBackup() },
  { chance: 0.1, taken: 4, act: (model) => model.forgetOne() },
  { chance: 0.1, taken: 0, act: (model) => model.collect() },
  { chance: 0.1, taken: 1, act: (model) => model.compactOne() },
  { chance: 0.05, taken: 1, act: (model) => model.restoreOne() },
];

/** Of the source. */
const CHANGES: Change[] = [
  insertOwner,
  insertItems,
  insertItems,
  ({ sql, random }) => sql.exec(`UPDATE item SET body = 'changed' WHERE id % ${random.int(20, 60)} = 0`),
  ({ sql, random }) =>
    sql.exec(`UPDATE item SET body = 'seen', updated_at = updated_at + 1 WHERE id % ${random.int(20, 60)} = 3`),
  ({ sql }) => sql.exec(`UPDATE owner SET version = version + 1`),
  async (model) => model.sql.exec(`DELETE FROM owner WHERE id = '${await someOwner(model)}'`), // cascades, and sets NULL
  async (model) => model.sql.exec(`UPDATE owner SET id = 'k${model.id()}' WHERE id = '${await someOwner(model)}'`), // cascades
  async (model) => {
    const [owner, renamed] = [await someOwner(model), `k${model.id()}`];
    await model.sql.exec(`UPDATE owner SET id = '${renamed}' WHERE id = '${owner}'`);
    await model.sql.exec(`DELETE FROM owner WHERE id = '${renamed}'`); // cascades by a value that no backup has
  },
  ({ sql, random }) => sql.exec(`DELETE FROM item WHERE id % ${random.int(10, 30)} = 1`), // sets NULL
  ({ sql }) => sql.exec(`DELETE FROM note`),
  ({ sql, random }) => sql.exec(`DELETE FROM setting WHERE n % 2 = ${random.int(0, 1)}`),
  async (model) => {
    const name = model.random.pick(['alpha', 'Beta', 'gamma', 'ÄRGER', 'straße']);
    const columns = 'name, n, value';
    await model.sql.exec(`INSERT INTO setting (${columns}) VALUES ('${name}', ${model.id()}, 'v')`);
  },
  ({ sql }) => sql.exec(`UPDATE setting SET name = UPPER(name)`), // the same key to the collation, another to us
  async ({ sql, random }) => {
    if (!random.chance(0.2)) return;
    const [row] = await sql.query(`SELECT * FROM setting LIMIT 1`);
    if (row?.length === 3) await sql.exec(`ALTER TABLE setting ADD COLUMN extra BIGINT NULL`);
  },
  (model) => model.writeLate(),
];
