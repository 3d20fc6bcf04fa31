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
  webcrypto,
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
    const nonce = this.random.bytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.key, nonce);
    cipher.setAAD(associated);
    const sealed = cipher.update(plain);
    return Buffer.concat([nonce, sealed, cipher.final(), cipher.getAuthTag()]);
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
  /** The same off the event loop, for payloads that need not be known at once. */
  chunkIdInBackground(payload: Buffer): Promise<Buffer>;
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
    chunkIdInBackground: async (payload) => Buffer.from(await webcrypto.subtle.digest('SHA-256', payload)),
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
  const subtleKey = webcrypto.subtle.importKey('raw', chunkIdKey, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return {
    encrypted: true,
    chunkSeed: key('chunk-seed', 4).readUInt32BE(0),
    chunkId: (payload) => createHmac('sha256', chunkIdKey).update(payload).digest(),
    chunkIdInBackground: async (payload) => Buffer.from(await webcrypto.subtle.sign('HMAC', await subtleKey, payload)),
    objectHash: () => createHmac('sha256', objectKey),
    bodySeal: new Seal(key('object-body'), random),
    packSeal: (packId) => new Seal(derive(packRoot, packId, { info: 'riskvault/v1/pack-key', size: 32 }), random),
  };
}

export function sameBytes(left: Buffer, right: Buffer): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}
