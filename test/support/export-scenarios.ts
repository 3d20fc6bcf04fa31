/**
 * Exports of backups, against the data that was backed up: scripts run by the real clients, rows beside what SQL finds. On a full, an
 * incremental and a compacted backup. One suite, run against every kind of source.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { ExportedTable, ExportWanted } from '../../src/domain/export';
import type { BackupId, ExportId, JobId } from '../../src/domain/ids';
import type { Source } from '../../src/domain/source';
import type { ExportResult } from '../../src/domain/task';
import type { JsonRow } from '../../src/domain/values';
import { runTask } from '../../src/engine/engine';
import type { Repository } from '../../src/repository/repository';
import { createSeededRandom } from '../../src/sources/seeded-random';
import type { ContractConnection, ContractDatabase, SourceContractFixture } from '../contract/source-contract';
import { backup, compact, engineDeps, run, type EngineBench } from './engine-context';
import { openStore } from './engine-scenarios';
import { Filters, ITEMS, recordChanges, RECORDS_MAPPING, recordRows, recordTables } from './record-platform';
import { readAll, withRead } from './source-rows';

/** Runs a script on an empty database. */
export type RunScript = (database: ContractDatabase, script: Buffer) => Promise<void>;

type Wanted = Partial<ExportWanted> & { backupId: BackupId };

class Stand {
  readonly random = createSeededRandom(43);
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
    const folder = mkdtempSync(join(tmpdir(), 'riskvault-export-'));
    const stand = new Stand(database, sql, database.open(RECORDS_MAPPING), await openStore(folder), folder, isSqlite);
    for (const statement of [...recordTables(fixture.types), ...recordRows(stand.random, stand.filters)])
      await sql.exec(statement);
    await sql.exec(`INSERT INTO setting VALUES ('', NULL), ('a,"b"', 1), ('two\nlines', 2)`);
    return stand;
  }

  get bench(): EngineBench {
    return { source: this.source, store: this.store, connections: 2 };
  }

  async change(from: number): Promise<void> {
    for (const statement of recordChanges(this.random, this.filters, from)) await this.sql.exec(statement);
  }

  async backup(type: 'FULL' | 'INCREMENTAL'): Promise<BackupId> {
    return (await backup(this.bench, { type })).stored.manifest.backupId;
  }

  wanted(given: Wanted): ExportWanted {
    return {
      format: 'NDJSON', compression: 'NONE', dataTypes: ['BUSINESSES', 'ASSESSMENTS', 'FACTORS', 'TRENDS', 'CONFIG'],
      table: null, businessId: null, filter: null, ...given,
    }; // prettier-ignore
  }

  /** What the job of an export finds. */
  async prepare(given: Wanted): Promise<ExportResult> {
    const spec = {
      ...this.wanted(given), kind: 'EXPORT', exportId: randomUUID() as ExportId, fileName: 'x', validForMs: 1,
    } as const; // prettier-ignore
    return (await run({ kind: 'EXPORT', jobId: randomUUID() as JobId, spec }, this.bench)) as ExportResult;
  }

  async stream(
    given: Wanted,
    expected: ExportedTable[],
    { take = async () => undefined, signal = new AbortController().signal }: Partial<StreamHooks> = {},
  ): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    await runTask({ kind: 'EXPORT_STREAM', wanted: this.wanted(given), expected }, engineDeps(this.bench), {
      signal,
      onProgress: () => undefined,
      onLog: () => undefined,
      onBytes: async (bytes) => {
        parts.push(bytes);
        await take();
      },
    });
    return Buffer.concat(parts);
  }

  async export(given: Wanted): Promise<{ bytes: Buffer; tables: ExportedTable[] }> {
    const { tables } = await this.prepare(given);
    return { tables, bytes: await this.stream(given, tables) };
  }

  /** Rows of an export as NDJSON, by table. */
  async rows(given: Wanted): Promise<Map<string, JsonRow[]>> {
    const { bytes, tables } = await this.export(given);
    const rows = new Map<string, JsonRow[]>(tables.map(({ table }) => [table, []]));
    for (const line of bytes.toString('utf8').split('\n').slice(0, -1)) {
      const { table, fields } = JSON.parse(line) as { table: string; fields: JsonRow };
      rows.get(table)!.push(fields);
    }
    for (const { table, rowCount } of tables) expect([table, rows.get(table)!.length]).toEqual([table, rowCount]);
    return rows;
  }

  async ids(sql: string): Promise<string[]> {
    return (await this.sql.query(sql)).map(([id]) => String(id)).sort();
  }

  async close(): Promise<void> {
    await this.source.close();
    await this.sql.close();
    await this.database.drop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

interface StreamHooks {
  take: () => Promise<void>;
  signal: AbortSignal;
}

const ITEM = { table: 'item' };
const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
const FILTERS = process.env.LONG === '1' ? 200 : 20;
const refused = (code: string, more: object = {}) => expect.objectContaining({ code, ...more });

export function describeExports(
  name: string,
  fixture: SourceContractFixture,
  { isSqlite, runScript }: { isSqlite: boolean; runScript: RunScript },
): void {
  describe(`exports of backups of ${name}`, () => {
    let stand: Stand;
    /** The same state, as an incremental and as it is after compacting; before them a full one. */
    let full: BackupId;
    let incremental: BackupId;
    let compacted: BackupId;

    beforeAll(async () => {
      stand = await Stand.open(fixture, isSqlite);
      full = await stand.backup('FULL');
      await stand.change(ITEMS + 1);
      incremental = await stand.backup('INCREMENTAL');
      compacted = await stand.backup('INCREMENTAL');
      await compact(stand.bench, compacted);
    });
    afterAll(() => stand.close());

    const copyOf = async (script: Buffer): Promise<Map<string, Buffer[]>> => {
      const database = await fixture.createDatabase();
      try {
        await runScript(database, script);
        const copy = database.open(RECORDS_MAPPING);
        const rows = await withRead(copy, readAll);
        await copy.close();
        return rows;
      } finally {
        await database.drop();
      }
    };
    const asHex = (tables: Map<string, Buffer[]>) =>
      [...tables].map(([table, rows]) => [table, rows.map((row) => row.toString('hex')).sort()]);

    it.each(['incremental', 'compacted'] as const)('as SQL are the very rows: %s', async (which) => {
      const backupId = which === 'incremental' ? incremental : compacted;
      const { bytes, tables } = await stand.export({ backupId, format: 'SQL' });
      expect(asHex(await copyOf(bytes))).toEqual(asHex(await withRead(stand.source, readAll)));
      const rows = tables.reduce((sum, { rowCount }) => sum + rowCount, 0);
      expect(bytes.toString('utf8').split('\n').at(-2)).toBe(`-- End of the export: ${rows} rows of 5 tables.`);
    });

    it('compressed are the same bytes', async () => {
      const plain = await stand.export({ backupId: full, format: 'SQL' });
      const { bytes } = await stand.export({ backupId: full, format: 'SQL', compression: 'GZIP' });
      expect(bytes.length).toBeLessThan(plain.bytes.length / 2);
      expect(gunzipSync(bytes).equals(plain.bytes)).toBe(true);
    });

    it('of one table hold the rows that SQL finds, for random filters', async () => {
      for (let i = 0; i < FILTERS; i++) {
        const { json, sql } = stand.filters.any();
        const rows = await stand.rows({ backupId: incremental, ...ITEM, filter: JSON.stringify(json) });
        const found = rows.get('item')!.map(({ id }) => text(id));
        expect([json, found.sort()]).toEqual([json, await stand.ids(`SELECT id FROM item WHERE ${sql}`)]);
      }
    });

    it('of one business hold its rows and what they refer to, and nothing of tables of nobody', async () => {
      const rows = await stand.rows({ backupId: incremental, businessId: 'b0' });
      expect([...rows.keys()]).toEqual(['business', 'item', 'part']);
      expect(rows.get('business')).toEqual([{ id: 'b0' }]);
      const items = `SELECT id FROM item WHERE business_id = 'b0'`;
      expect(rows.get('item')!.map(({ id }) => text(id)).sort()).toEqual(await stand.ids(items)); // prettier-ignore
      const parts = `SELECT item_id FROM part WHERE item_id IN (${items})`;
      expect(rows.get('part')!.map(({ item_id }) => text(item_id)).sort()).toEqual(await stand.ids(parts)); // prettier-ignore
      const filter = JSON.stringify({ n: { gt: 2 } });
      const some = await stand.rows({ backupId: incremental, businessId: 'b0', ...ITEM, filter });
      const found = some.get('item')!.map(({ id }) => text(id));
      expect(found.sort()).toEqual(await stand.ids(`${items} AND n > 2`));
    });

    it('of a business that the backup does not know, or of a table of nobody, are refused', async () => {
      await expect(stand.prepare({ backupId: full, businessId: 'nobody' })).rejects.toEqual(refused('NOT_FOUND'));
      await expect(stand.prepare({ backupId: full, businessId: 'b1', table: 'setting' })).rejects.toEqual(
        refused('INVALID_INPUT', { path: ['input', 'businessId'] }),
      );
    });

    it('with a filter on what the table has not are refused, with its path', async () => {
      const filter = JSON.stringify({ nothing: { eq: 1 } });
      await expect(stand.prepare({ backupId: full, ...ITEM, filter })).rejects.toEqual(
        refused('INVALID_INPUT', { path: ['input', 'filter', 'nothing'] }),
      );
    });

    it('as CSV tell NULL from empty text, and quote what needs it', async () => {
      const { bytes } = await stand.export({ backupId: full, format: 'CSV', table: 'setting' });
      expect(bytes.toString('utf8').split('\r\n').slice(0, 4).sort()).toEqual(
        ['name,n', '"",', '"a,""b""",1', '"two\nlines",2'].sort(),
      );
    });

    it('as CSV show every kind of value as records do', async () => {
      const filter = JSON.stringify({ data: { isNull: false }, note: { isNull: false }, ratio: { isNull: false } });
      const given = { backupId: full, ...ITEM, filter };
      const rows = (await stand.rows(given)).get('item')!;
      const { bytes } = await stand.export({ ...given, format: 'CSV' });
      const cell = (value: unknown): string => {
        if (value === null) return '';
        return /[",\r\n]|^\s|\s$|^$/.test(text(value)) ? `"${text(value).replaceAll('"', '""')}"` : text(value);
      };
      const lines = rows.map((row) => Object.values(row).map(cell).join(','));
      expect(bytes.toString('utf8').split('\r\n').slice(1, -1)).toEqual(lines);
    });

    it('end with their signal, wherever they are', async () => {
      const { tables } = await stand.prepare({ backupId: full, format: 'SQL' });
      const abort = new AbortController();
      const take = async (): Promise<void> => abort.abort();
      const streamed = stand.stream({ backupId: full, format: 'SQL' }, tables, { take, signal: abort.signal });
      await expect(streamed).rejects.toEqual(refused('CANCELLED'));
    });

    it('with other rows than were counted do not end well', async () => {
      const { tables } = await stand.prepare({ backupId: incremental });
      await expect(stand.stream({ backupId: full }, tables)).rejects.toEqual(refused('INTEGRITY_FAILURE'));
    });

    it('of a backup that goes in the middle of a download say so', async () => {
      const { tables } = await stand.prepare({ backupId: full });
      const [here, away] = [stand.folder, `${stand.folder}-away`];
      const move = (from: string, to: string): void =>
        ['packs', 'manifests'].forEach((name) => renameSync(join(from, name), join(to, name)));
      mkdirSync(away);
      let isAway = false;
      const take = async (): Promise<void> => {
        if (!isAway) move(here, away);
        isAway = true;
      };
      try {
        await expect(stand.stream({ backupId: full }, tables, { take })).rejects.toEqual(refused('NOT_FOUND'));
      } finally {
        if (isAway) move(away, here);
        rmSync(away, { recursive: true });
      }
    });

    it('of a backup that is gone, or damaged, are refused, and end midway', async () => {
      const lost = randomUUID() as BackupId;
      await expect(stand.prepare({ backupId: lost })).rejects.toEqual(refused('NOT_FOUND'));
      await expect(stand.stream({ backupId: lost }, [])).rejects.toEqual(refused('NOT_FOUND'));
      const { tables } = await stand.prepare({ backupId: full });
      const packs = join(stand.folder, 'packs');
      for (const file of readdirSync(packs, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.pack'))) {
        const bytes = readFileSync(join(packs, file));
        for (let at = 100; at < bytes.length; at += 400) bytes[at] = bytes[at]! ^ 255;
        writeFileSync(join(packs, file), bytes);
      }
      await expect(stand.prepare({ backupId: full })).rejects.toEqual(refused('INTEGRITY_FAILURE'));
      await expect(stand.stream({ backupId: full }, tables)).rejects.toEqual(refused('INTEGRITY_FAILURE'));
    });
  });
}
