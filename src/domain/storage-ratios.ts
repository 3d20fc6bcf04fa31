/**
 * What storing each thing once and compressing it saved. Raw bytes are the bytes of rows, uncompressed; stored bytes are those of packs,
 * with all that belongs to them. Deduplication times compression is raw bytes of states over stored bytes.
 */

export interface StoredSums {
  /** Of the states themselves. */
  rawBytes: number;
  /** Of what they newly stored. */
  newRawBytes: number;
  storedBytes: number;
}

export interface StorageRatios {
  /** Raw bytes of states over raw bytes newly stored; at least 1. 1 for no bytes; one byte counts as new where nothing was. */
  deduplicationRatio: number;
  /** Raw bytes newly stored over stored bytes; 1 where no row was newly stored. Below 1 where packs cost more than compression saved. */
  compressionRatio: number;
}

export function storageRatios({ rawBytes, newRawBytes, storedBytes }: StoredSums): StorageRatios {
  return {
    deduplicationRatio: rawBytes === 0 ? 1 : rawBytes / Math.max(newRawBytes, 1),
    compressionRatio: newRawBytes === 0 ? 1 : newRawBytes / Math.max(storedBytes, 1),
  };
}
