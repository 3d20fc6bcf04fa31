/**
 * Reading of packs: an index from the tail, one chunk proven by its id, or a whole pack proven byte for byte. Errors are
 * INTEGRITY_FAILURE naming the pack, or what the storage threw.
 */
import { AppError, isAppError } from '../domain/errors';
import { forEachBounded } from './bounded';
import { throwIfCancelled } from './cancellation';
import { decompress, type EncodedPayload } from './compression';
import { sameBytes, type Keyring } from './keyring';
import { INDEX_READ_AHEAD_BYTES, VERIFY_CONCURRENCY } from './limits';
import { packIdOf } from './object-names';
import {
  decodeFooter, decodeTail, encodeHeader, FOOTER_BYTES, HEADER_BYTES, PACK_HASH_OFFSET, type PlacedRecord,
} from './pack-format'; // prettier-ignore
import { isStorageFault, type ObjectInfo, type Storage } from './storage/storage';

export interface PackAccess {
  storage: Storage;
  keyring: Keyring;
}

/** Chunks are read together up to about this size when a whole pack is read. */
const READ_TOGETHER_BYTES = 2 * 1024 * 1024;

export function packDamaged(name: string, reason: string, cause?: unknown): AppError {
  return new AppError('INTEGRITY_FAILURE', `The pack "${name}" is damaged: ${reason}`, {
    cause,
    hint: 'Run a check of the repository at level DATA to see which backups it hurts.',
  });
}

/** The pack's records, proven by the index hash; reads only its tail. */
export async function readPackIndex(access: PackAccess, pack: ObjectInfo): Promise<PlacedRecord[]> {
  const tail = await readTail(access, pack);
  const options = { packId: packIdOf(pack.name), sizeBytes: pack.sizeBytes, keyring: access.keyring };
  return inPack(pack.name, () => decodeTail(tail, options));
}

/** Index and footer as stored. */
async function readTail({ storage }: PackAccess, { name, sizeBytes }: ObjectInfo): Promise<Buffer> {
  if (sizeBytes < HEADER_BYTES + FOOTER_BYTES) throw packDamaged(name, 'It is too short.');
  const length = Math.min(sizeBytes, INDEX_READ_AHEAD_BYTES);
  const end = await storage.getRange(name, sizeBytes - length, length);
  const { indexLength } = inPack(name, () => decodeFooter(end.subarray(length - FOOTER_BYTES), sizeBytes));
  const wanted = indexLength + FOOTER_BYTES;
  return wanted <= length ? end.subarray(length - wanted) : storage.getRange(name, sizeBytes - wanted, wanted);
}

function inPack<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw packDamaged(name, isAppError(error) ? error.message : 'It cannot be decoded.', error);
  }
}

export type ChunkRecord = Pick<PlacedRecord, 'id' | 'codec' | 'rawLength'>;

export interface OpenedChunk {
  payload: Buffer;
  /** The codec's output, as it was before it was sealed. */
  encoded: EncodedPayload;
}

/** The payload of stored bytes, proven equal to its id. */
export async function openChunk(
  stored: Buffer,
  record: ChunkRecord,
  access: { keyring: Keyring; packName: string },
): Promise<OpenedChunk> {
  const { keyring, packName } = access;
  try {
    const bytes = keyring.packSeal(packIdOf(packName))?.open(stored, record.id) ?? stored;
    const payload = await decompress(record.codec, bytes, record.rawLength);
    if (sameBytes(keyring.chunkId(payload), record.id)) return { payload, encoded: { codec: record.codec, bytes } };
  } catch (error) {
    if (isAppError(error) && error.code === 'FORMAT_TOO_NEW') throw error;
    throw packDamaged(packName, `Chunk ${record.id.toString('hex')} cannot be read.`, error);
  }
  throw packDamaged(packName, `Chunk ${record.id.toString('hex')} has other content.`);
}

export interface PackProof {
  checkedChunks: number;
  checkedBytes: number;
  /** Raw ids of chunks whose stored bytes do not give them. */
  damagedChunks: { id: Buffer; error: unknown }[];
  /** What else is wrong with the pack: header, index or hash. */
  problems: string[];
}

/** Reads every byte of the pack and proves every chunk and hash in it. Throws only what the storage throws, and CANCELLED. */
export async function provePack(access: PackAccess, pack: ObjectInfo, signal?: AbortSignal): Promise<PackProof> {
  const proof: PackProof = { checkedChunks: 0, checkedBytes: 0, damagedChunks: [], problems: [] };
  try {
    await proveContent(access, pack, { proof, signal });
  } catch (error) {
    if (!isAppError(error) || error.code !== 'INTEGRITY_FAILURE') throw error;
    proof.problems.push(error.message);
  }
  return proof;
}

interface Proving {
  proof: PackProof;
  signal: AbortSignal | undefined;
}

async function proveContent(access: PackAccess, pack: ObjectInfo, proving: Proving): Promise<void> {
  const { storage, keyring } = access;
  const { name, sizeBytes } = pack;
  const tail = await readTail(access, pack);
  const packId = packIdOf(name);
  const records = inPack(name, () => decodeTail(tail, { packId, sizeBytes, keyring }));
  const header = await storage.getRange(name, 0, HEADER_BYTES);
  if (!header.equals(encodeHeader(packId, keyring.encrypted)))
    proving.proof.problems.push('The header is not its own.');
  const hash = keyring.objectHash().update(header);
  for (const group of groups(records)) {
    throwIfCancelled(proving.signal);
    hash.update(await proveGroup(access, { name, group }, proving.proof));
  }
  const hashed = tail.length - FOOTER_BYTES + PACK_HASH_OFFSET;
  if (!sameBytes(hash.update(tail.subarray(0, hashed)).digest(), tail.subarray(hashed))) {
    proving.proof.problems.push('Its bytes do not match its hash.');
  }
  proving.proof.checkedBytes = sizeBytes;
}

/** Runs of records that are read with one call. */
function* groups(records: readonly PlacedRecord[]): Iterable<PlacedRecord[]> {
  let group: PlacedRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    if (group.length > 0 && bytes + record.storedLength > READ_TOGETHER_BYTES) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(record);
    bytes += record.storedLength;
  }
  if (group.length > 0) yield group;
}

async function proveGroup(
  access: PackAccess,
  { name, group }: { name: string; group: PlacedRecord[] },
  proof: PackProof,
): Promise<Buffer> {
  const start = group[0]?.offset ?? HEADER_BYTES;
  const length = group.reduce((sum, record) => sum + record.storedLength, 0);
  const bytes = await access.storage.getRange(name, start, length);
  await forEachBounded(group, VERIFY_CONCURRENCY, async (record) => {
    const stored = bytes.subarray(record.offset - start, record.offset - start + record.storedLength);
    await proveChunk(stored, record, { access, name, proof });
  });
  return bytes;
}

async function proveChunk(
  stored: Buffer,
  record: PlacedRecord,
  { access, name, proof }: { access: PackAccess; name: string; proof: PackProof },
): Promise<void> {
  proof.checkedChunks++;
  try {
    const { payload } = await openChunk(stored, record, { keyring: access.keyring, packName: name });
    if ((payload[0] ?? 0) !== record.kind) throw packDamaged(name, 'A chunk is of another kind than its index says.');
  } catch (error) {
    if (isStorageFault(error, 'UNAVAILABLE')) throw error;
    proof.damagedChunks.push({ id: record.id, error });
  }
}
