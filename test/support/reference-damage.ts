/**
 * The reference platform with a backup of it, and what goes wrong in its life: rows changed, deleted and added, keys and unique values
 * that change hands, tables emptied and dropped, all over the tables. Beside it stand tables that no mapping knows and that refer into it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BackupId } from '../../src/domain/ids';
import type { Source } from '../../src/domain/source';
import type { Repository } from '../../src/repository/repository';
import type { SeededRandom } from '../../src/sources/seeded-random';
import type { ContractConnection } from '../contract/source-contract';
import { backup, type EngineBench } from './engine-context';
import { openStore } from './engine-scenarios';
import { PLATFORM_TABLES, type Platform, type PlatformTable } from './service-platforms';

type Row = (string | null)[];
/** Rows as text, in a fixed order of no meaning; null for a table that is not there. */
export type Rows = Record<PlatformTable | 'case_file', Row[] | null>;

export interface ReferencePlace {
  platform: Platform;
  sql: ContractConnection;
  source: Source;
  connect(): Promise<ContractConnection>;
}

export class DamagedPlatform {
  private constructor(
    readonly place: ReferencePlace,
    readonly store: Repository,
    private readonly folder: string,
    readonly backupId: BackupId,
    /** As the backup has it. */
    readonly whole: Rows,
    /** Ids by table, as they were. */
    private readonly ids: Record<PlatformTable, string[]>,
  ) {}

  static async open(place: ReferencePlace): Promise<DamagedPlatform> {
    const { sql, source } = place;
    await sql.exec(`CREATE TABLE case_file (id INTEGER NOT NULL PRIMARY KEY, tenant_id VARCHAR(36)${ascii(place)} NOT NULL,
      business_id VARCHAR(36)${ascii(place)} NOT NULL, FOREIGN KEY (tenant_id, business_id) REFERENCES businesses (tenant_id, id))`);
    await sql.exec(`INSERT INTO case_file SELECT 1, tenant_id, id FROM businesses ORDER BY id LIMIT 1`);
    const folder = mkdtempSync(join(tmpdir(), 'riskvault-damage-'));
    const store = await openStore(folder);
    const { stored } = await backup({ source, store, connections: 2 });
    const whole = await rowsOf(place);
    const ids = Object.fromEntries(PLATFORM_TABLES.map((table) => [table, (whole[table] ?? []).map(([id]) => id)]));
    return new DamagedPlatform(place, store, folder, stored.manifest.backupId, whole, ids as never);
  }

  get bench(): EngineBench {
    return { source: this.place.source, store: this.store, connections: 2 };
  }

  rows(): Promise<Rows> {
    return rowsOf(this.place);
  }

  /** Does one mishap of these kinds; one that meets a table that is gone does nothing. */
  async harm(random: SeededRandom, kinds: readonly Mishap[] = MISHAPS): Promise<void> {
    const states = await this.place.source.tableStates(PLATFORM_TABLES);
    const isThere = (table: PlatformTable): boolean => states.get(table) !== 'MISSING';
    const idOf = (table: PlatformTable): string => `'${random.pick(this.ids[table])}'`;
    const some = (table: PlatformTable): string =>
      random.sample(this.ids[table], random.int(1, 20)).map((id) => `'${id}'`).join(','); // prettier-ignore
    const statements = await random.pick(kinds)({
      random,
      idOf,
      some,
      isThere,
      query: (text) => this.place.sql.query(text),
    });
    for (const statement of statements) await this.place.sql.exec(statement);
  }

  async close(): Promise<void> {
    await this.place.source.close();
    await this.place.sql.close();
    await this.place.platform.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const ascii = ({ platform }: ReferencePlace): string =>
  platform.kind === 'mariadb' ? ' CHARACTER SET ascii COLLATE ascii_bin' : '';

async function rowsOf({ sql, source }: ReferencePlace): Promise<Rows> {
  const states = await source.tableStates(PLATFORM_TABLES);
  const found: [string, Row[] | null][] = [];
  for (const table of [...PLATFORM_TABLES, 'case_file'] as const) {
    const isMissing = states.get(table) === 'MISSING';
    found.push([table, isMissing ? null : inOrder(await sql.query(`SELECT * FROM ${table}`))]);
  }
  return Object.fromEntries(found) as Rows;
}

export function inOrder(rows: readonly Row[]): Row[] {
  return rows.map((row) => [JSON.stringify(row), row] as const).sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row); // prettier-ignore
}

interface Scene {
  random: SeededRandom;
  /** Of one row of the backup, quoted; it may be gone by now. */
  idOf(table: PlatformTable): string;
  /** Of some. */
  some(table: PlatformTable): string;
  isThere(table: PlatformTable): boolean;
  query(sql: string): Promise<Row[]>;
}

export type Mishap = (scene: Scene) => string[] | Promise<string[]>;

const CHANGES: readonly [PlatformTable, (n: number) => string][] = [
  ['tenants', (n) => `name = 'harm ${n}'`],
  ['businesses', (n) => `name = 'harm ${n}', annual_revenue = NULL, address = '{"harm": ${n}}'`],
  ['risk_assessments', (n) => `overall_score = ${n % 100}, website_content = NULL, confidence = 0.5`],
  ['risk_factor_scores', (n) => `score = ${n % 100}.25, explanation = 'harm ${n}'`],
  ['risk_trends', (n) => `score = ${n % 100}, level = 'low'`],
  ['risk_alerts', () => `acknowledged = 1, acknowledged_at = '2026-01-01 00:00:00.000000'`],
  ['risk_history', (n) => `details = '{"harm": ${n}}', score = NULL`],
  ['risk_thresholds', (n) => `priority = ${n}, description = ''`],
  ['risk_config', (n) => `version = version + 1, config_value = '{"harm": ${n}}'`],
];

const change: Mishap = ({ random, some, isThere }) => {
  const [table, values] = random.pick(CHANGES);
  return isThere(table) ? [`UPDATE ${table} SET ${values(random.int(1, 9999))} WHERE id IN (${some(table)})`] : [];
};

const LEAVES = ['risk_factor_scores', 'risk_trends', 'risk_alerts', 'risk_history', 'risk_config'] as const;

const remove: Mishap = ({ random, some, isThere }) => {
  const table = random.pick(['risk_assessments', 'risk_thresholds', ...LEAVES] as const);
  return isThere(table) ? [`DELETE FROM ${table} WHERE id IN (${some(table)})`] : [];
};

/** With all that is theirs. Of one that a case file refers to the database would refuse it. */
const removeBusinesses: Mishap = ({ some }) => [
  `DELETE FROM businesses WHERE id IN (${some('businesses')}) AND id NOT IN (SELECT business_id FROM case_file)`,
];

const MOMENT = `'2026-01-01 00:00:00.000001'`;
const ADDITIONS: readonly [PlatformTable, (n: number, business: string, assessment: string) => string][] = [
  ['businesses', (n, business) => `businesses (id, tenant_id, name, legal_name, registration_number)
     SELECT 'harm-${n}', tenant_id, 'harm', 'harm', 'HARM-${n}' FROM businesses WHERE id = ${business}`],
  ['risk_assessments', (n, business) => `risk_assessments (id, tenant_id, business_id, business_name, assessment_method, source)
     SELECT 'harm-${n}', tenant_id, id, name, 'model', 'harm' FROM businesses WHERE id = ${business}`],
  ['risk_factor_scores', (n, _, assessment) => `risk_factor_scores (assessment_id, tenant_id, factor_id, factor_name, category, score, level, calculated_at)
     SELECT id, tenant_id, 'harm-${n}', 'harm', 'other', 1, 'low', ${MOMENT} FROM risk_assessments WHERE id = ${assessment}`],
  ['risk_trends', (n, business) => `risk_trends (tenant_id, business_id, category, score, level, change_from, change_period, recorded_at)
     SELECT tenant_id, id, 'other', ${n % 100}, 'low', 0, 'HARM-${n}', ${MOMENT} FROM businesses WHERE id = ${business}`],
  ['risk_alerts', (n, business) => `risk_alerts (id, tenant_id, business_id, risk_factor, level, message, score, threshold, triggered_at)
     SELECT 'harm-${n}', tenant_id, id, 'harm', 'low', 'harm', 1, 2, ${MOMENT} FROM businesses WHERE id = ${business}`],
  ['risk_history', (_, business) => `risk_history (tenant_id, business_id, change_type, occurred_at)
     SELECT tenant_id, id, 'harm', ${MOMENT} FROM businesses WHERE id = ${business}`],
  ['risk_config', (n, business) => `risk_config (tenant_id, business_id, config_type, config_key, config_value)
     SELECT tenant_id, id, 'harm', 'harm-${n}', '{}' FROM businesses WHERE id = ${business}`],
]; // prettier-ignore

const add: Mishap = ({ random, idOf, isThere }) => {
  const [table, insert] = random.pick(ADDITIONS);
  if (!isThere(table)) return [];
  return [`INSERT INTO ${insert(random.int(1, 1e9), idOf('businesses'), idOf('risk_assessments'))}`];
};

const empty: Mishap = ({ random, isThere }) => {
  const table = random.pick(LEAVES);
  return isThere(table) ? [`DELETE FROM ${table}`] : [];
};

const drop: Mishap = ({ random, isThere }) => {
  const table = random.pick(LEAVES);
  return isThere(table) ? [`DROP TABLE ${table}`] : [];
};

const changeKey: Mishap = ({ random, idOf, some, isThere }) => [
  ...(isThere('risk_alerts') ? [`UPDATE risk_alerts SET id = 'moved-${random.int(1, 1e9)}' WHERE id = ${idOf('risk_alerts')}`] : []),
  ...(isThere('risk_history') ? [`UPDATE risk_history SET id = id + 1000000 WHERE id IN (${some('risk_history')}) AND id < 1000000`] : []),
]; // prettier-ignore

/** Two businesses of a tenant exchange what is unique there. */
const swapNumbers: Mishap = async ({ idOf, query }) => {
  const [one] = await query(
    `SELECT id, tenant_id, registration_number FROM businesses WHERE id = ${idOf('businesses')}`,
  );
  if (one === undefined) return [];
  const [id, tenant, number] = one;
  const [other] = await query(
    `SELECT id, registration_number FROM businesses WHERE tenant_id = '${tenant}' AND id > '${id}' ORDER BY id LIMIT 1`,
  );
  if (other === undefined) return [];
  const set = (of: string | null | undefined, to: string | null | undefined): string =>
    `UPDATE businesses SET registration_number = '${to}' WHERE id = '${of}'`;
  return [set(id, 'on the way'), set(other[0], number), set(id, other[1])];
};

/** The same, where the unique key covers a virtual column. */
const swapDefaults: Mishap = async ({ query }) => {
  const rows = await query(
    'SELECT id, category FROM risk_thresholds WHERE is_default = 1 AND tenant_id IS NULL ORDER BY id',
  );
  const [one, other] = rows;
  if (one === undefined || other === undefined || rows.some(([, category]) => category === 'other')) return [];
  const set = (of: string | null | undefined, to: string | null | undefined): string =>
    `UPDATE risk_thresholds SET category = '${to}' WHERE id = '${of}'`;
  return [set(one[0], 'other'), set(other[0], one[1]), set(one[0], other[1])];
};

/** Those that leave every table where it is, and harm no two businesses at once. */
export const ROW_MISHAPS: readonly Mishap[] = [change, change, remove, removeBusinesses, add, add, empty];
export const MISHAPS: readonly Mishap[] = [...ROW_MISHAPS, drop, changeKey, swapNumbers, swapDefaults];
