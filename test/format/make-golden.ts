/**
 * Makes the golden repositories: `node -r ./test/support/register-ts.js test/format/make-golden.ts`. They are committed and made once
 * for a format version: every later version of the program must read the bytes that this one wrote. Passphrase of the encrypted
 * ones: "golden".
 */
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openRepository, type Repository } from '../../src/repository/repository';
import { FakeClock, MemoryLog, seededRandom } from '../support/repository-ambient';
import { backupIdOf, labelsOf, manifestOf, payloadOf, takeBackup, TEST_SETTINGS } from '../support/repository-fixtures';

const GOLDEN = join(__dirname, 'golden');

async function make(name: string, passphrase?: string): Promise<void> {
  const path = join(GOLDEN, name);
  rmSync(path, { recursive: true, force: true });
  const clock = new FakeClock();
  const repository = await openRepository({
    settings: { ...TEST_SETTINGS, url: `file:${path}`, passphrase },
    clock,
    random: seededRandom(`golden ${name}`),
    log: new MemoryLog(),
    packTargetBytes: 3000,
  });
  if (passphrase !== undefined) await repository.addPassphrase('golden too', 'second');
  await takeBackup(repository, 1, labelsOf('row', 24));
  await takeBackup(repository, 2, [...labelsOf('row', 12), 'new', ...labelsOf('row', 24).slice(12)]);
  await settingsBackup(repository);
  rmSync(join(path, 'tmp'), { recursive: true });
}

async function settingsBackup(repository: Repository): Promise<void> {
  const session = await repository.beginWrite(backupIdOf(3));
  const { id } = await session.putChunk(repository.encodeServiceDocument({ schedules: [{ cron: '0 3 * * *' }] }));
  await session.putChunk(payloadOf('of no use'));
  await session.commit({ ...manifestOf(backupIdOf(3), [], id), type: 'SYSTEM' });
}

/** Copies a golden repository and damages one object: the first whose name has `part`. */
function damage(name: string, from: string, how: { part: string; change: (bytes: Buffer) => Buffer | null }): void {
  const path = join(GOLDEN, name);
  rmSync(path, { recursive: true, force: true });
  cpSync(join(GOLDEN, from), path, { recursive: true });
  const found = readdirSync(path, { recursive: true, encoding: 'utf8' }).sort().find((file) => /\.\w+$/.test(file) && file.includes(how.part)); // prettier-ignore
  if (found === undefined) throw new Error(`${from} has no ${how.part}`);
  const changed = how.change(readFileSync(join(path, found)));
  if (changed) writeFileSync(join(path, found), changed);
  else rmSync(join(path, found));
}

const flip = (bytes: Buffer): Buffer => {
  const copy = Buffer.from(bytes);
  copy[bytes.length >> 1] = (copy[bytes.length >> 1] as number) ^ 0x10;
  return copy;
};

async function main(): Promise<void> {
  await make('plain');
  await make('encrypted', 'golden');
  damage('damaged-pack', 'plain', { part: '.pack', change: flip });
  damage('damaged-pack-encrypted', 'encrypted', { part: '.pack', change: flip });
  damage('truncated-pack', 'plain', { part: '.pack', change: (bytes) => bytes.subarray(0, bytes.length - 9) });
  damage('missing-pack', 'plain', { part: '.pack', change: () => null });
  damage('damaged-manifest', 'plain', { part: '-FULL-', change: flip });
  damage('damaged-config', 'encrypted', { part: 'config.json', change: flip });
  damage('damaged-key', 'encrypted', { part: 'keys/', change: flip });
}

void main(); // because the process ends with it, and a failure ends it loudly
