/**
 * Records read out of backups, against SQL on the restored data: every page of random filters, on a full, an incremental and a compacted
 * backup. One suite, run against every kind of source.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  HistoryFound,
  HistoryPlace,
  HistoryWanted,
  RecordPlace,
  RecordsFound,
  RecordsWanted,
  RecordVersion,
} from '../../src/domain/backup-reader';
import type { LayerPage } from '../../src/domain/backup-store';
import type { BackupId } from '../../src/domain/ids';
import { parseRecordFilter } from '../../src/domain/record-filter';
import type { Source } from '../../src/domain/source';
import type { JsonRow, JsonValue } from '../../src/domain/values';
import { runTask } from '../../src/engine/engine';
import type { Repository } from '../../src/repository/repository';
import { createSeededRandom } from '../../src/sources/seeded-random';
import type { ContractConnection, ContractDatabase, SourceContractFixture } from '../contract/source-contract';
import { backup, compact, engineDeps, restore, run, type EngineBench } from './engine-context';
import { countingStore } from './counting-store';
import { openStore } from './engine-scenarios';
import {
  BUSINESSES,
  Filters,
  ITEMS,
  recordChanges,
  RECORDS_MAPPING,
  recordRows,
  recordTables,
} from './record-platform';

class Stand {
  readonly random = createSeededRandom(41);
  readonly filters: Filters;

  private constructor(
    readonly database: ContractDatabase,
    readonly sql: ContractConnection,
    readonly source: Source,
    readonly store: Repository,
    readonly folder: string,
    isSqlite: boolean,
  ) {
    this.filters = new Filters(this.random, isSqlite);
  }

  static async open(fixture: SourceContractFixture, isSqlite: boolean): Promise<Stand> {
    const database = await fixture.createDatabase();
    const sql = await database.connect();
    const folder = mkdtempSync(join(tmpdir(), 'riskvault-records-'));
    const stand = new Stand(database, sql, database.open(RECORDS_MAPPING), await openStore(folder), folder, isSqlite);
    for (const statement of [...recordTables(fixture.types), ...recordRows(stand.random, stand.filters)])
      await sql.exec(statement);
    return stand;
  }

  get bench(): EngineBench {
    return { source: this.source, store: this.store, connections: 2 };
  }

  async change(from: number): Promise<void> {
    for (const statement of recordChanges(this.random, this.filters, from)) await this.sql.exec(statement);
  }

  async backup(...args: Parameters<typeof backup> extends [unknown, ...infer Rest] ? Rest : never): Promise<BackupId> {
    return (await backup(this.bench, ...args)).stored.manifest.backupId;
  }

  async page(wanted: Partial<RecordsWanted> & { backupId: BackupId }, signal?: AbortSignal): Promise<RecordsFound> {
    return (await run({ kind: 'RECORDS', wanted: { ...ITEMS_WANTED, ...wanted } }, { ...this.bench, signal })) as never;
  }

  /** All records, a page after the other. */
  async all(wanted: Partial<RecordsWanted> & { backupId: BackupId }, read = this.page.bind(this)): Promise<JsonRow[]> {
    const found: JsonRow[] = [];
    for (let from: RecordPlace | null | undefined; from !== null;) {
      const { records, next } = await read({ limit: this.random.int(1, 100), ...wanted, from: from ?? null });
      found.push(...records.map(({ fields }) => fields));
      from = next;
    }
    return found;
  }

  async history(wanted: Partial<HistoryWanted>, store: Repository = this.store): Promise<HistoryFound> {
    const { dataType, table } = ITEMS_WANTED;
    const task = { source: 'default', dataType, table, key: null, limit: 100, from: null, ...wanted };
    return (await run({ kind: 'RECORD_HISTORY', wanted: task }, { ...this.bench, store })) as never;
  }

  async close(): Promise<void> {
    await this.source.close();
    await this.sql.close();
    await this.database.drop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const ITEMS_WANTED: Omit<RecordsWanted, 'backupId'> = {
  dataType: 'ASSESSMENTS', table: 'item', businessId: null, filter: null, limit: 100, from: null,
}; // prettier-ignore
const PARTS = { dataType: 'FACTORS', table: 'part' } as const;
const FILTERS = process.env.LONG === '1' ? 200 : 25;

const refused = (code: string, more: object = {}) => expect.objectContaining({ code, ...more });

export function describeRecords(
  name: string,
  fixture: SourceContractFixture,
  { isSqlite }: { isSqlite: boolean },
): void {
  describe(`records of backups of ${name}`, () => {
    let stand: Stand;
    /** Full, incremental, and one whose layers became bases. */
    let backups: BackupId[];

    beforeAll(async () => {
      stand = await Stand.open(fixture, isSqlite);
      backups = [await stand.backup()];
      await stand.change(ITEMS + 1);
      backups.push(await stand.backup({ type: 'INCREMENTAL' }));
      await stand.change(ITEMS + 101);
      backups.push(await stand.backup({ type: 'INCREMENTAL' }));
      await compact(stand.bench, backups[2]!);
    });
    afterAll(() => stand.close());

    it.each([0, 1, 2])(
      'are those that SQL finds in the restored data, for random filters: backup %i',
      async (which) => {
        const backupId = backups[which]!;
        await restore(stand.bench, { backupId });
        for (let i = 0; i < FILTERS; i++) {
          const { json, sql } = stand.filters.any();
          const businessId = stand.random.chance(0.2) ? `b${stand.random.int(0, BUSINESSES)}` : null;
          const owned = businessId === null ? '' : ` AND business_id = '${businessId}'`;
          const expected = await stand.sql.query(`SELECT id FROM item WHERE (${sql})${owned} ORDER BY id`);
          const found = await stand.all({ backupId, businessId, filter: parseRecordFilter(json, []) });
          expect([json, sql, found.map(({ id }) => String(id as number))]).toEqual([
            json,
            sql,
            expected.map(([id]) => id),
          ]);
        }
      },
    );

    it.each([0, 1, 2])(
      'show every field as the restored data has it, in the order of the keys: backup %i',
      async (which) => {
        const backupId = backups[which]!;
        await restore(stand.bench, { backupId });
        const expected = await stand.sql.query('SELECT id, business_id, n, note, day FROM item ORDER BY id');
        const found = await stand.all({ backupId });
        const fields = found.map((row) => ['id', 'business_id', 'n', 'note', 'day'].map((column) => row[column]));
        expect(
          fields.map((row) =>
            row.map((value) => (value === null ? null : Buffer.from(String(value as string)).toString('latin1'))),
          ),
        ).toEqual(
          expected.map((row) =>
            row.map((value) => (value === null ? null : isSqlite ? Buffer.from(value).toString('latin1') : value)),
          ),
        );
      },
    );

    it.each([0, 1, 2])(
      'of one business are found through the table that says whose they are: backup %i',
      async (which) => {
        const backupId = backups[which]!;
        await restore(stand.bench, { backupId });
        for (const businessId of ['b0', 'b3', 'nobody']) {
          const expected = await stand.sql.query(
            `SELECT p.item_id, p.name FROM part p JOIN item i ON i.id = p.item_id WHERE i.business_id = '${businessId}' ORDER BY 1, 2`,
          );
          const found = await stand.all({ backupId, ...PARTS, businessId });
          expect(found.map(({ item_id, name: part }) => [String(item_id as number), part])).toEqual(expected);
        }
      },
    );

    it('say which columns there are, also where there is no row', async () => {
      const { columns, records, next } = await stand.page({
        backupId: backups[0]!,
        dataType: 'CONFIG',
        table: 'setting',
      });
      expect([records, next]).toEqual([[], null]);
      expect(columns.map(({ name: column, isKey, isNullable }) => [column, isKey, isNullable])).toEqual([
        ['name', true, false],
        ['n', false, true],
      ]);
    });

    it.each([0, 1, 2])('are found by their key in the one range that can hold it: backup %i', async (which) => {
      const { store, reads } = countingStore(stand.store);
      const whole = (await stand.all({ backupId: backups[which]! })).slice(0, 2_000);
      for (const expected of stand.random.sample(whole, 10)) {
        reads.base.length = 0;
        const filter = parseRecordFilter(
          { and: [{ id: { eq: expected.id! } }, { n: { isNull: expected.n === null } }] },
          [],
        );
        const wanted = { ...ITEMS_WANTED, backupId: backups[which]!, filter };
        const found = (await run({ kind: 'RECORDS', wanted }, { ...stand.bench, store })) as unknown as RecordsFound;
        expect(found).toMatchObject({ records: [{ fields: expected }], next: null });
        expect(reads.base).toHaveLength(1);
      }
    });

    it('come in pages that end where reading takes too long, and lose and repeat nothing', async () => {
      let now = 0;
      let pages = 0;
      const clock = { ...engineDeps(stand.bench).clock, monotonicMs: () => (now += 6_000) };
      const read: Stand['page'] = async (wanted) => {
        pages++;
        const hooks = { signal: new AbortController().signal, onProgress: () => undefined, onLog: () => undefined };
        const task = { kind: 'RECORDS', wanted: { ...ITEMS_WANTED, ...wanted } } as const;
        return (await runTask(task, { ...engineDeps(stand.bench), clock }, hooks)) as never;
      };
      const found = await stand.all(
        { backupId: backups[1]!, filter: parseRecordFilter({ n: { eq: 4 } }, []), limit: 100 },
        read,
      );
      const expected = await stand.all({ backupId: backups[1]!, filter: parseRecordFilter({ n: { eq: 4 } }, []) });
      expect(found).toEqual(expected);
      expect(pages).toBeGreaterThan(2);
    });

    it('refuse what the table does not have, naming the place in the filter', async () => {
      const filtered = (filter: JsonValue) =>
        stand.page({ backupId: backups[0]!, filter: parseRecordFilter(filter, ['filter']) });
      await expect(filtered({ nope: { eq: 1 } })).rejects.toEqual(
        refused('INVALID_INPUT', { path: ['filter', 'nope'] }),
      );
      await expect(filtered({ or: [{ n: { eq: 1 } }, { n: { in: [1, true] } }] })).rejects.toEqual(
        refused('INVALID_INPUT', { path: ['filter', 'or', '1', 'n', 'in', '1'] }),
      );
      await expect(
        stand.page({ backupId: backups[0]!, dataType: 'CONFIG', table: 'setting', businessId: 'b0' }),
      ).rejects.toEqual(refused('INVALID_INPUT', { path: ['businessId'] }));
      await expect(stand.page({ backupId: backups[0]!, table: 'nope' })).rejects.toEqual(refused('NOT_FOUND'));
    });

    it.each([
      {
        of: 'a table whose keys sort as bytes',
        wanted: ITEMS_WANTED,
        select: 'SELECT id, business_id, n, note, day FROM item',
      },
      {
        of: 'a key of two columns',
        wanted: { ...ITEMS_WANTED, ...PARTS },
        select: 'SELECT item_id, name, n FROM part',
      },
      {
        of: 'a table whose order only the source knows',
        wanted: { ...ITEMS_WANTED, dataType: 'TRENDS', table: 'odd' } as const,
        select: 'SELECT k, n FROM odd',
      },
    ])('are followed through the backups as SQL finds them in the restored data: $of', async ({ wanted, select }) => {
      const of = { dataType: wanted.dataType, table: wanted.table };
      const width = wanted.table === 'part' ? 2 : 1;
      const states: Map<string, { fields: JsonRow; sql: string }>[] = [];
      const keys = new Map<string, JsonRow>();
      for (const backupId of backups) {
        await restore(stand.bench, { backupId });
        const records = new Map(
          (await allOf(stand, { ...wanted, backupId })).map(({ key, fields }) => [
            spell(Object.values(key)),
            { key, fields },
          ]),
        );
        for (const [name, { key }] of records) keys.set(name, key);
        const rows = await stand.sql.query(select);
        const named = rows.map((row) => [spell(row.slice(0, width)), row.join(' ')] as const);
        states.push(new Map(named.map(([name, sql]) => [name, { sql, fields: records.get(name)!.fields }])));
      }
      const isStill = ([name]: [string, JsonRow]): boolean =>
        new Set(states.map((state) => state.get(name)?.sql)).size === 1;
      const changed = [...keys].filter((entry) => !isStill(entry));
      expect(changed.length).toBeGreaterThan(10);
      const chosen = [...changed.slice(0, 60), ...stand.random.sample([...keys].filter(isStill), 20)];
      for (const [name, key] of chosen) {
        const { versions, next } = await stand.history({ ...of, key });
        expect([name, next, versions.map(outlineOf)]).toEqual([
          name,
          null,
          expectedVersions(
            states.map((state) => state.get(name)),
            backups,
          ),
        ]);
        expect(await byOnes(stand, { ...of, key })).toEqual(versions);
      }
    });

    it('are followed by reading one chunk of each layer, once for all backups', async () => {
      const manifests = await Promise.all(backups.map((id) => stand.store.findManifest(id)));
      const layers = new Set(
        manifests.flatMap((found) =>
          found!.manifest.tables.find(({ table }) => table === 'item')!.layers.map(({ root }) => root),
        ),
      );
      let chunks = 0;
      const store = new Proxy(stand.store, {
        get: (target, name) => {
          if (name === 'readChunk') chunks++;
          const value = Reflect.get(target, name) as unknown;
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      });
      const { versions } = await stand.history({ key: { id: 17 } }, store);
      expect(versions.length).toBeGreaterThan(0);
      expect(chunks).toBeGreaterThan(0);
      expect(chunks).toBeLessThanOrEqual(layers.size);
    });

    it('are followed on where a limit of reading came first, also within a version', async () => {
      const store = new Proxy(stand.store, {
        get: (target, name) => {
          const value = Reflect.get(target, name) as unknown;
          if (name === 'layerPage') return async (id: string) => huge(await target.layerPage(id));
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      });
      let stops = 0;
      for (const { key } of (
        await allOf(stand, { ...ITEMS_WANTED, backupId: backups[2]!, filter: parseRecordFilter({ n: { eq: 4 } }, []) })
      ).slice(0, 25)) {
        const whole = await stand.history({ key });
        const versions: RecordVersion[] = [];
        for (let from: HistoryPlace | null | undefined; from !== null; stops++) {
          const page = await stand.history({ key, from: from ?? null }, store);
          versions.push(...page.versions);
          from = page.next;
        }
        expect(versions).toEqual(whole.versions);
      }
      expect(stops).toBeGreaterThan(50);
    });

    it('are followed by a key alone where it is one column, and refused what is none', async () => {
      expect(await stand.history({ key: 17 })).toEqual(await stand.history({ key: { id: '17' } }));
      const none: JsonValue[] = [{}, { id: 1, n: 1 }, { n: 1 }, [1], ...(isSqlite ? [] : [{ id: 'x' }])];
      for (const key of none) {
        await expect(stand.history({ key })).rejects.toEqual(
          refused('INVALID_INPUT', { path: expect.arrayContaining(['key']) as string[] }),
        );
      }
      expect(await stand.history({ key: 999_999 })).toMatchObject({ versions: [], next: null });
      await expect(stand.history({ key: 1, source: 'elsewhere' })).rejects.toEqual(refused('NOT_FOUND'));
      const from: HistoryPlace = {
        run: null,
        before: null,
        isGiven: false,
        seen: backups[0]!.replace(/^./, 'x') as BackupId,
      };
      await expect(stand.history({ key: 1, from })).rejects.toEqual(refused('CURSOR_EXPIRED'));
    });

    it('are not read on from a place in another state of the backup', async () => {
      const backupId = backups[1]!;
      const { next } = await stand.page({ backupId, limit: 1 });
      await compact(stand.bench, backupId);
      await expect(stand.page({ backupId, from: next })).rejects.toEqual(
        refused('CURSOR_EXPIRED', { path: ['after'] }),
      );
    });

    it('end when the caller has gone', async () => {
      await expect(stand.page({ backupId: backups[0]! }, AbortSignal.abort())).rejects.toEqual(refused('CANCELLED'));
    });

    it('are not there once the backup is deleted, and name the damage where a pack is', async () => {
      const backupId = await stand.backup();
      await (await stand.store.beginDeletion()).delete(backupId);
      await expect(stand.page({ backupId })).rejects.toEqual(refused('NOT_FOUND'));
      for (const file of readdirSync(join(stand.folder, 'packs'), { recursive: true, withFileTypes: true })) {
        if (file.isFile()) damage(join(file.parentPath, file.name));
      }
      const fresh = await openStore(stand.folder);
      const damaged = run(
        { kind: 'RECORDS', wanted: { ...ITEMS_WANTED, backupId: backups[0]! } },
        { ...stand.bench, store: fresh },
      );
      await expect(damaged).rejects.toEqual(
        refused('INTEGRITY_FAILURE', { message: expect.stringMatching(/table item.*pack/) }),
      );
    });
  });
}

/** As if every chunk held a gigabyte of rows. */
function huge({ level, entries }: LayerPage): LayerPage {
  return { level, entries: entries.map((entry) => ({ ...entry, rawBytes: 2 ** 30 })) };
}

async function allOf(stand: Stand, wanted: Omit<RecordsWanted, 'limit' | 'from'>): Promise<RecordsFound['records']> {
  const found: RecordsFound['records'] = [];
  for (let from: RecordPlace | null | undefined; from !== null;) {
    const { records, next } = await stand.page({ ...wanted, from: from ?? null });
    found.push(...records);
    from = next;
  }
  return found;
}

/** A key, the same however its numbers are written. */
function spell(key: readonly unknown[]): string {
  return key.map((value) => (Number.isNaN(Number(value)) ? value : Number(value))).join(' ');
}

/** The versions as pages of one give them, each from the cursor of the one before. */
async function byOnes(stand: Stand, wanted: Partial<HistoryWanted>): Promise<RecordVersion[]> {
  const all: RecordVersion[] = [];
  for (let from: HistoryPlace | null | undefined; from !== null;) {
    const { versions, next } = await stand.history({ ...wanted, limit: 1, from: from ?? null });
    all.push(...versions);
    from = next;
  }
  return all;
}

const outlineOf = ({ fields, firstBackupId, lastBackupId, changedFields }: RecordVersion) => ({
  fields,
  firstBackupId,
  lastBackupId,
  changedFields,
});

function expectedVersions(
  states: ({ fields: JsonRow; sql: string } | undefined)[],
  backups: readonly BackupId[],
): ReturnType<typeof outlineOf>[] {
  const versions: ReturnType<typeof outlineOf>[] = [];
  let before: { fields: JsonRow; sql: string } | undefined;
  for (const [i, state] of states.entries()) {
    const id = backups[i] as BackupId;
    const last = versions.at(-1);
    if (last !== undefined && before?.sql === state?.sql) last.lastBackupId = id;
    else if (last !== undefined || state !== undefined) {
      const changed = before && state ? Object.keys(state.fields).filter((name) => JSON.stringify(state.fields[name]) !== JSON.stringify(before?.fields[name])) : []; // prettier-ignore
      versions.push({ fields: state?.fields ?? null, firstBackupId: id, lastBackupId: id, changedFields: changed });
    }
    before = state;
  }
  return versions;
}

function damage(path: string): void {
  const bytes = readFileSync(path);
  bytes.fill(0x55, 40, bytes.length - 100);
  writeFileSync(path, bytes);
}
