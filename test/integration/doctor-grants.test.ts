/** The doctor for a user who was granted nothing yet: it prints the grants, and with those alone everything can be done. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MysqlStand } from '../support/mysql-stand';
import { openTestMysql } from '../support/mysql-source';
import { restore } from '../support/engine-context';

const DOCTOR = join(__dirname, '../../dist/doctor.js');
const USER = `rv_${process.pid}`;

let stand: MysqlStand;
let folder = '';
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'riskvault-grants-'));
  stand = await MysqlStand.open(['CREATE TABLE t (id INT PRIMARY KEY)', 'INSERT INTO t VALUES (1)'], ['t']);
  await stand.exec(`CREATE USER ${USER}@'%' IDENTIFIED BY 'secret'`);
});
afterAll(async () => {
  await stand.exec(`DROP USER ${USER}@'%'`);
  await stand.close();
  rmSync(folder, { recursive: true, force: true });
});

function sourceUrl(): string {
  return Object.assign(new URL(stand.schema.url), { username: USER, password: 'secret' }).href;
}

function doctor(): { stdout: string; status: number | null } {
  const file = join(folder, 'riskvault.yml');
  const sources = [{ url: sourceUrl(), dataTypes: { CONFIG: [{ table: 't' }] } }];
  writeFileSync(file, JSON.stringify({ dataFolder: join(folder, 'data'), sources }));
  const foreign = Object.entries(process.env).filter(([name]) => !name.startsWith('RISKVAULT_'));
  const env = { ...Object.fromEntries(foreign), RISKVAULT_CONFIG: file };
  return spawnSync(process.execPath, [DOCTOR], { env, encoding: 'utf8' });
}

test('a user without any grant is told each one that is missing, once, and they are enough', async () => {
  const { stdout, status } = doctor();
  expect(status).toBe(1);
  const grants = [...stdout.matchAll(/^ +(GRANT .*);$/gm)].map(([, grant]) => grant!);
  expect(grants.filter((grant) => grant.includes('GRANT SELECT ON'))).toHaveLength(1);
  expect(new Set(grants).size).toBe(grants.length);
  await stand.exec(...grants);
  const granted = doctor();
  expect(granted).toMatchObject({ status: 0, stdout: expect.not.stringContaining('GRANT') });
});

test('a scratch schema of a name that the grants do not cover is refused with the names that are', async () => {
  const backupId = await stand.backup();
  const source = openTestMysql(sourceUrl(), stand.mapping);
  try {
    const beside = restore(
      { ...stand.bench, source },
      { backupId, target: { kind: 'SCRATCH', schema: `beside_${USER}` } },
    );
    await expect(beside).rejects.toMatchObject({ hint: expect.stringContaining('begins with scratch_') });
  } finally {
    await source.close();
  }
});
