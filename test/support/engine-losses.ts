/**
 * Restores of what is left of a damaged backup, on a real source and a real repository: tables that refer to each other, of which one lost
 * a chunk, or all. What must come back is worked out anew here, row by row.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RestoreJobSpec } from '../../src/domain/job';
import type { SourceMapping } from '../../src/domain/mapping';
import type { Manifest } from '../../src/domain/manifest';
import type { Source } from '../../src/domain/source';
import type { RestoreResult } from '../../src/domain/task';
import { AppError } from '../../src/domain/errors';
import { decodeRowChunk } from '../../src/engine/rows/row-chunk';
import type { Repository } from '../../src/repository/repository';
import type { ContractConnection, ContractDatabase, SourceContractFixture } from '../contract/source-contract';
import { backup, restore } from './engine-context';
import { openStore } from './engine-scenarios';

const MAPPING: SourceMapping = [
  { dataType: 'BUSINESSES', table: 'owner', business: { kind: 'COLUMN', column: 'id' } },
  { dataType: 'ASSESSMENTS', table: 'item' },
  { dataType: 'FACTORS', table: 'part' },
  { dataType: 'CONFIG', table: 'config' },
];
const CHILDREN_FIRST = ['part', 'item', 'owner', 'config'];
const OWNERS = 300;
/** No chunk holds more than 2 MiB, so that a table of three times as much has several. */
const PAD_BYTES = 21_000;

/** An owner answers to one that stands elsewhere in the table; some items have no owner. */
const bossOf = (n: number): number | null => (n % 3 === 0 ? null : (n * 7) % OWNERS);
const id = (n: number): string => `o${String(n).padStart(4, '0')}`;

const tables = ({ exact }: SourceContractFixture['types']): string[] => [
  `CREATE TABLE owner (id ${exact} NOT NULL PRIMARY KEY, boss_id ${exact} NULL, pad TEXT NOT NULL,
     FOREIGN KEY (boss_id) REFERENCES owner (id))`,
  `CREATE TABLE item (id BIGINT NOT NULL PRIMARY KEY, owner_id ${exact} NULL, name ${exact} NOT NULL,
     FOREIGN KEY (owner_id) REFERENCES owner (id) ON DELETE SET NULL)`,
  `CREATE TABLE part (id BIGINT NOT NULL PRIMARY KEY, item_id BIGINT NOT NULL, name ${exact} NOT NULL,
     FOREIGN KEY (item_id) REFERENCES item (id) ON DELETE CASCADE)`,
  `CREATE TABLE config (id BIGINT NOT NULL PRIMARY KEY, name ${exact} NULL)`,
];

function rows({ foreignKeysOff, foreignKeysOn }: SourceContractFixture): string[] {
  const quoted = (n: number | null): string => (n === null ? 'NULL' : `'${id(n)}'`);
  const numbers = Array.from({ length: OWNERS }, (_, n) => n);
  const owners = numbers.map((n) => `(${quoted(n)},${quoted(bossOf(n))},'${String(n).padEnd(PAD_BYTES, '.')}')`);
  const items = numbers.map((n) => `(${n},${n % 5 === 0 ? 'NULL' : quoted((n * 11) % OWNERS)},'item ${n}')`);
  const parts = numbers.map((n) => `(${n},${(n * 13) % OWNERS},'part ${n}')`);
  return [
    foreignKeysOff,
    `INSERT INTO owner VALUES ${owners.join()}`,
    `INSERT INTO item VALUES ${items.join()}`,
    `INSERT INTO part VALUES ${parts.join()}`,
    `INSERT INTO config VALUES (1,'one'),(2,'two')`,
    foreignKeysOn,
  ];
}

type State = Record<string, (string | null)[][]>;

class Stand {
  private constructor(
    readonly database: ContractDatabase,
    readonly sql: ContractConnection,
    readonly source: Source,
    readonly store: Repository,
    readonly folder: string,
  ) {}

  static async open(fixture: SourceContractFixture): Promise<Stand> {
    const database = await fixture.createDatabase();
    const sql = await database.connect();
    for (const statement of [...tables(fixture.types), ...rows(fixture)]) await sql.exec(statement);
    const folder = mkdtempSync(join(tmpdir(), 'riskvault-losses-'));
    return new Stand(database, sql, database.open(MAPPING), await openStore(folder), folder);
  }

  async state(): Promise<State> {
    const state: State = {};
    for (const table of CHILDREN_FIRST) state[table] = await this.sql.query(`SELECT * FROM ${table} ORDER BY id`);
    return state;
  }

  async dropTables(): Promise<void> {
    for (const table of CHILDREN_FIRST) await this.sql.exec(`DROP TABLE ${table}`);
  }

  async close(): Promise<void> {
    await this.source.close();
    await this.sql.close();
    await this.database.drop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The repository with damage in it, and the owners that went with that. */
interface Damaged {
  store: Repository;
  lost: Set<string>;
}

const damage = (): never => {
  throw new AppError('INTEGRITY_FAILURE', 'The bytes are not those that were stored.');
};

/** The table's second chunk can't be read. */
async function loseChunk({ store, source }: Stand, { tables: of }: Manifest): Promise<Damaged> {
  const owner = of.find(({ table }) => table === 'owner')!;
  const entries = [];
  for await (const entry of store.layerEntries(owner.layers[0]!)) entries.push(entry);
  expect(entries.length).toBeGreaterThan(2);
  const chunk = entries[1]!.id;
  const { bytes, ends } = decodeRowChunk(await store.readChunk(chunk));
  const lost = new Set<string>();
  const fields = new Int32Array(9);
  [0, ...ends.subarray(0, -1)].forEach((start) => {
    source.codec.locate(bytes, start, 3, fields);
    lost.add(source.codec.valueText(bytes, fields[0]!, fields[2]!)!);
  });
  const readChunk: Repository['readChunk'] = async (wanted) => (wanted === chunk ? damage() : store.readChunk(wanted));
  return { store: Object.create(store, { readChunk: { value: readChunk } }) as Repository, lost };
}

/** The list of the table's chunks can't be read. */
function loseTable({ store }: Stand, { tables: of }: Manifest): Repository {
  const base = of.find(({ table }) => table === 'owner')!.layers[0]!;
  const layerEntries: Repository['layerEntries'] = (layer) =>
    layer === base || layer.root === base.root ? damage() : store.layerEntries(layer);
  return Object.create(store, { layerEntries: { value: layerEntries } }) as Repository;
}

/** What is left once every row that refers to what is gone is gone too. */
function remaining(before: State, lost: ReadonlySet<string>): State {
  const without = (table: string, column: number, gone: ReadonlySet<string | null>): (string | null)[][] =>
    before[table]!.filter((row) => row[column] === null || !gone.has(row[column]!));
  const goneFrom = (table: string, kept: (string | null)[][]): Set<string | null> => {
    const ids = new Set(kept.map(([key]) => key));
    return new Set(before[table]!.map(([key]) => key!).filter((key) => !ids.has(key)));
  };
  let gone: Set<string | null> = new Set(lost);
  for (let known = -1; known < gone.size;) {
    known = gone.size;
    gone = new Set([...gone, ...goneFrom('owner', without('owner', 1, gone))]);
  }
  const owner = before.owner!.filter(([key]) => !gone.has(key!));
  const item = without('item', 1, gone);
  return { ...before, owner, item, part: without('part', 1, goneFrom('item', item)) };
}

export function describeLosses(name: string, fixture: SourceContractFixture): void {
  describe(`what is left of a damaged backup, on ${name}`, () => {
    let stand: Stand;
    let before: State;
    let manifest: Manifest;
    beforeEach(async () => {
      stand = await Stand.open(fixture);
      before = await stand.state();
      manifest = (await backup(stand)).stored.manifest;
    });
    afterEach(() => stand.close());

    const restoreLeft = (store: Repository, spec: Partial<RestoreJobSpec> = {}): Promise<RestoreResult> =>
      restore({ source: stand.source, store }, { backupId: manifest.backupId, allowUnchecked: true, ...spec });
    const sizes = (state: State): Record<string, number> =>
      Object.fromEntries(Object.entries(state).map(([table, { length }]) => [table, length]));
    const inserts = ({ tables: of }: RestoreResult): Record<string, number> =>
      Object.fromEntries(of.map((table) => [table.table, table.inserts]));
    const rowsOf = (state: State): number => Object.values(sizes(state)).reduce((sum, size) => sum + size, 0);

    it('goes into missing tables without the rows that refer to lost ones, however far, and says how many', async () => {
      const { store, lost } = await loseChunk(stand, manifest);
      const left = remaining(before, lost);
      await stand.dropTables();
      await expect(restoreLeft(store, { allowUnchecked: false })).rejects.toMatchObject({ code: 'INTEGRITY_FAILURE' });
      const result = await restoreLeft(store);
      expect(await stand.state()).toEqual(left);
      expect([result.mode, inserts(result), result.verifiedRows]).toEqual(['BULK', sizes(left), rowsOf(left)]);
      const gone = (table: string): number => before[table]!.length - left[table]!.length;
      expect(result.notes.join('\n')).toMatch(
        new RegExp(
          `^${lost.size} rows of table owner are lost[^]*\n` +
            `${gone('owner') - lost.size} rows of table owner are left out: they refer by boss_id to rows of owner that are lost or left out.\n` +
            `${gone('item')} rows of table item are left out: they refer by owner_id to rows of owner that are lost or left out.\n` +
            `${gone('part')} rows of table part are left out: they refer by item_id to rows of item that are left out.$`,
        ),
      );
      const warned = result.tables.filter(({ warnings }) => warnings.join().includes('left out'));
      expect(warned.map(({ table }) => table).sort()).toEqual(['item', 'owner', 'part']);
      const again = await restoreLeft(store, { dryRun: true });
      expect([again.inserts, again.updates, again.deletes]).toEqual([0, 0, 0]);
    });

    it('goes into a scratch schema as well', async () => {
      const { store, lost } = await loseChunk(stand, manifest);
      const result = await restoreLeft(store, { target: { kind: 'SCRATCH', schema: 'scratch_left' } });
      expect(inserts(result)).toEqual(sizes(remaining(before, lost)));
      await stand.source.dropScratch('scratch_left');
    });

    it('comes back in place: rows whose parents are still there too, and rows that lost theirs stay as they are', async () => {
      const { store, lost } = await loseChunk(stand, manifest);
      const owned = before.item!.map(([, owner]) => owner);
      const isBoss = new Set(before.owner!.map(([, boss]) => boss));
      const goneOwner = [...lost].find((owner) => owned.includes(owner) && !isBoss.has(owner))!;
      const orphaned = before.item!.filter(([, owner]) => owner === goneOwner).map(([key]) => Number(key));
      await stand.sql.exec(`DELETE FROM owner WHERE id = '${goneOwner}'`); // sets the owner of its items to NULL
      const deleted = before.item!.find(([, owner]) => owner !== null && lost.has(owner!) && owner !== goneOwner)![0];
      await stand.sql.exec(`DELETE FROM item WHERE id = ${deleted}`);
      await stand.sql.exec(`UPDATE config SET name = 'damaged' WHERE id = 1`);
      const result = await restoreLeft(store);
      const expected: State = {
        ...before,
        owner: before.owner!.filter(([key]) => key !== goneOwner),
        item: before.item!.map((row) => (row[1] === goneOwner ? [row[0]!, null, row[2]!] : row)),
      };
      expect(await stand.state()).toEqual(expected);
      expect(result.mode).toBe('IN_PLACE');
      const how = orphaned.length === 1 ? 'row of table item is' : 'rows of table item are';
      expect(result.notes.join('\n')).toContain(`${orphaned.length} ${how} left out`);
    });

    it('is, where a table is lost as a whole, that table without rows and what does not need it', async () => {
      const store = loseTable(stand, manifest);
      await stand.dropTables();
      const result = await restoreLeft(store);
      const left = remaining(before, new Set(before.owner!.map(([key]) => key!)));
      expect(left.item!.length).toBeGreaterThan(0);
      expect(await stand.state()).toEqual({ ...left, owner: [] });
      expect(result.tables.find(({ table }) => table === 'owner')?.warnings).toEqual(['All of its rows are lost.']);
    });

    it('comes back into tables that changed since, beside one that is lost', async () => {
      const { store } = await loseChunk(stand, manifest);
      await stand.sql.exec('ALTER TABLE owner ADD COLUMN grade BIGINT NOT NULL DEFAULT 1');
      await stand.sql.exec('UPDATE owner SET grade = 2');
      await stand.sql.exec('ALTER TABLE item ADD COLUMN checked BIGINT NULL');
      await stand.sql.exec('UPDATE item SET checked = id');
      await stand.sql.exec(`UPDATE item SET name = 'damaged' WHERE id < 20`);
      const owner = before.owner!.map((row) => [...row, '2']);
      const item = before.item!.map((row) => [...row, row[0]!]);
      for (const left of [store, loseTable(stand, manifest)]) {
        const result = await restoreLeft(left);
        expect(await stand.state()).toEqual({ ...before, owner, item });
        expect(result.tables.find(({ table }) => table === 'item')).toMatchObject({ deletes: 0, inserts: 0 });
        await stand.sql.exec(`UPDATE item SET name = 'damaged' WHERE id < 20`);
      }
    });

    it('is all of it where nothing is lost', async () => {
      await stand.dropTables();
      const result = await restoreLeft(stand.store);
      expect(await stand.state()).toEqual(before);
      expect([result.notes, result.tables.flatMap(({ warnings }) => warnings)]).toEqual([[], []]);
    });
  });
}
