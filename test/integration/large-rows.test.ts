/**
 * Rows of many megabytes, up to the largest that is taken: they come back byte for byte, in bulk and as differences, in a process
 * that stays within the memory that a small machine has. A larger one fails the backup and says which row, and what to do.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SourceMapping } from '../../src/domain/mapping';
import type { Source } from '../../src/domain/source';
import type { EngineTask } from '../../src/domain/task';
import type { ContractConnection } from '../contract/source-contract';
import { backupTask, restoreTask, run } from '../support/engine-context';
import type { ChildOrder } from '../support/engine-child';
import { openStore } from '../support/engine-scenarios';
import { createSchema, stopMariadb } from '../support/mariadb';
import { connectMysql, describeMariadb, needServer, openTestMysql } from '../support/mysql-source';
import { connectSqlite, openTestSource } from '../support/sqlite';

jest.setTimeout(120_000);

const MIB = 1024 * 1024;
const MAPPING: SourceMapping = [{ dataType: 'CONFIG', table: 'large' }];
/** A row passes as packet, chunk, text and statement: several times its 60 MiB, and no more however many such rows there are. */
const MOST_RESIDENT_MIB = 1024;

/** How one kind of database spells things. */
interface Dialect {
  columns: string;
  /** So many bytes; what loading text has to escape is among them. */
  bytes(mib: number): string;
  text(mib: number): string;
  /** A row (5) with what this kind alone has. */
  own: readonly string[];
  sums: string;
}

interface Place {
  database: string;
  source: Source;
  sql: ContractConnection;
  remove(): Promise<void>;
}

const MARIADB: Dialect = {
  columns: 'id INT NOT NULL PRIMARY KEY, b LONGBLOB, t LONGTEXT CHARACTER SET utf8mb4, j JSON',
  bytes: (mib) => `REPEAT(X'00090A5C27FF5C01', ${(mib * MIB) / 8})`,
  text: (mib) => `REPEAT(CONVERT(X'615CC3A90A092762' USING utf8mb4), ${(mib * MIB) / 8})`,
  // Beside a decimal MySQL does not take it as text.
  own: [`INSERT INTO large (id, j) VALUES (5, JSON_OBJECT('d', 1.50, 's', REPEAT('x"\\\\', ${(20 * MIB) / 4})))`],
  sums: 'SELECT id, LENGTH(b), SHA2(b, 256), LENGTH(t), SHA2(t, 256), LENGTH(j), SHA2(j, 256) FROM large ORDER BY id',
};

const SQLITE: Dialect = {
  columns: 'id INTEGER NOT NULL PRIMARY KEY, b BLOB, t TEXT',
  bytes: (mib) => `randomblob(${mib * MIB})`,
  text: (mib) => `replace(hex(zeroblob(${(mib * MIB) / 8})), '00', CAST(x'615CC3A90A092762' AS TEXT))`,
  own: [],
  // It knows no hash.
  sums: 'SELECT id, length(b), hex(substr(b, 1, 64)), hex(substr(b, -64)), length(t), hex(substr(t, -64)) FROM large ORDER BY id',
};

function describeLargeRows(name: string, dialect: Dialect, open: (folder: string) => Promise<Place>): void {
  describe(`rows of many megabytes on ${name}`, () => {
    let folder: string;
    let place: Place;

    beforeEach(async () => {
      folder = mkdtempSync(join(tmpdir(), 'riskvault-large-'));
      place = await open(folder);
      await place.sql.exec(`CREATE TABLE large (${dialect.columns})`);
    });
    afterEach(async () => {
      await place.source.close();
      await place.remove();
      rmSync(folder, { recursive: true, force: true });
    });

    const repository = (): string => join(folder, 'repository');
    const sums = (): Promise<unknown> => place.sql.query(dialect.sums);
    const insert = (id: number, blob: string, text: string): Promise<void> =>
      place.sql.exec(`INSERT INTO large (id, b, t) VALUES (${id}, ${blob}, ${text})`);

    /** The most that a process of its own had resident while it ran the task, MiB. */
    function memoryOf(task: EngineTask): Promise<number> {
      const order: ChildOrder = { database: place.database, repository: repository(), task, mapping: MAPPING };
      const support = join(__dirname, '../support');
      const files = ['-r', join(support, 'register-ts.js'), join(support, 'engine-child.ts')];
      const child = spawn(process.execPath, [...files, JSON.stringify(order)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let output = '';
      child.stdout.on('data', (data: Buffer) => (output += data.toString()));
      return new Promise((resolve, reject) =>
        child.once('close', () => {
          const [, kib] = /^done (\d+)$/m.exec(output) ?? [];
          if (kib === undefined) reject(new Error(`the task did not end well: ${output}`));
          else resolve(Number(kib) / 1024);
        }),
      );
    }

    test('come back byte for byte, in bulk and in place, within stated memory', async () => {
      await insert(1, dialect.bytes(20), "'short'");
      await insert(2, dialect.bytes(60), 'NULL');
      await insert(3, 'NULL', dialect.text(20));
      await insert(4, "'x'", "'y'");
      for (const statement of dialect.own) await place.sql.exec(statement);
      const before = await sums();
      const taking = backupTask() as EngineTask & { kind: 'BACKUP' };
      const { backupId } = taking.spec;
      const resident = [await memoryOf(taking)];
      await place.sql.exec('DROP TABLE large');
      resident.push(await memoryOf(restoreTask({ backupId })));
      expect(await sums()).toEqual(before);
      await place.sql.exec('DELETE FROM large WHERE id = 2');
      await place.sql.exec("UPDATE large SET t = 'harmed' WHERE id IN (3, 5)");
      resident.push(await memoryOf(restoreTask({ backupId })));
      expect(await sums()).toEqual(before);
      if (process.env.MEASURE) console.log(`MiB resident: ${resident.map(Math.round).join(', ')}`);
      expect(Math.max(...resident)).toBeLessThan(MOST_RESIDENT_MIB);
    });

    test('over the largest size fail the backup by name, and nothing of it stays', async () => {
      await insert(1, dialect.bytes(20), "'short'");
      await insert(7, dialect.bytes(65), "'too long'");
      const store = await openStore(repository());
      await expect(run(backupTask(), { source: place.source, store })).rejects.toMatchObject({
        code: 'INVALID_INPUT',
        retryable: false,
        message: expect.stringMatching(/table large with key \(7\) has 65\.0 MiB; the largest is 64 MiB/),
        hint: expect.stringMatching(/Shorten the row, or leave the table out/),
      });
      const files = readdirSync(repository(), { recursive: true, withFileTypes: true });
      const ours = files.filter((file) => file.isFile() && /\/(packs|manifests|locks)(\/|$)/.test(file.parentPath));
      expect(ours.map(({ name: file }) => file)).toEqual([]);
    });
  });
}

describeLargeRows('SQLite', SQLITE, async (folder) => {
  const database = join(folder, 'source.sqlite');
  const sql = connectSqlite(database);
  return { database, sql, source: openTestSource(database, MAPPING), remove: () => sql.close() };
});

describeMariadb('large rows', () => {
  let setBack: () => Promise<void>;

  beforeAll(async () => {
    const admin = await connectMysql((await needServer()).url());
    const [[packet] = []] = await admin.query('SELECT @@GLOBAL.max_allowed_packet');
    await admin.exec(`SET GLOBAL max_allowed_packet = ${256 * MIB}`);
    setBack = async () => {
      await admin.exec(`SET GLOBAL max_allowed_packet = ${packet}`);
      await admin.close();
    };
  });
  afterAll(async () => {
    await setBack();
    await stopMariadb();
  });

  describeLargeRows('MariaDB', MARIADB, async () => {
    const schema = await createSchema(await needServer(), 'large');
    const sql = await connectMysql(schema.url);
    const remove = async (): Promise<void> => {
      await sql.close();
      await schema.drop();
    };
    return { database: schema.url, sql, source: openTestMysql(schema.url, MAPPING), remove };
  });
});
