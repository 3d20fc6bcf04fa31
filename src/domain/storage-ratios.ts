/**
 * What storing each thing once and compressing it saved. Raw bytes are the bytes of rows, uncompressed; stored bytes are those of packs,
 * with all that belongs to them.
 */

export interface StoredSums {
  /** Of the states themselves. */
  rawBytes: number;
  /** Of what they newly stored. */
  newRawBytes: number;
  storedBytes: number;
  /** Of the largest single state. */
  largestRawBytes: number;
}

export interface StorageRatios {
  /**
   * Raw bytes of states over raw bytes stored for them; at least 1, and 1 for no bytes. What a deleted backup had stored and these
   * still share is known to nobody, but the largest state alone needs all its own bytes: no less counts as stored.
   */
  deduplicationRatio: number;
  /** Raw bytes newly stored over stored bytes; 1 where no row was newly stored. Below 1 where packs cost more than compression saved. */
  compressionRatio: number;
}

export function storageRatios({ rawBytes, newRawBytes, storedBytes, largestRawBytes }: StoredSums): StorageRatios {
  return {
    deduplicationRatio: rawBytes === 0 ? 1 : rawBytes / Math.max(newRawBytes, largestRawBytes),
    compressionRatio: newRawBytes === 0 ? 1 : newRawBytes / Math.max(storedBytes, 1),
  };
}
