/** What the whole server may do to its binary log, on one of this suite's own: resets, purges, restarts, settings. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection, type Connection } from 'mysql2/promise';
import { ChangeLogStand, expectTold, type Moment } from '../support/change-log-stand';
import type { MariadbServer, OwnServer } from '../support/mariadb';
import { describeMariadb, needOwnServer } from '../support/mysql-source';

const ENCRYPTION_PLUGIN = '/usr/lib/mysql/plugin/file_key_management.so';

const TABLE = 'CREATE TABLE t (id INT PRIMARY KEY)';

describeMariadb('the binary log of a server', () => {
  let own: OwnServer;
  let server: MariadbServer;
  let stand: ChangeLogStand | null = null;

  beforeAll(async () => {
    ({ own, server } = await needOwnServer());
  });
  afterEach(() => closeStand());
  afterAll(() => own.remove());

  const closeStand = async (): Promise<void> => {
    await stand?.close();
    stand = null;
  };
  const open = async (): Promise<ChangeLogStand> => (stand = await ChangeLogStand.open(server, [TABLE], ['t']));
  const restart = async (...options: string[]): Promise<ChangeLogStand> => {
    await closeStand();
    await own.kill();
    await own.start(options);
    return open();
  };
  const reset = () => (server.isMariadb ? 'RESET MASTER' : 'RESET BINARY LOGS AND GTIDS');
  const reason = (pattern: RegExp) => ({ t: expect.stringMatching(pattern) });
  const insert = 'INSERT INTO t VALUES (1)';

  test('purged', async () => {
    const { exec, ...log } = await opened();
    const from = await log.moment();
    await exec('FLUSH BINARY LOGS', 'FLUSH BINARY LOGS');
    const to = await log.moment();
    await exec(`PURGE BINARY LOGS TO '${to.position.file}'`);
    expect((await log.between(from, to)).unusable).toEqual(reason(/purged or reset/));
  });

  const opened = async () => {
    const log = await open();
    return {
      exec: (...statements: string[]) => log.exec(...statements),
      moment: () => log.moment(),
      between: (from: Pick<Moment, 'position'>, to: Moment) => log.between(from, to),
    };
  };

  test('reset, with a file of the same name that grew beyond the earlier position', async () => {
    const log = await open();
    await log.exec(reset());
    const from = await log.moment();
    await log.exec(reset(), insert, ...Array.from({ length: 20 }, (_, i) => `INSERT INTO t VALUES (${i + 5})`));
    const to = await log.moment();
    expect(to.position.file).toBe(from.position.file);
    const { gtid: _, ...bare } = from.position;
    // Times in the log are whole seconds: what tells two resets within one apart is the transactions that are gone, or what stands there.
    const earlier = { ...bare, createdAt: '2026-01-01T00:00:00.000Z' };
    expect((await log.between({ position: earlier }, to)).unusable).toEqual(reason(/created anew/));
    await log.exec(reset(), insert.replace('1', '99'));
    const later = await log.moment();
    expect((await log.between(to, later)).unusable).toEqual(reason(/reset|gone/));
  });

  test('started anew in between: nobody knows under which settings it ran', async () => {
    const { position } = await (await open()).moment();
    const log = await restart();
    const to = await log.moment();
    expect((await log.between({ position }, to)).unusable).toEqual(reason(/started anew/));
    expectTold(await log.after(insert), '0131');
  });

  test('without checksums, or with them from one file on', async () => {
    const log = await restart('--binlog-checksum=NONE');
    expectTold(await log.after(insert), '0131');
    const told = await log.after('DELETE FROM t', "SET GLOBAL binlog_checksum = 'CRC32'", insert, 'FLUSH BINARY LOGS');
    expectTold(told, '0131');
  });

  test('filtered by schema', async () => {
    const log = await restart('--binlog-ignore-db=something');
    expect((await log.after(insert)).unusable).toEqual(reason(/filtered by schema: .* is something/));
  });

  test('of a replica that does not log what it replicates', async () => {
    const log = await restart(server.isMariadb ? '--log-slave-updates=OFF' : '--log-replica-updates=OFF');
    expect((await log.after(insert)).unusable).toEqual({});
    await log.exec(
      server.isMariadb
        ? "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = 1"
        : "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = 1",
    );
    expect((await log.after()).unusable).toEqual(reason(/replicates from another is not in its log/));
    await log.exec(server.isMariadb ? 'RESET SLAVE ALL' : 'RESET REPLICA ALL');
    expect((await log.after()).unusable).toEqual({});
    if (!server.isMariadb) return;
    await log.exec("SET GLOBAL gtid_slave_pos = '5-5-5'");
    expect((await log.after()).unusable).toEqual(reason(/replicates from another is not in its log/));
    await log.exec("SET GLOBAL gtid_slave_pos = ''");
  });

  test('compressed, on MariaDB', async () => {
    if (!server.isMariadb) return;
    const compressed = await restart('--log-bin-compress=ON', '--log-bin-compress-min-len=10');
    const told = await compressed.after(
      'CREATE TABLE long_one (v TEXT)',
      "INSERT INTO long_one VALUES (REPEAT('x', 1000))",
    );
    expect(told.unusable).toEqual(reason(/compressed events/));
  });

  test('encrypted, on MariaDB, is read like any', async () => {
    if (!server.isMariadb || !existsSync(ENCRYPTION_PLUGIN)) return;
    const folder = mkdtempSync(join(tmpdir(), 'riskvault-keys-'));
    const keys = join(folder, 'keys');
    writeFileSync(keys, `1;${'ab'.repeat(32)}\n`);
    const plugin = ['--plugin-load-add=file_key_management', `--file-key-management-filename=${keys}`];
    const other = await needOwnServer([...plugin, '--encrypt-binlog=ON']);
    try {
      const log = (stand = await ChangeLogStand.open(other.server, [TABLE], ['t']));
      expectTold(await log.after(insert, 'FLUSH BINARY LOGS'), '0131');
      await closeStand();
    } finally {
      await other.own.remove();
      rmSync(folder, { recursive: true });
    }
  });

  test('gone: no position, and nothing to read', async () => {
    const log = await restart();
    const moment = await log.moment();
    const off = await restart('--skip-log-bin');
    await expect(off.moment()).rejects.toThrow('no position');
    expect((await off.between(moment, moment)).unusable).toEqual(reason(/keeps no binary log|can't be seen/));
    await restart();
  });

  describe('with XA transactions', () => {
    const begin = ["XA START 'x'", insert, "XA END 'x'", "XA PREPARE 'x'"];
    // Those that a test commits are not there any more.
    afterEach(() => stand?.exec("XA ROLLBACK 'x'").catch(() => undefined));

    test('prepared and committed in between', async () => {
      const log = await open();
      expect((await log.after(...begin, "XA COMMIT 'x'")).unusable).toEqual(reason(/XA/));
    });

    test('committed in one phase', async () => {
      const log = await open();
      const told = await log.after(...begin.slice(0, 3), "XA COMMIT 'x' ONE PHASE");
      // MariaDB logs it like any transaction.
      if (server.isMariadb) expectTold(told, '0131');
      else expect(told.unusable).toEqual(reason(/XA/));
    });

    test('prepared before, committed in between', async () => {
      const log = await open();
      await log.exec(...begin);
      const from = await log.moment();
      expect(from.position.preparedXa).toBe(true);
      await log.exec("XA COMMIT 'x'");
      const to = await log.moment();
      expect((await log.between(from, to)).unusable).toEqual(reason(/XA/));
      // Whoever may not ask for prepared transactions sees the commit in the log.
      const { preparedXa: _, ...unasked } = from.position;
      expect((await log.between({ position: unasked }, to)).unusable).toEqual(reason(/XA/));
    });

    test('prepared at both ends', async () => {
      const log = await open();
      await log.exec(...begin);
      const [from, to] = [await log.moment(), await log.moment()];
      expect((await log.between(from, to)).unusable).toEqual(reason(/XA transactions were prepared/));
    });
  });

  test('and no XA transaction commits while the position of a read is taken', async () => {
    const log = await open();
    const connect = (): Promise<Connection> => createConnection({ uri: server.url(log.schema.name) });
    const [locker, writer] = [await connect(), await connect()];
    try {
      const locks = server.isMariadb ? [['BACKUP STAGE START', 'BACKUP STAGE BLOCK_COMMIT', 'BACKUP STAGE END']] : [];
      for (const [...statements] of [...locks, ['FLUSH TABLES WITH READ LOCK', 'UNLOCK TABLES']]) {
        const release = statements.pop() as string;
        for (const sql of [
          'SET lock_wait_timeout = 1',
          "XA START 'x'",
          'REPLACE INTO t VALUES (3)',
          "XA END 'x'",
          "XA PREPARE 'x'",
        ])
          await writer.query(sql);
        for (const sql of statements) await locker.query(sql);
        await expect(writer.query("XA COMMIT 'x'")).rejects.toMatchObject({
          message: expect.stringMatching(/lock wait|XA_?RB/i),
        });
        await locker.query(release);
        await writer.query("XA COMMIT 'x'");
      }
    } finally {
      await locker.end();
      await writer.end();
    }
  });
});
