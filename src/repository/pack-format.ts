/** The bytes of a pack: header, index, footer (FORMAT.md, section 5). Pure; storage and concurrency are elsewhere. */
import { AppError } from '../domain/errors';
import { HASH_BYTES, sameBytes, type Keyring } from './keyring';
import { MAX_PAYLOAD_BYTES } from './limits';

export const HEADER_BYTES = 32;
export const RECORD_BYTES = 44;
export const FOOTER_BYTES = 80;
const HEADER_MAGIC = Buffer.from('RVPACK01', 'ascii');
const FOOTER_MAGIC = Buffer.from('RVINDX01', 'ascii');
const FOOTER_HASHED_BYTES = 16;
/** Where the pack hash stands in the footer. */
export const PACK_HASH_OFFSET = FOOTER_HASHED_BYTES + HASH_BYTES;
const INDEX_AAD = Buffer.from('riskvault/v1/pack-index', 'ascii');

export interface PackRecord {
  /** Raw chunk id, 32 bytes. */
  id: Buffer;
  codec: number;
  kind: number;
  storedLength: number;
  rawLength: number;
}

export interface PlacedRecord extends PackRecord {
  offset: number;
}

export function encodeHeader(packId: Buffer, encrypted: boolean): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  HEADER_MAGIC.copy(header);
  header[8] = encrypted ? 1 : 0;
  packId.copy(header, 16);
  return header;
}

function encodeRecords(records: readonly PackRecord[]): Buffer {
  const bytes = Buffer.alloc(records.length * RECORD_BYTES);
  records.forEach((record, index) => {
    const at = index * RECORD_BYTES;
    record.id.copy(bytes, at);
    bytes[at + 32] = record.codec;
    bytes[at + 33] = record.kind;
    bytes.writeUInt32BE(record.storedLength, at + 36);
    bytes.writeUInt32BE(record.rawLength, at + 40);
  });
  return bytes;
}

/** What follows the chunks, up to the pack hash: index as stored and the footer without its last 32 bytes. */
export function encodeTail(records: readonly PackRecord[], packId: Buffer, keyring: Keyring): Buffer {
  const plain = encodeRecords(records);
  const index = keyring.packSeal(packId)?.seal(plain, INDEX_AAD) ?? plain;
  const footer = Buffer.alloc(FOOTER_HASHED_BYTES);
  footer.writeUInt32BE(index.length, 0);
  footer.writeUInt32BE(records.length, 4);
  FOOTER_MAGIC.copy(footer, 8);
  return Buffer.concat([index, footer, indexHash({ packId, index, footer, keyring })]);
}

function indexHash(parts: { packId: Buffer; index: Buffer; footer: Buffer; keyring: Keyring }): Buffer {
  const { packId, index, footer, keyring } = parts;
  const hash = keyring.objectHash().update(encodeHeader(packId, keyring.encrypted));
  return hash.update(index).update(footer).digest();
}

export interface Footer {
  indexLength: number;
  chunkCount: number;
}

/** Reads a footer; its hashes are proven with the index. */
export function decodeFooter(footer: Buffer, sizeBytes: number): Footer {
  const indexLength = footer.readUInt32BE(0);
  const chunkCount = footer.readUInt32BE(4);
  const sound = FOOTER_MAGIC.equals(footer.subarray(8, FOOTER_HASHED_BYTES));
  if (!sound || indexLength > sizeBytes - HEADER_BYTES - FOOTER_BYTES) throw malformed('its footer is none');
  return { indexLength, chunkCount };
}

/** The records with their offsets, proven by the index hash. `tail` is index and footer. */
export function decodeTail(
  tail: Buffer,
  options: { packId: Buffer; sizeBytes: number; keyring: Keyring },
): PlacedRecord[] {
  const { packId, keyring } = options;
  const index = tail.subarray(0, tail.length - FOOTER_BYTES);
  const footer = tail.subarray(tail.length - FOOTER_BYTES);
  const expected = indexHash({ packId, index, footer: footer.subarray(0, FOOTER_HASHED_BYTES), keyring });
  if (!sameBytes(expected, footer.subarray(FOOTER_HASHED_BYTES, PACK_HASH_OFFSET))) {
    throw malformed('its index does not match its hash');
  }
  const plain = keyring.packSeal(packId)?.open(index, INDEX_AAD) ?? index;
  return decodeRecords(plain, footer.readUInt32BE(4), options.sizeBytes - tail.length);
}

function decodeRecords(plain: Buffer, chunkCount: number, chunksEnd: number): PlacedRecord[] {
  if (plain.length !== chunkCount * RECORD_BYTES) throw malformed('its index has another length');
  const records: PlacedRecord[] = [];
  let offset = HEADER_BYTES;
  for (let at = 0; at < plain.length; at += RECORD_BYTES) {
    const record = decodeRecord(plain, at, offset);
    records.push(record);
    offset += record.storedLength;
  }
  if (offset !== chunksEnd) throw malformed('its chunks do not fill it');
  return records;
}

function decodeRecord(plain: Buffer, at: number, offset: number): PlacedRecord {
  const rawLength = plain.readUInt32BE(at + 40);
  if (rawLength > MAX_PAYLOAD_BYTES) throw malformed('a chunk is too long');
  return {
    id: Buffer.from(plain.subarray(at, at + 32)),
    codec: plain[at + 32] as number,
    kind: plain[at + 33] as number,
    storedLength: plain.readUInt32BE(at + 36),
    rawLength,
    offset,
  };
}

function malformed(reason: string): AppError {
  return new AppError('INTEGRITY_FAILURE', `A pack is damaged: ${reason}.`);
}
