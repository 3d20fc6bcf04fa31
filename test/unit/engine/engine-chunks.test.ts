/** Chunks of rows: every row exactly once, boundaries that stay where they are, payloads that decode to what they encode. */
import fc from 'fast-check';
import { decodeRowChunk, encodeRowChunk } from '../../../src/engine/rows/row-chunk';
import { Chunker, MAX_CHUNK_BYTES, MIN_CHUNK_BYTES, type ChunkDraft } from '../../../src/engine/rows/chunker';
import { murmur3 } from '../../../src/engine/rows/key-bytes';
import { sqliteCodec } from '../../../src/sources/sqlite/row-encoding';
import { batchOf, encodeField, encodeRow, rowsOf, type Row } from '../../support/engine-rows';

const runs = { seed: 20261122, numRuns: process.env.LONG ? 300 : 25 };

function chunk(rows: Buffer[], keyColumns: number[] = [0], batchRows = 97): ChunkDraft[] {
  const chunker = new Chunker({ codec: sqliteCodec, keyColumns, seed: 99, table: 't' });
  const drafts: ChunkDraft[] = [];
  for (let i = 0; i < rows.length; i += batchRows) drafts.push(...chunker.push(batchOf(rows.slice(i, i + batchRows))));
  const last = chunker.flush();
  return last === null ? drafts : [...drafts, last];
}

/** About 5 MB of rows with sparse keys. */
function manyRows(count = 5000, bytes = 1000): Buffer[] {
  return Array.from({ length: count }, (_, i) => encodeRow([i * 10, 'x'.repeat(bytes)]));
}

describe('the row chunk payload', () => {
  it('decodes to the rows it was made of', () => {
    const rows = fc.array(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(rows, (given) => {
        expect(rowsOf(decodeRowChunk(encodeRowChunk(batchOf(given))))).toEqual(given);
      }),
      runs,
    );
  });

  it('starts with 0x01, the count and the lengths', () => {
    const long = Buffer.alloc(300, 0x41);
    expect(encodeRowChunk(batchOf([Buffer.from('ab'), long])).subarray(0, 7)).toEqual(
      Buffer.from([0x01, 0x02, 0x02, 0xac, 0x02, 0x61, 0x62]),
    );
  });

  it('is refused when cut short, extended or of another kind', () => {
    const payload = encodeRowChunk(batchOf([Buffer.from('abc'), Buffer.from('de')]));
    const broken = [
      payload.subarray(0, -1),
      Buffer.concat([payload, payload]),
      Buffer.from('{}'),
      Buffer.alloc(0),
      Buffer.from([1]),
    ];
    for (const bytes of broken)
      expect(() => decodeRowChunk(bytes)).toThrow(expect.objectContaining({ code: 'INTEGRITY_FAILURE' }));
  });
});

describe('the key hash', () => {
  it('is murmur3 of 32 bits', () => {
    const hash = (text: string, seed: number): number => murmur3(Buffer.from(text), 0, text.length, seed);
    expect(hash('', 0)).toBe(0);
    expect(hash('', 1)).toBe(0x514e28b7);
    expect(hash('test', 0x9747b28c)).toBe(0x704b81dc);
    expect(hash('Hello, world!', 0x9747b28c)).toBe(0x24884cba);
    expect(hash('The quick brown fox jumps over the lazy dog', 0x9747b28c)).toBe(0x2fa826cd);
  });
});

describe('the chunker', () => {
  it('gives every row exactly once, in order, whatever the batches', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 3000 }),
        fc.integer({ min: 1, max: 700 }),
        fc.integer({ min: 1, max: 900 }),
        (count, batchRows, bytes) => {
          const rows = manyRows(count, bytes);
          const drafts = chunk(rows, [0], batchRows);
          expect(
            Buffer.concat(drafts.flatMap(({ payload }) => rowsOf(decodeRowChunk(payload)))).equals(Buffer.concat(rows)),
          ).toBe(true);
          for (const draft of drafts) {
            const held = rowsOf(decodeRowChunk(draft.payload));
            expect(draft.rowCount).toBe(held.length);
            expect(draft.rawBytes).toBe(Buffer.concat(held).length);
            expect(draft.firstKey).toEqual(held[0]?.subarray(0, 9));
            expect(draft.lastKey).toEqual(held[held.length - 1]?.subarray(0, 9));
          }
        },
      ),
      { ...runs, numRuns: Math.ceil(runs.numRuns / 3) },
    );
  });

  it('keeps to the smallest and largest size', () => {
    const drafts = chunk(manyRows(20_000));
    for (const { rawBytes } of drafts) expect(rawBytes).toBeLessThanOrEqual(MAX_CHUNK_BYTES);
    for (const { rawBytes } of drafts.slice(0, -1)) expect(rawBytes).toBeGreaterThanOrEqual(MIN_CHUNK_BYTES);
    const average = drafts.reduce((sum, { rawBytes }) => sum + rawBytes, 0) / drafts.length;
    expect(average).toBeGreaterThan(300_000);
    expect(average).toBeLessThan(800_000);
  });

  it('moves few boundaries when rows come and go', () => {
    const rows = manyRows();
    const before = new Set(chunk(rows).map(({ payload }) => payload.toString('base64')));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: rows.length - 1 }), fc.boolean(), (at, insert) => {
        const changed = [...rows];
        if (insert) changed.splice(at, 0, encodeRow([at * 10 - 5, 'new']));
        else changed.splice(at, 1);
        const after = chunk(changed).filter(({ payload }) => !before.has(payload.toString('base64')));
        expect(after.length).toBeLessThanOrEqual(3);
      }),
      runs,
    );
  });

  it('gives a large row a chunk of its own and refuses one over 64 MiB by name', () => {
    const large = encodeRow([15, 'y'.repeat(3 * 2 ** 20)]);
    const drafts = chunk([encodeRow([10, 'a']), large, encodeRow([20, 'b'])], [0], 1);
    expect(drafts.map(({ rowCount }) => rowCount)).toEqual([1, 1, 1]);
    const tooLarge = encodeRow([1, 'z'.repeat(64 * 2 ** 20)]);
    expect(() => chunk([tooLarge])).toThrow(/table t with key \(1\) has 64\.0 MiB; the largest is 64 MiB/);
  });

  it('takes keys of several columns that do not stand together', () => {
    const rows: Row[] = Array.from({ length: 4000 }, (_, i) => [`tenant${i % 7}`, 'v'.repeat(200), i]);
    const drafts = chunk(rows.map(encodeRow), [2, 0]);
    expect(drafts.reduce((sum, { rowCount }) => sum + rowCount, 0)).toBe(4000);
    expect(drafts[0]?.firstKey).toEqual(Buffer.concat([encodeField(0), encodeField('tenant0')]));
  });
});
