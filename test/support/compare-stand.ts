/** A platform of which two states are compared, and what SQL on restored copies of both tells. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChangesFound, ChangesWanted, FoundChange, ChangePlace } from '../../src/domain/backup-reader';
import { ROW_CHANGE_KINDS } from '../../src/domain/change-set';
import type { DataType } from '../../src/domain/data-type';
import type { BackupId } from '../../src/domain/ids';
import type { Source } from '../../src/domain/source';
import type { ComparisonResult } from '../../src/domain/task';
import type { JsonRow } from '../../src/domain/values';
import type { Repository } from '../../src/repository/repository';
import { createSeededRandom } from '../../src/sources/seeded-random';
import type { ContractConnection, ContractDatabase, SourceContractFixture } from '../contract/source-contract';
import { backup, comparisonTask, run, type EngineBench } from './engine-context';
import { openStore } from './engine-scenarios';
import { Filters, ITEMS, recordChanges, RECORDS_MAPPING, recordRows, recordTables } from './record-platform';

interface Table {
  dataType: DataType;
  key: string[];
  others: string[];
  /** Whose its rows are: a condition on a table of the name that stands for `T`. */
  owned?: (businessId: string, prefix: string) => string;
}

export const TABLES: Record<string, Table> = {
  business: { dataType: 'BUSINESSES', key: ['id'], others: [], owned: (id) => `T.id = '${id}'` },
  item: {
    dataType: 'ASSESSMENTS',
    key: ['id'],
    others: ['business_id', 'n', 'amount', 'ratio', 'note', 'day', 'data', 'pad'],
    owned: (id) => `T.business_id = '${id}'`,
  },
  part: {
    dataType: 'FACTORS',
    key: ['item_id', 'name'],
    others: ['n'],
    owned: (id, prefix) => `T.item_id IN (SELECT id FROM ${prefix}item WHERE business_id = '${id}')`,
  },
  odd: { dataType: 'TRENDS', key: ['k'], others: ['n'] },
  setting: { dataType: 'CONFIG', key: ['name'], others: ['n'] },
};
/** Where a restored copy of the base lies. */
export const BASE = 'base_';

interface Found {
  removed: string[];
  added: string[];
  changed: string[];
}

export class Stand {
  readonly random = createSeededRandom(77);
  readonly filters: Filters;
  /** Keys of items that come next. */
  private nextItem = ITEMS + 1;

  private constructor(
    readonly database: ContractDatabase,
    readonly sql: ContractConnection,
    readonly source: Source,
    readonly store: Repository,
    readonly folder: string,
    readonly isSqlite: boolean,
  ) {
    this.filters = new Filters(this.random, isSqlite);
  }

  static async open(fixture: SourceContractFixture, isSqlite: boolean): Promise<Stand> {
    const database = await fixture.createDatabase();
    const sql = await database.connect();
    const folder = mkdtempSync(join(tmpdir(), 'riskvault-compare-'));
    const stand = new Stand(database, sql, database.open(RECORDS_MAPPING), await openStore(folder), folder, isSqlite);
    for (const statement of [...recordTables(fixture.types), ...recordRows(stand.random, stand.filters)])
      await sql.exec(statement);
    return stand;
  }

  get bench(): EngineBench {
    return { source: this.source, store: this.store, connections: 2 };
  }

  async change(): Promise<void> {
    for (const statement of recordChanges(this.random, this.filters, this.nextItem)) await this.sql.exec(statement);
    await this.sql.exec(`INSERT INTO setting VALUES ('s${this.nextItem}', 1)`);
    this.nextItem += 100;
  }

  async backup(...args: Parameters<typeof backup> extends [unknown, ...infer Rest] ? Rest : never): Promise<BackupId> {
    return (await backup(this.bench, ...args)).stored.manifest.backupId;
  }

  compare(wanted: Wanted, bench: EngineBench = this.bench): Promise<ComparisonResult> {
    return run(comparisonTask(wanted), bench) as Promise<ComparisonResult>;
  }

  async page(wanted: ChangesWanted, signal?: AbortSignal): Promise<ChangesFound> {
    return (await run({ kind: 'ROW_CHANGES', wanted }, { ...this.bench, signal })) as never;
  }

  /** All changes, a page of any size after the other. */
  async changes({ changeSet }: ComparisonResult, wanted: Partial<ChangesWanted> = {}): Promise<FoundChange[]> {
    const found: FoundChange[] = [];
    for (let from: ChangePlace | null | undefined; from !== null;) {
      const limit = this.random.int(1, 100);
      const all = { comparisonId: changeSet.changeSetId, dataType: null, table: null, kinds: ROW_CHANGE_KINDS };
      const { changes, next } = await this.page({ ...all, ...wanted, limit, from: from ?? null });
      expect(changes.length).toBeLessThanOrEqual(limit);
      found.push(...changes);
      from = this.random.chance(0.2) ? (changes.at(-1)?.next ?? next) : next;
    }
    return found;
  }

  async copyBase(): Promise<void> {
    for (const table of Object.keys(TABLES)) {
      await this.sql.exec(`DROP TABLE IF EXISTS ${BASE}${table}`);
      await this.sql.exec(`CREATE TABLE ${BASE}${table} AS SELECT * FROM ${table}`);
    }
  }

  async expected(name: string, businessId: string | null = null): Promise<Found> {
    const { key, others, owned } = TABLES[name]!;
    const scope = (prefix: string): string =>
      businessId === null ? '1 = 1' : owned!(businessId, prefix).replaceAll('T.', `${prefix}${name}.`);
    const [base, target] = [`${BASE}${name}`, name];
    const same = key.map((column) => `${base}.${column} = ${target}.${column}`).join(' AND ');
    const equal = others.map((column) => this.same(`${base}.${column}`, `${target}.${column}`)).join(' AND ') || '1 = 1'; // prettier-ignore
    const keys = (of: string): string => key.map((column) => `${of}.${column}`).join(', ');
    const alone = (one: string, oneScope: string, other: string, otherScope: string): string =>
      `SELECT ${keys(one)} FROM ${one} WHERE ${oneScope} AND NOT EXISTS (SELECT 1 FROM ${other} WHERE ${same} AND ${otherScope})`;
    const [inBase, inTarget] = [scope(BASE), scope('')];
    const differing = `SELECT ${keys(base)} FROM ${base}, ${target} WHERE ${same} AND ${inBase} AND ${inTarget} AND NOT (${equal})`;
    return {
      removed: await this.keys(alone(base, inBase, target, inTarget)),
      added: await this.keys(alone(target, inTarget, base, inBase)),
      changed: await this.keys(differing),
    };
  }

  async count(sql: string): Promise<number> {
    return Number((await this.sql.query(sql))[0]?.[0]);
  }

  /** Of the rows of both copies, how many differ in a column. */
  differingIn(name: string, column: string): Promise<number> {
    const [base, target] = [`${BASE}${name}`, name];
    const same = TABLES[name]!.key.map((part) => `${base}.${part} = ${target}.${part}`).join(' AND ');
    return this.count(
      `SELECT COUNT(*) FROM ${base}, ${target} WHERE ${same} AND NOT (${this.same(`${base}.${column}`, `${target}.${column}`)})`,
    );
  }

  async close(): Promise<void> {
    await this.source.close();
    await this.sql.close();
    await this.database.drop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private same(one: string, other: string): string {
    return this.isSqlite ? `${one} IS ${other}` : `CAST(${one} AS BINARY) <=> CAST(${other} AS BINARY)`;
  }

  private async keys(sql: string): Promise<string[]> {
    return (await this.sql.query(sql)).map((row) => row.map(spellValue).join('/')).sort();
  }
}

type Wanted = Parameters<typeof comparisonTask>[0];

/** Numbers as JSON has them: the databases print 1.0 and 1.5e0. */
function spellValue(value: unknown): string {
  const text = String(value);
  return text !== '' && Number.isFinite(Number(text)) ? String(Number(text)) : text;
}

function keyOf(key: JsonRow): string {
  return Object.values(key).map(spellValue).join('/');
}

export function foundIn(changes: readonly FoundChange[], table: string): Found {
  const ofKind = (kind: FoundChange['kind']): string[] =>
    changes
      .filter((change) => change.table === table && change.kind === kind)
      .map(({ key }) => keyOf(key))
      .sort();
  return { removed: ofKind('REMOVED'), added: ofKind('ADDED'), changed: ofKind('CHANGED') };
}
