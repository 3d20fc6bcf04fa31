/**
 * What the master key gives: chunk ids, hashes of objects, sealing of bodies and packs. A plain repository has a keyring too, whose
 * hashes are SHA-256 and which seals nothing. Specified in FORMAT.md, section 4.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  timingSafeEqual,
  type Hash,
  type Hmac,
} from 'node:crypto';
import type { Random } from '../domain/ambient';
import { AppError } from '../domain/errors';

export const NONCE_BYTES = 12;
export const TAG_BYTES = 16;
export const HASH_BYTES = 32;
const SEAL_OVERHEAD = NONCE_BYTES + TAG_BYTES;

/** Seals with AES-256-GCM: `nonce || ciphertext || tag`. */
export class Seal {
  constructor(
    private readonly key: Buffer,
    private readonly random: Random,
  ) {}

  seal(plain: Buffer, associated: Buffer): Buffer {
    return Buffer.concat(this.sealParts(plain, associated));
  }

  /** The sealed bytes in parts, for who puts them together himself. */
  sealParts(plain: Buffer, associated: Buffer): Buffer[] {
    const nonce = this.random.bytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.key, nonce);
    cipher.setAAD(associated);
    const sealed = cipher.update(plain);
    return [nonce, sealed, cipher.final(), cipher.getAuthTag()];
  }

  /** Throws INTEGRITY_FAILURE when a bit of `sealed` or `associated` is not what it was. */
  open(sealed: Buffer, associated: Buffer): Buffer {
    if (sealed.length < SEAL_OVERHEAD) throw new AppError('INTEGRITY_FAILURE', 'The sealed bytes are too short.');
    const decipher = createDecipheriv('aes-256-gcm', this.key, sealed.subarray(0, NONCE_BYTES));
    decipher.setAAD(associated);
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
    try {
      const plain = decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES));
      decipher.final();
      return plain;
    } catch (error) {
      throw new AppError('INTEGRITY_FAILURE', 'The sealed bytes do not match their tag.', { cause: error });
    }
  }
}

export interface Keyring {
  readonly encrypted: boolean;
  readonly chunkSeed: number;
  /** Id of a payload, 32 bytes. */
  chunkId(payload: Buffer): Buffer;
  /** Hash for objects: SHA-256, or HMAC under the object key. */
  objectHash(): Hash | Hmac;
  /** Seals JSON bodies; null in a plain repository. */
  readonly bodySeal: Seal | null;
  /** Seals a pack's chunks and index; null in a plain repository. */
  packSeal(packId: Buffer): Seal | null;
}

export function plainKeyring(chunkSeed: number): Keyring {
  return {
    encrypted: false,
    chunkSeed,
    chunkId: (payload) => createHash('sha256').update(payload).digest(),
    objectHash: () => createHash('sha256'),
    bodySeal: null,
    packSeal: () => null,
  };
}

export function uuidBytes(uuid: string): Buffer {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex');
}

function derive(key: Buffer, salt: Buffer, use: { info: string; size: number }): Buffer {
  return Buffer.from(hkdfSync('sha256', key, salt, use.info, use.size));
}

export function masterKeyId(masterKey: Buffer, repositoryId: string): string {
  return derive(masterKey, uuidBytes(repositoryId), { info: 'riskvault/v1/master-key-id', size: 16 }).toString('hex');
}

export function encryptedKeyring(masterKey: Buffer, repositoryId: string, random: Random): Keyring {
  const key = (label: string, size = 32): Buffer =>
    derive(masterKey, uuidBytes(repositoryId), { info: `riskvault/v1/${label}`, size });
  const chunkIdKey = key('chunk-id');
  const objectKey = key('object-mac');
  const packRoot = key('pack');
  const packSeals = new Map<string, Seal>();
  const packSeal = (packId: Buffer): Seal =>
    new Seal(derive(packRoot, packId, { info: 'riskvault/v1/pack-key', size: 32 }), random);
  return {
    encrypted: true,
    chunkSeed: key('chunk-seed', 4).readUInt32BE(0),
    chunkId: (payload) => createHmac('sha256', chunkIdKey).update(payload).digest(),
    objectHash: () => createHmac('sha256', objectKey),
    bodySeal: new Seal(key('object-body'), random),
    packSeal: (packId) => remembered(packSeals, packId.toString('hex'), () => packSeal(packId)),
  };
}

/** Chunks of few packs are in use at once; deriving a pack's key anew for each costs more than opening a small one. */
const REMEMBERED_PACK_KEYS = 64;

function remembered<Value>(values: Map<string, Value>, key: string, make: () => Value): Value {
  const known = values.get(key);
  if (known !== undefined) return known;
  if (values.size >= REMEMBERED_PACK_KEYS) values.clear();
  const made = make();
  values.set(key, made);
  return made;
}

export function sameBytes(left: Buffer, right: Buffer): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}
