/**
 * A repository that is wrong, full or damaged under the whole service: it does not start where it never could, it fails with a remedy
 * where it could again, and it never restores silently what is not what was backed up.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSeededRandom } from '../../src/sources/seeded-random';
import { startServiceApp, type ServiceApp } from '../support/service-app';
import { damageStatements, sqlitePlatform, type Platform } from '../support/service-platforms';
import { ServiceProcess } from '../support/service-process';
import { fillDisk, mountSmallDisk } from '../support/small-disk';

jest.setTimeout(180_000);

const FLIPS = !process.env.LONG ? 4 : 60;

let platform: Platform;
beforeAll(async () => {
  platform = await sqlitePlatform(60);
});
afterAll(() => platform.remove());

describe('the service refuses to start', () => {
  let service: ServiceProcess;
  beforeEach(() => {
    service = new ServiceProcess({ sourceUrl: platform.sourceUrl, passphrase: 'the right passphrase' });
  });
  afterEach(() => service.remove());

  it.each(['a wrong one', undefined])(
    'with the passphrase %p, says so, and starts with the right one',
    async (passphrase) => {
      await service.start();
      const backupId = await service.client.backup();
      await service.stop();
      service.move({ passphrase });
      const { code, stderr } = await service.failedStart();
      expect(code).toBe(1);
      expect(stderr).toMatch(/passphrase/i);
      expect(stderr).not.toMatch(/a wrong one|the right passphrase|\n\s+at /);
      service.move({ passphrase: 'the right passphrase' });
      await service.start();
      expect(await service.client.verify(backupId)).toMatchObject({ passed: true });
    },
  );

  it('beside a repository of a newer format, and changes nothing in it', async () => {
    const repository = join(service.path, 'repository');
    mkdirSync(repository, { recursive: true });
    const body = `${JSON.stringify({ format: 'riskvault', formatVersion: 99 })}\n`;
    const config = `${body}sha256 ${createHash('sha256').update(body).digest('hex')}\n`;
    writeFileSync(join(repository, 'config.json'), config);
    const { code, stderr } = await service.failedStart();
    expect(code).toBe(1);
    expect(stderr).toMatch(/format 99/);
    expect(stderr).toMatch(/newer/);
    expect(filesBelow(repository)).toEqual(['config.json']);
    expect(readFileSync(join(repository, 'config.json'), 'utf8')).toBe(config);
  });
});

it('tells of a repository that can be read and not written: in the log at the start, and where readiness is asked', async () => {
  const service = new ServiceProcess({ sourceUrl: platform.sourceUrl });
  try {
    await service.start();
    const backupId = await service.client.backup();
    await service.stop();
    expect(service.log.join('\n')).not.toMatch(/takes no writes/);
    // A file where its temporary folder was: nothing can be written, everything can be read.
    rmSync(join(service.path, 'repository/tmp'), { recursive: true });
    writeFileSync(join(service.path, 'repository/tmp'), '');
    await service.start();
    const warnings = service.log.filter((line) => line.includes('the repository takes no writes'));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/REPOSITORY_UNAVAILABLE/);
    const ready = (await (await fetch(`${service.url}/health/ready`)).json()) as { checks: unknown[] };
    expect(ready).toMatchObject({ ready: true });
    expect(ready.checks).toContainEqual(expect.objectContaining({ name: 'repository writes', ok: false }));
    expect(await service.client.verify(backupId)).toMatchObject({ passed: true });
  } finally {
    await service.remove();
  }
});

describe('one flipped byte of a pack', () => {
  let service: ServiceApp;
  // Anew for each test: a backup stores what a pack that was found damaged holds once more, and then either copy will do.
  beforeEach(async () => {
    service = await startServiceApp({
      sourceUrl: platform.sourceUrl,
      settings: { repository: { compression: 'zstd' } },
    });
  });
  afterEach(() => service.close());

  it('is found by verification, which names it and the backup, and is never restored silently', async () => {
    const random = createSeededRandom(7);
    const backupId = await service.client.backup();
    const whole = await platform.state();
    const pack = thePack(service.path);
    const sound = readFileSync(pack.path);
    for (let i = 0; i < FLIPS; i++) {
      await platform.exec(...damageStatements(i));
      const damaged = await platform.state();
      writeFileSync(pack.path, flipped(sound, random.int(0, sound.length - 1)));
      const { passed, findings } = await service.client.verify(backupId);
      expect(passed).toBe(false);
      expect(findings.map(({ object }) => object)).toContain(pack.name);
      const { jobId } = await service.client.startRestore({ backupId });
      const job = await service.client.ended(jobId);
      // A byte that no chunk is made of harms no restore; any other one stops it before it writes.
      if (job.state === 'FAILED') {
        expect(['INTEGRITY_FAILURE', 'BACKUP_NOT_RESTORABLE']).toContain(job.failure?.code);
        expect(job.failure?.remedy).toBeTruthy();
      }
      expect(await platform.state()).toEqual(job.state === 'FAILED' ? damaged : whole);
      writeFileSync(pack.path, sound);
      expect(await service.client.verify(backupId)).toMatchObject({ passed: true, findings: [] });
      await service.client.restore({ backupId });
      expect(await platform.state()).toEqual(whole);
    }
  });

  it('stops a restore, and what is left of the backup is restored on demand, with a note of the loss', async () => {
    const backupId = await service.client.backup();
    const whole = await platform.state();
    const pack = thePack(service.path);
    const sound = readFileSync(pack.path);
    await platform.exec(...damageStatements(5));
    const damaged = await platform.state();
    writeFileSync(pack.path, flipped(sound, Math.floor(sound.length / 5)));
    const { jobId } = await service.client.startRestore({ backupId });
    expect(await service.client.failed(jobId)).toMatchObject({ code: 'INTEGRITY_FAILURE', retryable: false });
    expect(await platform.state()).toEqual(damaged);
    const restore = await service.client.restore({ backupId, allowUnchecked: true });
    expect(restore.notes).not.toHaveLength(0);
    const after = await platform.state();
    const back = Object.keys(whole).filter((table) => after[table] === whole[table]);
    const kept = Object.keys(whole).filter((table) => after[table] !== whole[table]);
    expect(back).not.toHaveLength(0);
    for (const table of kept) expect(restore.notes.join(' ')).toContain(table);
    writeFileSync(pack.path, sound);
    await service.client.restore({ backupId });
    expect(await platform.state()).toEqual(whole);
  });
});

const disk = mountSmallDisk(4);
(disk ? describe : describe.skip)('a full disk (needs the right to mount one)', () => {
  let service: ServiceApp;
  beforeAll(async () => {
    service = await startServiceApp({
      sourceUrl: platform.sourceUrl,
      repositoryUrl: `file:${disk?.path}/repository`,
      settings: { repository: { compression: 'none' } },
    });
  });
  afterAll(async () => {
    await service.close();
    disk?.unmount();
  });

  it('fails the job with a remedy, leaves nothing of it, and the next one completes when there is room', async () => {
    const first = await service.client.backup({ type: 'SYSTEM' });
    const repository = join(disk?.path ?? '', 'repository');
    const before = filesBelow(repository).filter((name) => !name.startsWith('locks/'));
    const ballast = join(disk?.path ?? '', 'ballast');
    fillDisk(ballast, 1 << 16);
    const { jobId, backupId } = await service.client.startBackup();
    const failure = await service.client.failed(jobId);
    expect(failure.code).toBe('REPOSITORY_FULL');
    expect(failure.remedy).toMatch(/space|room|delete/i);
    expect((await service.client.getBackup(backupId)).status).toBe('FAILED');
    expect(filesBelow(repository).filter((name) => !name.startsWith('locks/'))).toEqual(before);
    rmSync(ballast);
    expect(await service.client.verify(first)).toMatchObject({ passed: true });
    expect(await service.client.verify(await service.client.backup())).toMatchObject({ passed: true });
  });
});

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] as number) ^ 0x10;
  return copy;
}

/** The largest pack of the service's repository. */
function thePack(folder: string): { name: string; path: string } {
  const repository = join(folder, 'repository');
  const packs = filesBelow(repository).filter((name) => name.endsWith('.pack'));
  const bytes = (name: string): number => readFileSync(join(repository, name)).length;
  const [name = ''] = packs.sort((a, b) => bytes(b) - bytes(a));
  return { name, path: join(repository, name) };
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}
