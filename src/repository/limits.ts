/** The numbers of the format and the safety margins, each with its reason. */

export const FORMAT_VERSION = 1;

/** How writers cut rows into chunks; stated in config.json, applied by the engine. */
export const CHUNKING = {
  minBytes: 128 * 1024,
  averageBytes: 512 * 1024,
  maxBytes: 2 * 1024 * 1024,
  maxRowBytes: 64 * 1024 * 1024,
} as const;

/** A payload may hold one largest row, its header, and room to spare. */
export const MAX_PAYLOAD_BYTES = 72 * 1024 * 1024;

/** A pack is closed once it holds this much: few enough objects for a bucket, small enough to read back at once. */
export const PACK_TARGET_BYTES = 64 * 1024 * 1024;

/** Bytes of payloads that one session compresses at once, so that memory stays flat however large chunks are. */
export const MAX_PAYLOAD_BYTES_IN_FLIGHT = 4 * 1024 * 1024;

/** Most index entries fit, so that opening a pack costs one read. */
export const INDEX_READ_AHEAD_BYTES = 32 * 1024;

/** Pack indexes read at once when a repository is opened. */
export const INDEX_LOAD_CONCURRENCY = 8;

/** Chunks read at once when a pack is verified. */
export const VERIFY_CONCURRENCY = 3;

/** A lease outlives several missed renewals, and the holder on a crashed machine blocks others for a quarter of an hour at most. */
export const LEASE_MS = 10 * 60_000;
export const LEASE_RENEWAL_MS = 2 * 60_000;

/** Two machines' clocks may differ by this much before a lease that is still held could be taken for expired. */
export const CLOCK_SKEW_MS = 5 * 60_000;

/** A writer that has not touched its temporary file for a day is dead. */
export const ABANDONED_AFTER_MS = 24 * 60 * 60_000;

/** How often work looks again while a collection sweeps, and for how long: longer than a crashed holder's lease is in force. */
export const LEASE_RETRY_MS = 1_000;
export const LEASE_WAIT_MS = LEASE_MS + CLOCK_SKEW_MS + 5 * 60_000;

/**
 * A pack is rewritten when less than this share of it is needed: each byte copied then gives back more than one, all copying together
 * is less than what died, and what is stored is at most about twice what is needed.
 */
export const REWRITE_BELOW_SHARE = 0.5;

/**
 * Packs smaller than this share of the target are joined once there are that many: small incrementals leave one each. Fewer would copy the
 * same chunks too often, more would make every opening and listing slower.
 */
export const SMALL_PACK_SHARE = 1 / 16;
export const JOIN_SMALL_PACKS = 16;

/** How long placing a hold waits for a deletion of the same backup, which takes milliseconds. */
export const HOLD_PATIENCE_MS = 10_000;
