/** The doctor as an operator runs it: what it prints of a repository, and what it exits with. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRepository } from '../../src/repository/repository';
import { testAmbient } from '../support/sqlite';

const DOCTOR = join(__dirname, '../../dist/doctor.js');
const PASSPHRASE = 'a passphrase of the test';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'riskvault-doctor-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function makeRepository(passphrase?: string): Promise<void> {
  const settings = { url: `file:${folder}/repository`, passphrase, compression: 'zstd', compressionLevel: 1 } as const;
  const repository = await openRepository({ settings: { ...settings, gracePeriodMs: 0 }, ...testAmbient });
  await repository.close();
}

function doctor(environment: NodeJS.ProcessEnv = {}): { stdout: string; status: number | null } {
  const foreign = Object.entries(process.env).filter(([name]) => !name.startsWith('RISKVAULT_'));
  const env = { ...Object.fromEntries(foreign), RISKVAULT_DATA_FOLDER: folder, ...environment };
  return spawnSync(process.execPath, [DOCTOR], { env, encoding: 'utf8' });
}

test('an encrypted repository without a passphrase is one error, and no word of unencrypted backups', async () => {
  await makeRepository(PASSPHRASE);
  const { stdout, status } = doctor();
  expect(stdout).toMatch(/ERROR +The repository is encrypted and no passphrase is set/);
  expect(stdout).not.toMatch(/unencrypted/);
  expect(status).toBe(1);
  const opened = doctor({ RISKVAULT_PASSPHRASE: PASSPHRASE });
  expect(opened).toMatchObject({ status: 0, stdout: expect.stringMatching(/ok +One passphrase opens it: .*keys add/) });
});

test('a repository that is not encrypted, or will not be, is warned of once', async () => {
  const warnings = (): string[] | null => doctor().stdout.match(/WARNING.*(unencrypted|not encrypted).*/g);
  expect(warnings()).toEqual([expect.stringContaining('before the first start')]);
  await makeRepository();
  expect(warnings()).toEqual([expect.stringContaining('another, empty location')]);
});
