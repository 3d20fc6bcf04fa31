/** What any storage must do, whatever it is kept in. Call it with a way to get an empty one. */
import { isAppError } from '../../src/domain/errors';
import { isStorageFault, type Storage } from '../../src/repository/storage/storage';

export interface StorageStand {
  storage: Storage;
  dispose(): Promise<void>;
}

async function names(storage: Storage, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of storage.list(prefix)) found.push(name);
  return found.sort();
}

async function faultOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'none';
  } catch (error) {
    if (!isAppError(error) || !('fault' in error)) throw error;
    return String(error.fault);
  }
}

const BAD_NAMES = [
  '', '/', '/etc/passwd', '..', '../x', 'packs/../../x', 'packs/./x', 'packs//x', 'packs/', '.hidden', 'packs/.x', 'a\\b', 'C:\\x',
  'a b', 'a\0b', 'a\nb', 'a:b', '~root', 'ä', 'x'.repeat(256),
]; // prettier-ignore

export function storageContract(name: string, open: () => Promise<StorageStand>): void {
  describe(`storage: ${name}`, () => {
    let stand: StorageStand;
    let storage: Storage;

    beforeEach(async () => {
      stand = await open();
      storage = stand.storage;
    });
    afterEach(() => stand.dispose());

    test('gives back what was put, whole and in ranges', async () => {
      const bytes = Buffer.from('0123456789');
      await storage.put('packs/ab/one.pack', bytes);
      expect(await storage.get('packs/ab/one.pack')).toEqual(bytes);
      expect(await storage.getRange('packs/ab/one.pack', 3, 4)).toEqual(Buffer.from('3456'));
      expect(await storage.getRange('packs/ab/one.pack', 10, 0)).toHaveLength(0);
      expect(await faultOf(storage.getRange('packs/ab/one.pack', 8, 4))).toBe('TRUNCATED');
      expect(await storage.stat('packs/ab/one.pack')).toMatchObject({ sizeBytes: 10 });
    });

    test('takes empty objects', async () => {
      await storage.put('empty.json', Buffer.alloc(0));
      expect(await storage.get('empty.json')).toHaveLength(0);
    });

    test('never overwrites', async () => {
      await storage.put('config.json', Buffer.from('first'));
      expect(await faultOf(storage.put('config.json', Buffer.from('second')))).toBe('EXISTS');
      expect((await storage.get('config.json')).toString()).toBe('first');
    });

    test('lets exactly one of many writers of a name win', async () => {
      const tries = Array.from({ length: 8 }, (_, index) =>
        faultOf(storage.put('config.json', Buffer.from(`${index}`))),
      );
      const faults = await Promise.all(tries);
      expect(faults.filter((fault) => fault === 'none')).toHaveLength(1);
      expect(faults.filter((fault) => fault === 'EXISTS')).toHaveLength(7);
      const winner = faults.indexOf('none');
      expect((await storage.get('config.json')).toString()).toBe(String(winner));
    });

    test('shows a streamed object only once it is committed', async () => {
      const writer = await storage.openWriter('packs/cd/two.pack');
      await writer.write(Buffer.from('half'));
      expect(await names(storage, '')).toEqual([]);
      expect(await storage.stat('packs/cd/two.pack')).toBeNull();
      await writer.write(Buffer.from(' and half'));
      await writer.commit();
      await writer.abort();
      expect((await storage.get('packs/cd/two.pack')).toString()).toBe('half and half');
    });

    test('leaves nothing of an aborted object', async () => {
      const writer = await storage.openWriter('packs/cd/two.pack');
      await writer.write(Buffer.from('half'));
      await writer.abort();
      await writer.abort();
      expect(await names(storage, '')).toEqual([]);
    });

    test('lists all objects below a prefix, and nothing else', async () => {
      for (const name of ['a/1', 'a/b/2', 'ab/3', 'c']) await storage.put(name, Buffer.from(name));
      expect(await names(storage, '')).toEqual(['a/1', 'a/b/2', 'ab/3', 'c']);
      expect(await names(storage, 'a/')).toEqual(['a/1', 'a/b/2']);
      expect(await names(storage, 'none/')).toEqual([]);
    });

    test('deletes, also what is not there', async () => {
      await storage.put('a/1', Buffer.from('x'));
      await storage.delete('a/1');
      await storage.delete('a/1');
      await storage.delete('none/2');
      expect(await names(storage, '')).toEqual([]);
      expect(await faultOf(storage.get('a/1'))).toBe('MISSING');
      await storage.put('a/1', Buffer.from('again'));
    });

    test('says MISSING for what is not there, and stat null', async () => {
      expect(await faultOf(storage.get('none'))).toBe('MISSING');
      expect(await faultOf(storage.getRange('none/x', 0, 1))).toBe('MISSING');
      expect(await storage.stat('none/x')).toBeNull();
    });

    test.each(BAD_NAMES)('refuses the name %j', async (bad) => {
      expect(await faultOf(storage.put(bad, Buffer.alloc(1)))).toBe('BAD_NAME');
      expect(await faultOf(storage.get(bad))).toBe('BAD_NAME');
      expect(await faultOf(storage.delete(bad))).toBe('BAD_NAME');
      expect(await faultOf(storage.openWriter(bad))).toBe('BAD_NAME');
      expect(await names(storage, '')).toEqual([]);
    });

    test('removes abandoned writes and keeps objects', async () => {
      await storage.put('kept', Buffer.from('x'));
      const writer = await storage.openWriter('never');
      await writer.write(Buffer.from('half'));
      await storage.removeAbandoned(new Date(Date.parse('2100-01-01T00:00:00Z')));
      await writer.abort();
      expect(await names(storage, '')).toEqual(['kept']);
    });

    test('knows or does not know how much room is left', async () => {
      const free = await storage.freeBytes();
      expect(free === null || free > 0).toBe(true);
    });

    test('a fault says what it is', async () => {
      await expect(storage.get('none')).rejects.toMatchObject({
        code: 'NOT_FOUND',
        objectName: 'none',
        retryable: false,
      });
      expect(await storage.get('none').catch((error: unknown) => isStorageFault(error, 'MISSING'))).toBe(true);
    });
  });
}
