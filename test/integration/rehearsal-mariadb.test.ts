/** Rehearsals on MariaDB, and what only a server can do to them: refuse a grant, end a statement after its time. */
import { randomUUID } from 'node:crypto';
import { rehearsalPrefix, rehearsalSchema } from '../../src/domain/rehearsal';
import { mariadbEngineFixture } from '../support/engine-mariadb';
import { canHaveMariadb } from '../support/mariadb';
import { describeRehearsals } from '../support/rehearsal-scenarios';
import { openTestMysql } from '../support/mysql-source';
import { MysqlStand } from '../support/mysql-stand';
import { run } from '../support/engine-context';

if (canHaveMariadb()) {
  describeRehearsals('MariaDB', {
    fixture: mariadbEngineFixture,
    async leftOf({ sql }, prefix) {
      const found = await sql.query(
        `SELECT schema_name FROM information_schema.schemata WHERE LEFT(schema_name, ${prefix.length}) = '${prefix}'`,
      );
      return found.map(([name]) => String(name));
    },
  });

  describe('a rehearsal on MariaDB', () => {
    let stand: MysqlStand;
    const USER = `rv_reh_${process.pid}`;
    beforeAll(async () => {
      stand = await MysqlStand.open(['CREATE TABLE t (id INT PRIMARY KEY)', 'INSERT INTO t VALUES (1), (2)'], ['t']);
      await stand.exec(
        `CREATE USER ${USER}@'%' IDENTIFIED BY 'secret'`,
        `GRANT SELECT ON \`${stand.schema.name}\`.* TO ${USER}@'%'`,
      );
    });
    afterAll(async () => {
      await stand.exec(`DROP USER ${USER}@'%'`);
      await stand.close();
    });

    const rehearse = async (source: ReturnType<typeof openTestMysql>) => {
      const spec = { kind: 'REHEARSAL', backupId: await stand.backup(), source: 'default' } as const;
      const jobId = randomUUID() as never;
      try {
        return await run({ kind: 'REHEARSAL', jobId, spec, mayHaveLeft: false }, { ...stand.bench, source });
      } finally {
        await source.close();
        await expect(stand.source.scratchesNamed(rehearsalPrefix(jobId))).resolves.toEqual([]);
      }
    };

    it('without the grant for scratch schemas is a failure that says which, and no verdict on the backup', async () => {
      const url = Object.assign(new URL(stand.schema.url), { username: USER, password: 'secret' }).href;
      await expect(rehearse(openTestMysql(url, stand.mapping))).rejects.toMatchObject({
        code: 'SOURCE_UNAVAILABLE',
        hint: expect.stringContaining('npm run doctor'),
      });
    });

    it('finds that the server does not understand a table of the backup', async () => {
      const source = openTestMysql(stand.schema.url, stand.mapping);
      const openBulkWriter = source.openBulkWriter.bind(source);
      source.openBulkWriter = (options) => {
        const tables = options.tables.map((table) => {
          const createStatement = table.createStatement.replace(
            /DEFAULT CHARSET=.*/,
            'DEFAULT CHARSET=of_another_server',
          );
          return { ...table, createStatement };
        });
        return openBulkWriter({ ...options, tables });
      };
      const finding = { problem: 'NOT_RESTORED', message: expect.stringMatching(/table t .*of_another_server/) };
      expect(await rehearse(source)).toMatchObject({ passed: false, findings: [finding], proof: null });
    });

    it('ends an invariant after its time, says so, and asks the next one', async () => {
      const all = 'information_schema.columns';
      const sql = `SELECT COUNT(*) FROM ${all} a, ${all} b, ${all} c WHERE a.column_name < b.column_name AND b.column_name < c.column_name`;
      const slow = { name: 'slow', sql, tables: ['t'] };
      const invariants = [slow, { name: 'two', sql: 'SELECT id FROM t WHERE id > 2', tables: ['t'] }];
      const result = await rehearse(
        openTestMysql(stand.schema.url, stand.mapping, { invariants, invariantLimitMs: 300 }),
      );
      expect(result).toMatchObject({
        passed: false,
        findings: [{ object: 'slow', problem: 'UNCHECKED_INVARIANT', message: expect.stringContaining('0.3 seconds') }],
      });
    });

    it('waits for a client that has the scratch schema open for seconds only, and then is to be tried again', async () => {
      const source = openTestMysql(stand.schema.url, stand.mapping);
      const { checkInvariants } = source;
      source.checkInvariants = async (options) => {
        await stand.exec('START TRANSACTION', `SELECT * FROM ${options.schema}.t`);
        return checkInvariants.call(source, options);
      };
      const jobId = randomUUID() as never;
      const spec = { kind: 'REHEARSAL', backupId: await stand.backup(), source: 'default' } as const;
      const task = { kind: 'REHEARSAL', jobId, spec, mayHaveLeft: false } as const;
      await expect(run(task, { ...stand.bench, source })).rejects.toMatchObject({
        ...{ code: 'SOURCE_UNAVAILABLE', retryable: true, unsettled: true },
        message: expect.stringContaining('could not be dropped'),
      });
      await stand.exec('COMMIT');
      expect(await run(task, stand.bench)).toMatchObject({ passed: true });
      expect(await stand.source.scratchesNamed(rehearsalPrefix(jobId))).toEqual([]);
      await source.close();
    });

    it('takes back a schema whose making was cut off before it was marked', async () => {
      const schema = rehearsalSchema(randomUUID() as never, randomUUID());
      await stand.exec(`CREATE DATABASE ${schema}`);
      await stand.source.discardScratch(schema, 'job');
      await stand.exec(`CREATE DATABASE ${schema}`, `CREATE TABLE ${schema}.theirs (id INT)`);
      await expect(stand.source.discardScratch(schema, 'job')).rejects.toMatchObject({ code: 'CONFLICT' });
      await stand.exec(`DROP DATABASE ${schema}`);
    });
  });
} else {
  it.skip('rehearsals on MariaDB: there is no server', () => undefined);
}
