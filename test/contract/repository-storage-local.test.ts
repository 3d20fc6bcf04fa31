/** Local storage against the contract, on a real folder and on the file system in memory that fault tests use. */
import { chmod, mkdtemp, readdir, readFile, rm, stat, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { nodeFileSystem, type FileSystem } from '../../src/repository/storage/file-system';
import { LocalStorage } from '../../src/repository/storage/local';
import { memoryStorage, newWorld } from '../support/repository-fixtures';
import { storageContract } from './repository-storage';

const temporaryName = (): string => randomBytes(16).toString('hex');

async function onDisk(
  fileSystem?: FileSystem,
): Promise<{ storage: LocalStorage; path: string; dispose(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'rv-storage-'));
  const storage = new LocalStorage({ path: join(path, 'deep', 'repository'), temporaryName, fileSystem });
  return { storage, path: join(path, 'deep', 'repository'), dispose: () => rm(path, { recursive: true }) };
}

storageContract('local folder', () => onDisk());
storageContract('memory', async () => ({ storage: memoryStorage(newWorld().fs), dispose: async () => undefined }));

describe('local folders', () => {
  test('keep others out: folders 0700, files 0600', async () => {
    const { storage, path, dispose } = await onDisk();
    await storage.put('packs/ab/one.pack', Buffer.from('x'));
    expect((await stat(join(path, 'packs'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(path, 'packs/ab'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(path, 'packs/ab/one.pack'))).mode & 0o777).toBe(0o600);
    expect(await readdir(join(path, 'tmp'))).toEqual([]);
    await dispose();
  });

  test('without hard links still publish whole objects and overwrite none', async () => {
    const link = async (): Promise<void> => {
      throw Object.assign(new Error('no links here'), { code: 'EPERM' });
    };
    const { storage, path, dispose } = await onDisk({ ...nodeFileSystem, link });
    await storage.put('a/1', Buffer.from('first'));
    await expect(storage.put('a/1', Buffer.from('second'))).rejects.toMatchObject({ fault: 'EXISTS' });
    expect(await readFile(join(path, 'a/1'), 'utf8')).toBe('first');
    expect(await readdir(join(path, 'tmp'))).toEqual([]);
    await dispose();
  });

  test('that are full say so with a remedy and leave nothing', async () => {
    const { fs } = newWorld();
    const storage = memoryStorage(fs);
    await storage.put('kept', Buffer.from('x'));
    fs.room = 10;
    const full = { code: 'REPOSITORY_FULL', fault: 'FULL', hint: expect.stringContaining('Free some MB') };
    await expect(storage.put('big', Buffer.alloc(11))).rejects.toMatchObject(full);
    expect(fs.files('/repo')).toEqual(['/repo/kept']);
  });

  test('that vanish are unavailable, not empty', async () => {
    const { storage, path, dispose } = await onDisk();
    await storage.put('kept', Buffer.from('x'));
    await unlink(join(path, 'kept'));
    await rm(path, { recursive: true });
    const list = async (): Promise<void> => {
      for await (const { name } of storage.list('')) expect(name).toBe('nothing');
    };
    await expect(list()).rejects.toMatchObject({ fault: 'UNAVAILABLE', retryable: true });
    await dispose();
  });

  test('that cannot be read are unavailable', async () => {
    if (process.getuid?.() === 0) return; // root reads everything
    const { storage, path, dispose } = await onDisk();
    await storage.put('a/1', Buffer.from('x'));
    await chmod(join(path, 'a/1'), 0);
    await expect(storage.get('a/1')).rejects.toMatchObject({ fault: 'UNAVAILABLE' });
    await dispose();
  });
});
