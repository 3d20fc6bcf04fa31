/** Value indexes in the repository: what was put in is found, nothing else is read, and nothing takes the pages away. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { ValueIndexRef, LayerRef } from '../../../src/domain/manifest';
import { decodeValuePage, MAX_ORDINALS } from '../../../src/repository/value-page';
import { ValueTreeBuilder, lookUpValues } from '../../../src/repository/value-tree';
import type { Repository } from '../../../src/repository/repository';
import {
  backupIdOf, HOUR_MS, manifestOf, memoryStorage, newWorld, openWorld, payloadOf, tableOf, takeBackup, type World,
} from '../../support/repository-fixtures'; // prettier-ignore

type Pair = readonly [number: number, ordinal: number];

const RUNS = { seed: 20261125, numRuns: process.env.LONG ? 300 : 40 };

function sorted(pairs: readonly Pair[]): Uint32Array {
  return Uint32Array.from([...pairs].sort((a, b) => a[0] - b[0] || a[1] - b[1]).flat());
}

class Pages {
  readonly stored = new Map<string, Buffer>();
  reads = 0;

  async build(pairs: Uint32Array, pairsAtOnce = 1000): Promise<string | null> {
    const builder = new ValueTreeBuilder(async (payload) => {
      const id = createHash('sha256').update(payload).digest();
      this.stored.set(id.toString('hex'), payload);
      return id;
    });
    for (let at = 0; at < pairs.length; at += 2 * pairsAtOnce)
      await builder.add(pairs.subarray(at, at + 2 * pairsAtOnce));
    return builder.finish();
  }

  lookUp(root: string, numbers: readonly number[], limit = Infinity): Promise<Uint32Array | null> {
    const read = async (id: Buffer): Promise<Buffer> => {
      this.reads++;
      return this.stored.get(id.toString('hex'))!;
    };
    return lookUpValues({
      read,
      root: Buffer.from(root, 'hex'),
      numbers: Uint32Array.from(numbers).sort(),
      limit,
    });
  }
}

function expected(pairs: readonly Pair[], numbers: readonly number[]): number[] {
  const found = new Set(pairs.filter(([number]) => numbers.includes(number)).map(([, ordinal]) => ordinal));
  return [...found].sort((a, b) => a - b);
}

const number = fc.oneof(fc.nat(30), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
const pairList = fc.array(fc.tuple(number, fc.oneof(fc.nat(50), fc.nat(2 ** 31))), { minLength: 1, maxLength: 400 });

test('whatever was put in is found, and under no other number', async () => {
  await fc.assert(
    fc.asyncProperty(pairList, fc.array(number, { maxLength: 20 }), fc.integer({ min: 1, max: 50 }), async (pairs, others, atOnce) => {
      const pages = new Pages();
      const root = (await pages.build(sorted(pairs), atOnce))!;
      for (const numbers of [others, [pairs[0]![0]], [...others, ...pairs.slice(0, 9).map(([found]) => found)]]) {
        expect([...(await pages.lookUp(root, numbers))!]).toEqual(expected(pairs, numbers));
      }
      expect((await new Pages().build(sorted([...pairs, ...pairs])))!).toBe(root);
    }),
    RUNS,
  ); // prettier-ignore
});

test('a million pairs take a few bytes each, and finding some reads few pages', async () => {
  const count = 300_000;
  const numberOf = (i: number): number => Math.imul(i, 0x85ebca6b) >>> 0;
  const pairs = Array.from({ length: count }, (_, i) => [numberOf(i), Math.floor(i / 500)] as const);
  const pages = new Pages();
  const root = (await pages.build(sorted(pairs)))!;
  const bytes = [...pages.stored.values()].reduce((sum, page) => sum + page.length, 0);
  expect(bytes / count).toBeLessThan(6.5);
  const wanted = [7, 150_000, 299_999];
  expect([...(await pages.lookUp(root, wanted.map(numberOf)))!]).toEqual([0, 300, 599]);
  expect(pages.reads).toBeLessThan(12);
  const changed = new Pages();
  await changed.build(sorted([...pairs, [numberOf(1_000_000), 3]]));
  expect([...changed.stored.keys()].filter((id) => !pages.stored.has(id)).length).toBeLessThan(8);
});

test('a number in more chunks than one entry holds is found in all of them, or said to be in too many', async () => {
  const many = Array.from({ length: 3 * MAX_ORDINALS + 5 }, (_, ordinal) => [9, ordinal * 3] as const);
  const pages = new Pages();
  const root = (await pages.build(sorted([...many, [8, 1], [10, 2]])))!;
  expect([...(await pages.lookUp(root, [9]))!]).toEqual(many.map(([, ordinal]) => ordinal));
  expect(await pages.lookUp(root, [9], 100)).toBeNull();
  expect([...(await pages.lookUp(root, [8, 10], 100))!]).toEqual([1, 2]);
});

test('an index of nothing has no root, and damaged pages are refused', async () => {
  expect(await new Pages().build(new Uint32Array(0))).toBeNull();
  const pages = new Pages();
  const root = (await pages.build(sorted([[1, 1], [2, 5]])))!; // prettier-ignore
  const page = pages.stored.get(root)!;
  for (const bad of [page.subarray(0, -1), Buffer.concat([page, Buffer.from([0])]), Buffer.from([3, 0, 1])]) {
    pages.stored.set(root, bad);
    await expect(pages.lookUp(root, [2])).rejects.toMatchObject({ code: 'INTEGRITY_FAILURE' });
  }
  expect(() => decodeValuePage(Buffer.from([5, 0, 0]))).toThrow(/no entries/);
});

/** A backup of one table with an index, whose pages stand in packs of their own. */
async function backupWithIndex(repository: Repository, number: number, root?: string): Promise<ValueIndexRef> {
  const session = await repository.beginWrite(backupIdOf(number));
  try {
    const layer = session.buildLayer('BASE');
    const { id } = await session.putChunk(payloadOf(`rows ${number}`));
    await layer.add({ id, rowCount: 1, rawBytes: 600, firstKey: Buffer.from('a'), lastKey: Buffer.from('a') });
    const built = await layer.finish();
    const index = session.buildValueIndex();
    await index.add(sorted(Array.from({ length: 20_000 }, (_, i) => [i * 77_777 + number, i % 900] as const)));
    const ref: ValueIndexRef = { columns: [{ name: 'id', form: 'EXACT' }], root: root ?? (await index.finish()) };
    const indexed: LayerRef = { ...built, valueIndexes: [ref] };
    await session.commit(manifestOf(backupIdOf(number), [tableOf('risk_assessments', indexed)]));
    return ref;
  } catch (error) {
    await session.abort();
    throw error;
  }
}

describe('in a repository', () => {
  let world: World;
  let repository: Repository;
  beforeEach(async () => {
    world = newWorld();
    repository = await openWorld(world, { packTargetBytes: 2000, passphrase: 'secret' });
  });

  const find = async (of: Repository, { root }: ValueIndexRef): Promise<number[]> => [
    ...(await of.listedChunks(root!, Uint32Array.from([77_777 + 1, 77_777 * 901 + 1]), 100))!,
  ];

  test('a collection keeps the pages that a backup needs, and takes those of deleted ones', async () => {
    const kept = await backupWithIndex(repository, 1);
    await backupWithIndex(repository, 2);
    await repository.deleteManifest(backupIdOf(2));
    const { packCount: before } = await repository.info();
    await repository.collectGarbage({ dryRun: false });
    world.clock.advance(2 * HOUR_MS);
    const { deletedPacks } = await repository.collectGarbage({ dryRun: false });
    expect(deletedPacks).toBeGreaterThan(3);
    expect((await repository.info()).packCount).toBeGreaterThan(3);
    expect((await repository.info()).packCount).toBe(before - deletedPacks);
    const reopened = await openWorld(world, { passphrase: 'secret' });
    expect(await find(reopened, kept)).toEqual([1]);
    expect((await reopened.check({ level: 'DATA' })).findings).toEqual([]);
  });

  test('a check names lost pages, and says that they hurt no backup', async () => {
    const plain = newWorld();
    const { root } = await backupWithIndex(await openWorld(plain, { packTargetBytes: 2000 }), 1);
    const storage = memoryStorage(plain.fs);
    for await (const { name } of storage.list('packs/')) {
      if ((await storage.get(name)).includes(Buffer.from(root!, 'hex'))) await storage.delete(name);
    }
    const reopened = await openWorld(plain);
    for (const level of ['STRUCTURE', 'DATA'] as const) {
      const message = expect.stringMatching(/in no pack.* index by values .* hurts no backup/) as string;
      const { findings } = await reopened.check({ level });
      expect(findings).toMatchObject([{ object: 'packs/', problem: 'MISSING', message, backupIds: [] }]);
    }
    await expect(reopened.collectGarbage({ dryRun: true })).rejects.toMatchObject({ code: 'INTEGRITY_FAILURE' });
  });

  test('a backup that names an index which is not stored does not come to exist', async () => {
    await expect(backupWithIndex(repository, 1, 'ab'.repeat(32))).rejects.toMatchObject({ code: 'INTERNAL' });
    await takeBackup(repository, 2, ['row']);
    expect(await repository.findManifest(backupIdOf(1))).toBeNull();
  });
});
