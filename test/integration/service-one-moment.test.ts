/**
 * A full backup taken while others write is one moment of the source: what holds in every committed state holds in the restored data.
 * Writers move scores between rows, and write an assessment with its factors and its history in one transaction.
 */
import { createConnection, type Connection } from 'mysql2/promise';
import Libsql from 'libsql';
import { createSeededRandom } from '../../src/sources/seeded-random';
import { stopMariadb } from '../support/mariadb';
import { describeMariadb, needServer } from '../support/mysql-source';
import { startServiceApp } from '../support/service-app';
import { pause } from '../support/service-client';
import { mariadbPlatform, sqlitePlatform, type Platform } from '../support/service-platforms';

jest.setTimeout(300_000);

const LONG = Boolean(process.env.LONG);
const ROUNDS = LONG ? 10 : 2;
const ACCOUNTS = 40;
/** Factors of each assessment that a writer adds. */
const FACTORS = 5;

/** The sum over the accounts never moves, and each new assessment has its factors, its history and its config. */
const INVARIANTS = [
  `SELECT SUM(version) FROM risk_config WHERE config_type = 'account'`,
  `SELECT COUNT(*) FROM risk_assessments a WHERE a.source = 'writer' AND
     (SELECT COUNT(*) FROM risk_factor_scores f WHERE f.assessment_id = a.id) <> ${FACTORS}`,
  `SELECT (SELECT COUNT(*) FROM risk_history WHERE change_type = 'writer') -
     (SELECT COUNT(*) FROM risk_assessments WHERE source = 'writer')`,
  `SELECT COUNT(*) FROM risk_history h WHERE h.change_type = 'writer' AND
     NOT EXISTS (SELECT 1 FROM risk_assessments a WHERE a.id = h.assessment_id)`,
  `SELECT (SELECT version FROM risk_config WHERE config_key = 'counter') -
     (SELECT COUNT(*) FROM risk_assessments WHERE source = 'writer')`,
];
const HELD = [String(ACCOUNTS * 1000), '0', '0', '0', '0'];
const WRITTEN = `SELECT COUNT(*) FROM risk_assessments WHERE source = 'writer'`;

async function openAccounts(platform: Platform): Promise<void> {
  const account = (key: string, type: string, version: number): string =>
    `INSERT INTO risk_config (config_type, config_key, config_value, version, updated_by) VALUES ('${type}', '${key}', '{}', ${version}, 'x')`;
  for (let i = 0; i < ACCOUNTS; i++) await platform.exec(account(`account-${i}`, 'account', 1000));
  await platform.exec(account('counter', 'counter', 0));
}

/** One writer's next transaction. */
function transaction(
  random: ReturnType<typeof createSeededRandom>,
  owner: { tenant: string; business: string },
): string[] {
  const [from, to] = random.sample([...Array(ACCOUNTS).keys()], 2);
  const amount = random.int(1, 50);
  const account = (change: string, key: string): string =>
    `UPDATE risk_config SET version = version ${change} WHERE config_key = '${key}'`;
  // In one order always, so that writers wait for each other instead of dying in a deadlock.
  const moves = [[from, `- ${amount}`], [to, `+ ${amount}`]].sort(([a], [b]) => Number(a) - Number(b)); // prettier-ignore
  const id = random.uuid();
  const { tenant, business } = owner;
  const factors = Array.from(
    { length: FACTORS },
    (_, i) => `('${id}', '${tenant}', 'f${i}', 'Factor', 'other', 1, 'low', '2026-01-01 00:00:00')`,
  );
  return [
    account('+ 1', 'counter'),
    ...moves.map(([key, change]) => account(String(change), `account-${key}`)),
    `INSERT INTO risk_assessments (id, tenant_id, business_id, business_name, assessment_method, source)
       VALUES ('${id}', '${tenant}', '${business}', 'Writer', 'model', 'writer')`,
    `INSERT INTO risk_factor_scores (assessment_id, tenant_id, factor_id, factor_name, category, score, level, calculated_at)
       VALUES ${factors.join(', ')}`,
    `INSERT INTO risk_history (tenant_id, business_id, assessment_id, change_type, occurred_at)
       VALUES ('${tenant}', '${business}', '${id}', 'writer', '2026-01-01 00:00:00')`,
  ];
}

interface Writers {
  /** Resolves to the number of transactions committed. */
  stop(): Promise<number>;
}

async function ownerOf(platform: Platform): Promise<{ tenant: string; business: string }> {
  const [business = '', tenant = ''] = await platform.values(
    'SELECT id, tenant_id FROM businesses ORDER BY id LIMIT 1',
  );
  return { tenant, business };
}

async function startMariadbWriters(platform: Platform, round: number): Promise<Writers> {
  const owner = await ownerOf(platform);
  let stopped = false;
  const write = async (connection: Connection, seed: number): Promise<number> => {
    const random = createSeededRandom(seed);
    let committed = 0;
    for (; !stopped; committed++) {
      await connection.beginTransaction();
      for (const statement of transaction(random, owner)) await connection.query(statement);
      await connection.commit();
    }
    await connection.end();
    return committed;
  };
  const connections = await Promise.all([1, 2, 3].map(() => createConnection(platform.sourceUrl)));
  const writers = connections.map((connection, i) => write(connection, 100 * round + i));
  return {
    async stop() {
      stopped = true;
      return (await Promise.all(writers)).reduce((sum, count) => sum + count, 0);
    },
  };
}

/** One writer, as SQLite has it, that gives the service's own thread a turn after every transaction. */
async function startSqliteWriter(platform: Platform, round: number): Promise<Writers> {
  const owner = await ownerOf(platform);
  const random = createSeededRandom(round);
  const database = new Libsql(platform.sourceUrl.replace('sqlite:', ''));
  database.exec('PRAGMA busy_timeout = 10000');
  let stopped = false;
  const write = async (): Promise<number> => {
    let committed = 0;
    for (; !stopped; committed++) {
      database.exec(['BEGIN IMMEDIATE', ...transaction(random, owner), 'COMMIT'].join(';'));
      await pause(1);
    }
    database.close();
    return committed;
  };
  const writing = write();
  return {
    async stop() {
      stopped = true;
      return writing;
    },
  };
}

async function expectOneMoment(
  platform: Platform,
  startWriters: (platform: Platform, round: number) => Promise<Writers>,
): Promise<void> {
  await openAccounts(platform);
  const service = await startServiceApp({ sourceUrl: platform.sourceUrl });
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const writers = await startWriters(platform, round);
      const backupId = await service.client.backup();
      const committed = await writers.stop();
      const scratch = platform.scratch(`moment${round}`);
      await service.client.restore({ backupId, target: { scratch } });
      const [held, inBackup] = await platform.inScratch(scratch, async (values) => {
        const answers: string[] = [];
        for (const sql of INVARIANTS) answers.push(...(await values(sql)));
        return [answers, Number((await values(WRITTEN))[0])];
      });
      expect(held).toEqual(HELD);
      // The moment lies within the writing, or nothing would be shown.
      expect(committed).toBeGreaterThan(10);
      expect(inBackup).toBeLessThan(Number((await platform.values(WRITTEN))[0]));
    }
  } finally {
    await service.close();
  }
}

describeMariadb('a full backup of MariaDB under writers', () => {
  afterAll(() => stopMariadb());

  it('is one moment of 100,000 rows', async () => {
    const platform = await mariadbPlatform(await needServer(), 101_000);
    try {
      expect(await platform.rowCount()).toBeGreaterThan(100_000);
      await expectOneMoment(platform, startMariadbWriters);
    } finally {
      await platform.remove();
    }
  });
});

describe('a full backup of SQLite under a writer', () => {
  it('is one moment', async () => {
    const platform = await sqlitePlatform(LONG ? 2000 : 400);
    try {
      await expectOneMoment(platform, startSqliteWriter);
    } finally {
      await platform.remove();
    }
  });
});
