/**
 * A model test of changes that foreign keys make unlogged: random statements on tables that are joined by every kind of them, with an
 * incremental or differential backup in between. Each must hold the very rows that a full backup of the same moment holds.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Manifest } from '../../src/domain/manifest';
import { chunkSpans, readSpan } from '../../src/engine/reading/backup-rows';
import { createSeededRandom, type SeededRandom } from '../../src/sources/seeded-random';
import { backup, compact, type EngineBench } from './engine-context';
import { rowsOf } from './engine-rows';
import { openStore } from './engine-scenarios';
import type { MariadbServer } from './mariadb';
import { MysqlStand } from './mysql-stand';

const CODE = 'VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci';

/** Composite keys, columns that two keys share, a key of decimals, a table that refers to itself, and `u`, which nobody backs up. */
const SCHEMA = [
  `CREATE TABLE top (code ${CODE} PRIMARY KEY, n INT)`,
  `CREATE TABLE p (id INT PRIMARY KEY, code ${CODE}, t INT NOT NULL, n INT, UNIQUE (code, t), UNIQUE (t, id), KEY (code),
     CONSTRAINT p_top FOREIGN KEY (code) REFERENCES top (code) ON UPDATE CASCADE ON DELETE CASCADE)`,
  `CREATE TABLE c (id INT PRIMARY KEY, p INT, t INT, code ${CODE}, self INT, n INT, k DECIMAL(6,2) UNIQUE,
     CONSTRAINT c_p FOREIGN KEY (t, p) REFERENCES p (t, id) ON DELETE CASCADE ON UPDATE CASCADE,
     CONSTRAINT c_code FOREIGN KEY (code, t) REFERENCES p (code, t) ON DELETE SET NULL,
     CONSTRAINT c_self FOREIGN KEY (self) REFERENCES c (id) ON DELETE CASCADE)`,
  `CREATE TABLE g (c INT, n INT, note INT, PRIMARY KEY (c, n),
     CONSTRAINT g_c FOREIGN KEY (c) REFERENCES c (id) ON DELETE CASCADE ON UPDATE CASCADE)`,
  `CREATE TABLE h (id INT PRIMARY KEY, gc INT, gn INT, code ${CODE}, k DECIMAL(6,2),
     CONSTRAINT h_g FOREIGN KEY (gc, gn) REFERENCES g (c, n) ON DELETE SET NULL ON UPDATE CASCADE,
     CONSTRAINT h_k FOREIGN KEY (k) REFERENCES c (k) ON DELETE CASCADE ON UPDATE CASCADE,
     CONSTRAINT h_top FOREIGN KEY (code) REFERENCES top (code) ON DELETE SET NULL ON UPDATE CASCADE)`,
  `CREATE TABLE u (id INT PRIMARY KEY, p INT, CONSTRAINT u_p FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE)`,
  `CREATE TABLE v (id INT PRIMARY KEY, u INT, CONSTRAINT v_u FOREIGN KEY (u) REFERENCES u (id) ON DELETE CASCADE)`,
  `CREATE TABLE w (id INT PRIMARY KEY, h INT, CONSTRAINT w_h FOREIGN KEY (h) REFERENCES h (id) ON DELETE CASCADE)`,
];
const BACKED_UP = ['top', 'p', 'c', 'g', 'h', 'v', 'w'];
const FIRST_ROWS = 400;

type Row = readonly (string | null)[];
type Step = (model: CascadeModel) => Promise<unknown>;

/** How often the changes of each table were found which way. */
export type Detections = ReadonlyMap<string, number>;

export async function runCascadeModel(
  server: MariadbServer,
  { seed, rounds }: { seed: number; rounds: number },
): Promise<Detections> {
  const model = await CascadeModel.open(server, seed);
  try {
    for (let round = 0; round < rounds; round++) await model.round(round);
    return model.detections;
  } finally {
    await model.close();
  }
}

class CascadeModel {
  readonly detections = new Map<string, number>();
  /** Since the last backup, for whoever reads a failure. */
  private history: string[] = [];

  private constructor(
    private readonly stand: MysqlStand,
    private readonly truth: EngineBench,
    readonly random: SeededRandom,
    private readonly folder: string,
  ) {}

  static async open(server: MariadbServer, seed: number): Promise<CascadeModel> {
    const stand = await MysqlStand.open(SCHEMA, BACKED_UP, { server });
    const folder = mkdtempSync(join(tmpdir(), 'rv-cascades-'));
    const truth = { ...stand.bench, store: await openStore(folder) };
    const model = new CascadeModel(stand, truth, createSeededRandom(seed), folder);
    for (let n = 0; n < FIRST_ROWS; n++) await model.random.pick(INSERTS)(model);
    await backup(stand.bench, { type: 'FULL' });
    return model;
  }

  async round(round: number): Promise<void> {
    this.history = [];
    for (let n = this.int(1, 14); n > 0; n--) await this.random.pick(this.random.chance(0.5) ? INSERTS : CHANGES)(this);
    const type = this.random.pick(['INCREMENTAL', 'INCREMENTAL', 'INCREMENTAL', 'DIFFERENTIAL'] as const);
    const { manifest } = (await backup(this.stand.bench, { type })).stored;
    this.note(manifest);
    const whole = (await backup(this.truth, { type: 'FULL' })).stored.manifest;
    const seen = { round, type, history: this.history };
    expect({ ...seen, rows: await this.rowsIn(this.stand.bench, manifest) }).toEqual({
      ...seen,
      rows: await this.rowsIn(this.truth, whole),
    });
    if (this.random.chance(0.1)) await compact(this.stand.bench, manifest.backupId);
  }

  /** A statement that foreign and unique keys may forbid. */
  async exec(sql: string): Promise<void> {
    try {
      await this.stand.exec(sql);
      this.history.push(sql);
    } catch (error) {
      if (!/foreign key|Duplicate|cannot be null/i.test(String(error))) throw error;
    }
  }

  async withoutChecks(sql: string): Promise<void> {
    await this.exec('SET foreign_key_checks = 0');
    await this.exec(sql);
    await this.exec('SET foreign_key_checks = 1');
  }

  /** Some row of the table, by these columns, quoted for SQL; NULLs where it has none. */
  async some(table: string, columns: string): Promise<string[]> {
    const rows = (await this.stand.rows(`SELECT ${columns} FROM ${table} ORDER BY 1, 2`)) as Row[];
    const row = rows.length === 0 ? columns.split(',').map(() => null) : this.random.pick(rows);
    return row.map((value) => (value === null ? 'NULL' : `'${String(value)}'`));
  }

  int(from: number, to: number): number {
    return this.random.int(from, to);
  }

  code(): string {
    return `'${this.random.pick(['a', 'A', 'b', 'B', 'C', 'c'])}${this.int(0, 6)}'`;
  }

  /** Of the key of `c`, with two decimals or NULL. */
  amount(): string {
    return this.random.chance(0.7) ? String(this.int(1, 80) / 4) : 'NULL';
  }

  async close(): Promise<void> {
    await this.stand.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private note({ tables }: Manifest): void {
    for (const { table, changeDetection } of tables) {
      const name = `${table} ${changeDetection}`;
      this.detections.set(name, (this.detections.get(name) ?? 0) + 1);
    }
  }

  private async rowsIn({ store, source }: EngineBench, { tables }: Manifest): Promise<Record<string, string[]>> {
    const found: Record<string, string[]> = {};
    for (const table of tables) {
      const rows: string[] = [];
      for await (const span of chunkSpans(store, table)) {
        const batch = await readSpan(table, span, { store, codec: source.codec });
        rows.push(...rowsOf(batch).map((row) => row.toString('latin1')));
      }
      expect([table.table, rows.length]).toEqual([table.table, table.rowCount]);
      found[table.table] = rows.sort();
    }
    return found;
  }
}

const INSERTS: Step[] = [
  (m) =>
    m.exec(`${m.random.pick(['INSERT', 'REPLACE', 'INSERT IGNORE'])} INTO top VALUES (${m.code()}, ${m.int(0, 9)})`),
  async (m) => {
    const [code] = await m.some('top', 'code, n');
    await m.exec(`${m.random.pick(['INSERT', 'REPLACE'])} INTO p VALUES (${m.int(1, 30)}, ${code}, ${m.int(1, 3)}, 0)`);
  },
  async (m) => {
    const [p, t, code] = await m.some('p', 'id, t, code');
    const [self] = m.random.chance(0.4) ? await m.some('c', 'id, n') : ['NULL'];
    const of = `${p}, ${t}, ${m.random.chance(0.5) ? code : 'NULL'}, ${self}`;
    await m.exec(`${m.random.pick(['INSERT', 'REPLACE'])} INTO c VALUES (${m.int(1, 80)}, ${of}, 0, ${m.amount()})`);
  },
  async (m) => m.exec(`REPLACE INTO g VALUES (${(await m.some('c', 'id, n'))[0]}, ${m.int(1, 4)}, ${m.int(0, 99)})`),
  async (m) => {
    const [gc, gn] = await m.some('g', 'c, n');
    const [code] = m.random.chance(0.6) ? await m.some('top', m.random.pick(['code, n', 'UPPER(code), n'])) : ['NULL'];
    const [k] = m.random.chance(0.5) ? await m.some('c', 'k, id') : ['NULL'];
    const again = 'ON DUPLICATE KEY UPDATE gn = VALUES(gn), gc = VALUES(gc)';
    await m.exec(`INSERT INTO h VALUES (${m.int(1, 150)}, ${gc}, ${gn}, ${code}, ${k}) ${again}`);
  },
  async (m) => m.exec(`INSERT IGNORE INTO u VALUES (${m.int(1, 40)}, ${(await m.some('p', 'id, t'))[0]})`),
  async (m) => m.exec(`INSERT IGNORE INTO v VALUES (${m.int(1, 60)}, ${(await m.some('u', 'id, p'))[0]})`),
  async (m) => m.exec(`INSERT IGNORE INTO w VALUES (${m.int(1, 60)}, ${(await m.some('h', 'id, gc'))[0]})`),
];

/** Changes a row and, now and then, deletes it under its new key before anybody took a backup. */
async function changeThenDelete(model: CascadeModel, { change, row }: { change: string; row: string }): Promise<void> {
  await model.exec(change);
  if (model.random.chance(0.4)) await model.exec(`DELETE FROM ${row}`);
}

const CHANGES: Step[] = [
  async (m) => {
    const [[was], code] = [await m.some('top', 'code, n'), m.code()];
    await changeThenDelete(m, {
      change: `UPDATE top SET code = ${code} WHERE code = ${was}`,
      row: `top WHERE code = ${code}`,
    });
  },
  async (m) => {
    const [p] = await m.some('p', 'id, t');
    await changeThenDelete(m, { change: `UPDATE p SET t = ${m.int(1, 3)} WHERE id = ${p}`, row: `p WHERE id = ${p}` });
  },
  async (m) => {
    const [[p], id] = [await m.some('p', 'id, t'), m.int(1, 30)];
    await changeThenDelete(m, { change: `UPDATE p SET id = ${id} WHERE id = ${p}`, row: `p WHERE id = ${id}` });
  },
  async (m) => {
    const [[c], id] = [await m.some('c', 'id, n'), m.int(1, 80)];
    await changeThenDelete(m, { change: `UPDATE c SET id = ${id} WHERE id = ${c}`, row: `c WHERE id = ${id}` });
  },
  async (m) => {
    const [c] = await m.some('c', 'id, n');
    await changeThenDelete(m, { change: `UPDATE c SET k = ${m.amount()} WHERE id = ${c}`, row: `c WHERE id = ${c}` });
  },
  async (m) => {
    const [c] = await m.some('c', 'id, n');
    const change = m.random.pick([`id = ${m.int(1, 80)}`, `k = ${m.amount()}`]);
    await m.withoutChecks(
      m.random.chance(0.3) ? `DELETE FROM c WHERE id = ${c}` : `UPDATE c SET ${change} WHERE id = ${c}`,
    );
  },
  async (m) => {
    const [p] = await m.some('p', 'id, t');
    const change = m.random.pick([`id = ${m.int(1, 30)}`, `t = ${m.int(1, 3)}`]);
    await m.withoutChecks(
      m.random.chance(0.3) ? `DELETE FROM p WHERE id = ${p}` : `UPDATE p SET ${change} WHERE id = ${p}`,
    );
  },
  (m) => m.withoutChecks(`UPDATE top SET code = ${m.code()} WHERE code = ${m.code()}`),
  (m) => m.withoutChecks(`UPDATE g SET c = ${m.int(1, 80)} WHERE c = ${m.int(1, 80)}`),
  (m) => m.exec(`DELETE FROM top WHERE code = ${m.code()}`),
  (m) => m.exec(`UPDATE top SET n = n + 1 WHERE code = ${m.code()}`),
  (m) => m.exec(`DELETE FROM p WHERE id = ${m.int(1, 30)}`),
  async (m) => m.exec(`UPDATE p SET code = ${(await m.some('top', 'code, n'))[0]} WHERE id = ${m.int(1, 30)}`),
  (m) => m.exec(`DELETE FROM c WHERE id = ${m.int(1, 80)}`),
  async (m) => {
    const [p, t] = await m.some('p', 'id, t');
    await m.exec(`UPDATE c SET p = ${p}, t = ${t} WHERE id = ${m.int(1, 80)}`);
  },
  async (m) => m.exec(`UPDATE c SET self = ${(await m.some('c', 'id, n'))[0]} WHERE id = ${m.int(1, 80)}`),
  (m) => m.exec(`DELETE c, p FROM c JOIN p ON c.p = p.id WHERE c.id = ${m.int(1, 80)}`),
  (m) => m.exec(`UPDATE g SET n = ${m.int(1, 4)} WHERE c = ${m.int(1, 80)} AND n = ${m.int(1, 4)}`),
  (m) => m.exec(`DELETE FROM g WHERE n = ${m.int(1, 4)} LIMIT 2`),
  (m) => m.exec(`UPDATE h SET id = ${m.int(1, 150)} WHERE id = ${m.int(1, 150)}`),
  async (m) => {
    await m.exec('BEGIN');
    await m.exec(`DELETE FROM p WHERE id = ${m.int(1, 30)}`);
    await m.exec('SAVEPOINT s');
    await m.exec(`DELETE FROM c WHERE id = ${m.int(1, 80)}`);
    await m.exec(`UPDATE c SET id = ${m.int(1, 80)} WHERE id = ${m.int(1, 80)}`);
    await m.exec('ROLLBACK TO s');
    await m.random.pick(INSERTS)(m);
    await m.exec(m.random.chance(0.8) ? 'COMMIT' : 'ROLLBACK');
  },
  async (m) => {
    if (!m.random.chance(0.1)) return;
    await m.exec('ALTER TABLE h DROP FOREIGN KEY h_k');
    await m.exec(`DELETE FROM c WHERE id = ${m.int(1, 80)}`);
    const references = 'FOREIGN KEY (k) REFERENCES c (k) ON DELETE CASCADE ON UPDATE CASCADE';
    await m.withoutChecks(`ALTER TABLE h ADD CONSTRAINT h_k ${references}`);
  },
];
