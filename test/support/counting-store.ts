/** A store that notes which chunks of rows are read from it. */
import { DELTA_CHUNK } from '../../src/engine/rows/delta-chunk';
import { BASE_ROW_CHUNK } from '../../src/engine/rows/row-chunk';
import type { EngineStore } from '../../src/engine/ports';

export interface ChunkReads {
  /** By id, each time that it was read. */
  base: string[];
  delta: string[];
  bytes: number;
}

export function countingStore(store: EngineStore): { store: EngineStore; reads: ChunkReads } {
  const reads: ChunkReads = { base: [], delta: [], bytes: 0 };
  const readChunk = async (id: string): Promise<Buffer> => {
    const payload = await store.readChunk(id);
    if (payload[0] === BASE_ROW_CHUNK) reads.base.push(id);
    if (payload[0] === DELTA_CHUNK) reads.delta.push(id);
    reads.bytes += payload.length;
    return payload;
  };
  const counted = new Proxy(store, {
    get: (target, name) => {
      if (name === 'readChunk') return readChunk;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return { store: counted, reads };
}
