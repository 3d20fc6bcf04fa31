/** What a collection keeps in memory for each chunk, however many there are: a byte, not objects. */
import { randomFillSync } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ChunkIndex } from '../../../src/repository/chunk-index';
import { ChunkUsage } from '../../../src/repository/chunk-usage';
import type { PackSnapshot } from '../../../src/repository/pack-set';

const CHUNKS = 300_000;
const PACKS = 100;

setFlagsFromString('--expose-gc');
const collectHeap = runInNewContext('gc') as () => void;

function bytesInUse(): number {
  collectHeap();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Packs that hold every chunk twice over: each chunk is in its own pack and in the next. */
function snapshotOf(ids: Buffer): PackSnapshot {
  const index = new ChunkIndex();
  const numbers = Array.from({ length: PACKS }, (_, number) => number);
  for (const pack of numbers) {
    for (const first of [pack, (pack + PACKS - 1) % PACKS]) {
      for (let chunk = first; chunk < CHUNKS / 2; chunk += PACKS) {
        const id = ids.subarray(chunk * 32, chunk * 32 + 32);
        index.add(pack, { id, offset: 32, storedLength: 10, rawLength: 10, codec: 0, kind: 1 });
      }
    }
  }
  const packs = numbers.map((number) => ({ number, name: `packs/${number}`, sizeBytes: 1 }));
  return { packs, index, entryCount: index.size };
}

test('a collection decides from a byte for each stored chunk, and needs one copy of each', () => {
  const ids = randomFillSync(Buffer.alloc((CHUNKS / 2) * 32));
  const snapshot = snapshotOf(ids);
  const before = bytesInUse();
  const usage = new ChunkUsage(snapshot);
  for (let at = 0; at < ids.length; at += 32) usage.reach(ids.subarray(at, at + 32));
  const uses = usage.choose(() => false);
  expect((bytesInUse() - before) / snapshot.entryCount).toBeLessThan(3);
  expect(uses.reduce((sum, { neededChunks }) => sum + neededChunks, 0)).toBe(CHUNKS / 2);
});
