/**
 * Records read out of backups, against SQL on the restored data: every page of random filters, on a full, an incremental and a compacted
 * backup. One suite, run against every kind of source.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RecordPlace, RecordsFound, RecordsWanted } from '../../src/domain/backup-reader';
import type { BackupId } from '../../src/domain/ids';
import type { SourceMapping } from '../../src/domain/mapping';
import { parseRecordFilter } from '../../src/domain/record-filter';
import type { Source } from '../../src/domain/source';
import type { JsonRow, JsonValue } from '../../src/domain/values';
import { runTask } from '../../src/engine/engine';
import type { Repository } from '../../src/repository/repository';
import { createSeededRandom, type SeededRandom } from '../../src/sources/seeded-random';
import type { ContractConnection, ContractDatabase, SourceContractFixture } from '../contract/source-contract';
import { backup, compact, engineDeps, restore, run, type EngineBench } from './engine-context';
import { openStore } from './engine-scenarios';

const MAPPING: SourceMapping = [
  { dataType: 'BUSINESSES', table: 'business', business: { kind: 'COLUMN', column: 'id' } },
  { dataType: 'ASSESSMENTS', table: 'item', business: { kind: 'COLUMN', column: 'business_id' } },
  {
    dataType: 'FACTORS',
    table: 'part',
    business: { kind: 'PATH', column: 'item_id', referencedTable: 'item', referencedColumn: 'id' },
  },
  { dataType: 'CONFIG', table: 'setting' },
];

const tables = ({ exact }: SourceContractFixture['types']): string[] => [
  `CREATE TABLE business (id ${exact} NOT NULL PRIMARY KEY)`,
  `CREATE TABLE item (id BIGINT NOT NULL PRIMARY KEY, business_id ${exact} NOT NULL, n INT NULL, amount DECIMAL(9,2) NULL, ratio DOUBLE NULL,
     note ${exact} NULL, day DATE NULL, data BLOB NULL, pad TEXT NULL)`,
  `CREATE TABLE part (item_id BIGINT NOT NULL, name ${exact} NOT NULL, n INT NULL, PRIMARY KEY (item_id, name))`,
  `CREATE TABLE setting (name ${exact} NOT NULL PRIMARY KEY, n INT NULL)`,
];

const BUSINESSES = 12;
const ITEMS = 3_000;
const LETTERS = ['a', 'B', 'é', '😀', '0', '_', '\uffee'];
const DAYS = ['2024-02-29', '2025-12-31', '2026-01-01', '2026-11-25'];

/** A filter, and the condition in SQL that means the same. */
interface Wanted {
  json: JsonValue;
  sql: string;
}

const OPERATORS = { eq: '=', ne: '<>', lt: '<', lte: '<=', gt: '>', gte: '>=' } as const;

class Filters {
  constructor(
    private readonly random: SeededRandom,
    private readonly isSqlite: boolean,
  ) {}

  text(): string {
    return Array.from({ length: this.random.int(0, 3) }, () => this.random.pick(LETTERS)).join('');
  }

  any(depth = 0): Wanted {
    const kind = depth > 2 ? 0 : this.random.int(0, 6);
    if (kind === 4) return this.not(this.any(depth + 1));
    if (kind === 5 || kind === 6)
      return this.listed(kind === 5 ? 'and' : 'or', [this.any(depth + 1), this.any(depth + 1)]);
    return this.column();
  }

  private not({ json, sql }: Wanted): Wanted {
    return { json: { not: json }, sql: `NOT (${sql})` };
  }

  private listed(kind: 'and' | 'or', parts: Wanted[]): Wanted {
    const sql = parts.map((part) => `(${part.sql})`).join(kind === 'and' ? ' AND ' : ' OR ');
    return { json: { [kind]: parts.map(({ json }) => json) }, sql };
  }

  private column(): Wanted {
    const name = this.random.pick(['id', 'n', 'amount', 'ratio', 'note', 'day', 'data', 'business_id']);
    const kind = this.random.int(0, 4);
    if (kind === 0) {
      const isNull = this.random.chance(0.5);
      return { json: { [name]: { isNull } }, sql: `${name} IS ${isNull ? '' : 'NOT '}NULL` };
    }
    if (kind === 1) {
      const values = [this.value(name), this.value(name), this.value(name)];
      return {
        json: { [name]: { in: values.map(({ json }) => json) } },
        sql: `${name} IN (${values.map(({ sql }) => sql).join(', ')})`,
      };
    }
    if (kind === 2 && name === 'note') return this.partOfText();
    const comparator = this.random.pick(Object.keys(OPERATORS) as (keyof typeof OPERATORS)[]);
    const value = this.value(name);
    return { json: { [name]: { [comparator]: value.json } }, sql: `${name} ${OPERATORS[comparator]} ${value.sql}` };
  }

  private partOfText(): Wanted {
    const text = this.text();
    if (this.random.chance(0.5)) return { json: { note: { contains: text } }, sql: `INSTR(note, '${text}') > 0` };
    return { json: { note: { startsWith: text } }, sql: `SUBSTR(note, 1, ${[...text].length}) = '${text}'` };
  }

  private value(name: string): Wanted {
    const { random } = this;
    const thirds = random.int(-30, 30) / 3;
    switch (name) {
      case 'id':
        return number(random.int(0, ITEMS + 50));
      case 'n':
        return number(random.int(-5, 5));
      case 'amount':
        return number(Number(random.decimal(-9, 9, 1)));
      case 'ratio':
        return { json: thirds, sql: `${thirds}e0` };
      case 'note':
        return quoted(this.text());
      case 'day':
        return quoted(random.pick(DAYS));
      case 'business_id':
        return quoted(`b${random.int(0, BUSINESSES)}`);
    }
    const bytes = Buffer.from([random.int(0, 3), 255]);
    const base64 = bytes.toString('base64');
    return { json: this.isSqlite ? { base64 } : base64, sql: `X'${bytes.toString('hex')}'` };
  }
}

function number(value: number): Wanted {
  return { json: value, sql: String(value) };
}

function quoted(value: string): Wanted {
  return { json: value, sql: `'${value}'` };
}

function rows(random: SeededRandom, filters: Filters): string[] {
  const item = (id: number): string => itemOf(id, random, filters);
  const all = Array.from({ length: ITEMS }, (_, i) => i + 1);
  const businesses = Array.from({ length: BUSINESSES }, (_, i) => `('b${i}')`);
  const parts = all.filter((id) => id % 5 === 0).flatMap((id) => [`(${id},'x',1)`, `(${id},'y',NULL)`]);
  return [
    `INSERT INTO business VALUES ${businesses.join(',')}`,
    `INSERT INTO item VALUES ${all.map(item).join(',')}`,
    `INSERT INTO part VALUES ${parts.join(',')}`,
  ];
}

function itemOf(id: number, random: SeededRandom, filters: Filters): string {
  const orNull = (sql: string): string => (random.chance(0.15) ? 'NULL' : sql);
  const values = [
    orNull(String(random.int(-5, 5))),
    orNull(random.decimal(-9, 9, 1)),
    orNull(`${random.int(-30, 30) / 3}e0`),
    orNull(`'${filters.text()}'`),
    orNull(`'${random.pick(DAYS)}'`),
    orNull(`X'0${random.int(0, 3)}ff'`),
  ];
  return `(${id},'b${random.int(0, BUSINESSES - 1)}',${values.join(',')},'${String(id).padStart(6, '.').repeat(120)}')`;
}

/** Rows changed, deleted, moved to another business, and added in the middle and at the end. */
function changes(random: SeededRandom, filters: Filters, from: number): string[] {
  const some = Array.from({ length: 60 }, () => random.int(1, ITEMS));
  const added = Array.from({ length: 20 }, (_, i) => itemOf(from + i, random, filters));
  return [
    `UPDATE item SET n = 4, note = 'é' WHERE id IN (${some.slice(0, 20).join(',')})`,
    `UPDATE item SET business_id = 'b0' WHERE id IN (${some.slice(20, 30).join(',')})`,
    `DELETE FROM part WHERE item_id IN (${some.slice(30).join(',')})`,
    `DELETE FROM item WHERE id IN (${some.slice(30).join(',')})`,
    `INSERT INTO item VALUES ${added.join(',')}`,
    `INSERT INTO part VALUES (${from}, 'z', 2)`,
  ];
}

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
    const stand = new Stand(database, sql, database.open(MAPPING), await openStore(folder), folder, isSqlite);
    for (const statement of [...tables(fixture.types), ...rows(stand.random, stand.filters)]) await sql.exec(statement);
    return stand;
  }

  get bench(): EngineBench {
    return { source: this.source, store: this.store, connections: 2 };
  }

  async change(from: number): Promise<void> {
    for (const statement of changes(this.random, this.filters, from)) await this.sql.exec(statement);
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

function damage(path: string): void {
  const bytes = readFileSync(path);
  bytes.fill(0x55, 40, Math.min(bytes.length - 100, 4000));
  writeFileSync(path, bytes);
}
