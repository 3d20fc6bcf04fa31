/** The bytes of FORMAT.md: what is encoded is decoded again, what is cut or changed is refused, and the worked example holds. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { ChunkIndex } from '../../../src/repository/chunk-index';
import { CODEC_NONE, createCompressor, decompress } from '../../../src/repository/compression';
import { decodeJsonObject, encodeJsonObject } from '../../../src/repository/json-object';
import { encryptedKeyring, plainKeyring, Seal, type Keyring } from '../../../src/repository/keyring';
import { decodePage, encodeEntry, encodePage, type PageEntry } from '../../../src/repository/layer-page';
import { TreeBuilder, walkLayer } from '../../../src/repository/layer-tree';
import { cutsAfter } from '../../../src/repository/page-cut';
import { classify, manifestName, markName, packName } from '../../../src/repository/object-names';
import {
  decodeTail,
  encodeHeader,
  encodeTail,
  FOOTER_BYTES,
  HEADER_BYTES,
  RECORD_BYTES,
  type PackRecord,
} from '../../../src/repository/pack-format';
import { uvarintLength, writeUvarint } from '../../../src/domain/uvarint';
import { ByteReader } from '../../../src/repository/uvarint';
import type { ChunkEntry } from '../../../src/domain/backup-store';
import { seededRandom } from '../../support/repository-ambient';
import { flipped } from '../../support/repository-faults';
import { backupIdOf } from '../../support/repository-fixtures';

const RUNS = { numRuns: process.env['LONG'] === '1' ? 1000 : 60, seed: 20261122 };
const random = seededRandom('codecs');
const REPOSITORY_ID = '6f9619ff-8b86-4d01-b42d-00cf4fc964ff';
const keyrings: [string, Keyring][] = [
  ['plain', plainKeyring(7)],
  ['encrypted', encryptedKeyring(Buffer.alloc(32, 5), REPOSITORY_ID, random)],
];
const bytes = (max: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ maxLength: max }).map((array) => Buffer.from(array));
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((array) => Buffer.from(array));

test('uvarints of any safe number come back in their shortest form', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.nat(300), (large, small) => {
      const buffer = Buffer.alloc(uvarintLength(large) + uvarintLength(small));
      expect(writeUvarint(buffer, writeUvarint(buffer, 0, large), small)).toBe(buffer.length);
      const reader = new ByteReader(buffer, 'test');
      expect([reader.uvarint(), reader.uvarint()]).toEqual([large, small]);
      reader.end();
    }),
    RUNS,
  );
});

test.each([
  [[0x80]],
  [[0x80, 0x00]],
  [Array.from({ length: 9 }, () => 0x81)],
  [[...Array.from({ length: 7 }, () => 0xff), 0x7f]],
])('the uvarint %j is refused', (malformed) => {
  expect(() => new ByteReader(Buffer.from(malformed), 'test').uvarint()).toThrow(/malformed/);
});

test.each(keyrings)('JSON objects come back, and no changed byte is accepted (%s)', (_, keyring) => {
  const options = {
    name: manifestName({ createdAt: '2026-11-22T19:45:00Z', type: 'FULL', backupId: backupIdOf(1) }),
    keyring,
  };
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.boolean(),
      fc.nat(),
      fc.nat(7),
      (value, sealed, at, bit) => {
        const object = JSON.parse(JSON.stringify(value)) as object;
        const encoded = encodeJsonObject(object, { ...options, sealed });
        expect(decodeJsonObject(encoded, { ...options, sealed })).toEqual(object);
        const changed = flipped(encoded, at % encoded.length, 1 << bit);
        expect(() => decodeJsonObject(changed, { ...options, sealed })).toThrow(/damaged/);
        expect(() => decodeJsonObject(encoded.subarray(0, at % encoded.length), { ...options, sealed })).toThrow(
          /damaged/,
        );
      },
    ),
    RUNS,
  );
});

test('a sealed object is bound to its name', () => {
  const keyring = keyrings[1]?.[1] as Keyring;
  const encoded = encodeJsonObject({ secret: 'business 17' }, { name: 'a', keyring, sealed: true });
  expect(encoded.includes('business')).toBe(false);
  expect(() => decodeJsonObject(encoded, { name: 'b', keyring, sealed: true })).toThrow(/do not match/);
});

test('what is sealed opens only as it was sealed', () => {
  const seal = new Seal(Buffer.alloc(32, 1), random);
  fc.assert(
    fc.property(bytes(200), bytes(40), fc.nat(), (plain, associated, at) => {
      const sealed = seal.seal(plain, associated);
      expect(seal.open(sealed, associated).equals(plain)).toBe(true);
      expect(() => seal.open(flipped(sealed, at % sealed.length), associated)).toThrow(/do not match/);
      expect(() => seal.open(sealed, Buffer.concat([associated, Buffer.from('x')]))).toThrow(/do not match/);
    }),
    RUNS,
  );
});

const record: fc.Arbitrary<PackRecord> = fc.record({
  id: hash,
  codec: fc.constantFrom(0, 1),
  kind: fc.nat(255),
  storedLength: fc.nat(1_000_000),
  rawLength: fc.nat(2_000_000),
});

test.each(keyrings)('pack indexes come back, and no changed byte is accepted (%s)', (_, keyring) => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 20 }), fc.nat(), (records, at) => {
      const packId = random.bytes(16);
      const tail = Buffer.concat([encodeTail(records, packId, keyring), Buffer.alloc(32)]);
      const sizeBytes = HEADER_BYTES + records.reduce((sum, { storedLength }) => sum + storedLength, 0) + tail.length;
      const decoded = decodeTail(tail, { packId, sizeBytes, keyring });
      expect(decoded.map(({ offset: _offset, ...rest }) => ({ ...rest, id: rest.id.toString('hex') }))).toEqual(
        records.map((rest) => ({ ...rest, id: rest.id.toString('hex') })),
      );
      const changed = flipped(tail, at % (tail.length - 32));
      expect(() => decodeTail(changed, { packId, sizeBytes, keyring })).toThrow();
      expect(() => decodeTail(tail, { packId: random.bytes(16), sizeBytes, keyring })).toThrow();
    }),
    RUNS,
  );
});

test('the worked example of FORMAT.md holds to the byte', () => {
  const keyring = plainKeyring(0);
  const packId = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
  const payload = Buffer.from('{}');
  const id = keyring.chunkId(payload);
  const records = [{ id, codec: CODEC_NONE, kind: 0x7b, storedLength: 2, rawLength: 2 }];
  const body = Buffer.concat([encodeHeader(packId, false), payload, encodeTail(records, packId, keyring)]);
  expect(body.toString('hex', 0, 0x5e)).toBe(
    '52565041434b3031' + '0000000000000000' + '000102030405060708090a0b0c0d0e0f' + '7b7d' +
      '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a' + '007b00000000000200000002' +
      '0000002c00000001' + '5256494e44583031',
  ); // prettier-ignore
  const indexHash = createHash('sha256').update(body.subarray(0, 0x20)).update(body.subarray(0x22, 0x5e)).digest('hex');
  expect(body.toString('hex', 0x5e)).toBe(indexHash);
  expect(body.length + 32).toBe(158);
  expect(RECORD_BYTES + FOOTER_BYTES + HEADER_BYTES + 2).toBe(158);
  expect(packName(packId.toString('hex'))).toBe('packs/00/000102030405060708090a0b0c0d0e0f.pack');
});

test('payloads of any content survive compression, and none is trusted', async () => {
  const compressor = createCompressor({ compression: 'zstd', compressionLevel: 1 });
  const payload = fc
    .tuple(bytes(3000), fc.nat(40))
    .map(([part, times]) => Buffer.concat(Array(times).fill(part) as Buffer[]));
  await fc.assert(
    fc.asyncProperty(payload, async (raw) => {
      const encoded = await compressor.encode(raw);
      expect(encoded.bytes.length).toBeLessThanOrEqual(raw.length);
      expect((await decompress(encoded.codec, encoded.bytes, raw.length)).equals(raw)).toBe(true);
      await expect(decompress(encoded.codec, encoded.bytes, raw.length + 1)).rejects.toMatchObject({
        code: 'INTEGRITY_FAILURE',
      });
    }),
    RUNS,
  );
  await expect(decompress(9, Buffer.alloc(1), 1)).rejects.toMatchObject({ code: 'FORMAT_TOO_NEW' });
  await expect(decompress(1, Buffer.from('nonsense'), 8)).rejects.toMatchObject({ code: 'INTEGRITY_FAILURE' });
});

const pageEntry: fc.Arbitrary<PageEntry> = fc.record({
  id: hash,
  chunkCount: fc.constant(1),
  rowCount: fc.nat(),
  rawBytes: fc.maxSafeNat(),
  firstKey: bytes(30),
  lastKey: bytes(30),
});

test('pages come back, and cut ones are refused', () => {
  fc.assert(
    fc.property(fc.array(pageEntry, { minLength: 1, maxLength: 12 }), fc.nat(3), fc.nat(), (entries, level, cut) => {
      const page = encodePage(level, entries.map((entry) => encodeEntry(entry, level))); // prettier-ignore
      expect(decodePage(page)).toEqual({ level, entries });
      expect(() => decodePage(page.subarray(0, cut % page.length))).toThrow(/malformed/);
      expect(() => decodePage(Buffer.concat([page, Buffer.alloc(1)]))).toThrow(/malformed/);
    }),
    { ...RUNS, numRuns: 30 },
  );
});

const chunk = (number: number): ChunkEntry => {
  const key = Buffer.from(String(number).padStart(8, '0'));
  return {
    id: createHash('sha256').update(key).digest('hex'),
    rowCount: 3,
    rawBytes: 100,
    firstKey: key,
    lastKey: key,
  };
};

async function build(
  entries: readonly ChunkEntry[],
): Promise<{ pages: Map<string, Buffer>; root: string | null; count: number }> {
  const pages = new Map<string, Buffer>();
  const builder = new TreeBuilder('BASE', async (payload) => {
    const id = createHash('sha256').update(payload).digest();
    pages.set(id.toString('hex'), payload);
    return id;
  });
  for (const entry of entries) await builder.add(entry);
  const layer = await builder.finish();
  const read = async (id: Buffer): Promise<Buffer> => pages.get(id.toString('hex')) as Buffer;
  const walked: string[] = [];
  for await (const { id, firstKey } of walkLayer(read, layer)) walked.push(`${id} ${firstKey.toString()}`);
  expect(walked).toEqual(entries.map(({ id, firstKey }) => `${id} ${firstKey.toString()}`));
  expect(layer).toMatchObject({
    chunkCount: entries.length,
    rowCount: entries.length * 3,
    rawBytes: entries.length * 100,
  });
  return { pages, root: layer.root, count: layer.chunkCount };
}

test('layers of any size come back in order; a change moves few pages', async () => {
  for (const size of [0, 1, 2, 3, 50, 500, 20_000]) {
    const entries = Array.from({ length: size }, (_, index) => chunk(index * 2));
    const before = await build(entries);
    expect(before.root === null).toBe(size === 0);
    const at = size >> 1;
    const after = await build([...entries.slice(0, at), chunk(at * 2 + 1), ...entries.slice(at)]);
    const fresh = [...after.pages.keys()].filter((id) => !before.pages.has(id));
    expect(fresh.length).toBeLessThanOrEqual(8);
    expect((await build(entries)).root).toBe(before.root);
  }
});

test('pages with the largest keys still make a tree', async () => {
  const entries = Array.from({ length: 40 }, (_, index) => ({
    ...chunk(index),
    firstKey: Buffer.alloc(70_000, index),
    lastKey: Buffer.alloc(70_000, index),
  }));
  const pages = new Map<string, Buffer>();
  const builder = new TreeBuilder('BASE', async (payload) => {
    const id = createHash('sha256').update(payload).digest();
    pages.set(id.toString('hex'), payload);
    return id;
  });
  for (const entry of entries) await builder.add(entry);
  expect((await builder.finish()).chunkCount).toBe(40);
  expect(pages.size).toBeLessThan(60);
  expect(cutsAfter({ number: 0, bytes: 40 }, { entryCount: 1, bytes: 100_000 })).toBe(false);
});

test('the chunk index agrees with a map, copies and removals included', () => {
  const operations = fc.array(fc.record({ id: fc.nat(40), pack: fc.nat(5) }), { maxLength: 3000 });
  fc.assert(
    fc.property(operations, fc.nat(5), (added, removed) => {
      const index = new ChunkIndex();
      const model = new Map<number, number[]>();
      const idOf = (number: number): Buffer => createHash('sha256').update(`${number}`).digest();
      for (const { id, pack } of added) {
        index.add(pack, { id: idOf(id), codec: 1, kind: 1, offset: id, storedLength: id, rawLength: pack });
        model.set(id, [...(model.get(id) ?? []), pack]);
      }
      const kept = index.filtered((pack) => pack !== removed);
      for (let id = 0; id <= 41; id++) {
        const packs = model.get(id) ?? [];
        expect([...index.find(idOf(id))].map((entry) => index.place(entry).pack)).toEqual(packs);
        const rest = [...kept.find(idOf(id))].map((entry) => kept.place(entry));
        expect(rest.map(({ pack }) => pack)).toEqual(packs.filter((pack) => pack !== removed));
        expect(rest.every(({ offset }) => offset === id)).toBe(true);
      }
    }),
    { ...RUNS, numRuns: 20 },
  );
});

test('names are recognised as what they are, and nothing else is', () => {
  const name = manifestName({ createdAt: '2026-11-22T19:45:00.123Z', type: 'FULL', backupId: backupIdOf(1) });
  expect(name).toBe(`manifests/2026/11/20261122T194500Z-FULL-${backupIdOf(1)}.json`);
  expect(classify(name)).toEqual({ kind: 'MANIFEST', backupId: backupIdOf(1), type: 'FULL', generation: 1 });
  expect(classify(name.replace('.json', '.g2.json'))).toMatchObject({ generation: 2 });
  expect(classify(markName('2026-11-22T19:45:00.123Z', backupIdOf(1)))).toEqual({ kind: 'MARK' });
  for (const bad of [
    '',
    'x',
    'packs/aa/bb.pack',
    `packs/00/${'1'.repeat(32)}.pack`,
    `${name}.tmp`,
    'locks/x.json',
    'config.json/x',
  ]) {
    expect(classify(bad)).toBeNull();
  }
});
