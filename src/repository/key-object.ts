/** Wrapping of the master key by a passphrase: scrypt and AES-256-GCM (FORMAT.md, section 4). Knows bytes, not storage. */
import { scrypt } from 'node:crypto';
import type { Clock, Random } from '../domain/ambient';
import { AppError } from '../domain/errors';
import { NONCE_BYTES, Seal } from './keyring';

export interface KeyObject {
  keyId: string;
  masterKeyId: string;
  createdAt: string;
  label: string;
  kdf: { name: 'scrypt'; N: number; r: number; p: number; salt: string };
  cipher: 'aes-256-gcm';
  nonce: string;
  wrapped: string;
}

/** 32 MiB and about a quarter of a second; OWASP lists it beside N = 2^17, p = 1, which takes four times the memory. */
const SCRYPT = { N: 2 ** 15, r: 8, p: 3 } as const;
const BOUNDS = { N: 2 ** 20, r: 32, p: 16 } as const;
const SALT_BYTES = 32;

export const MASTER_KEY_BYTES = 32;

function wrappingKey(passphrase: string, kdf: KeyObject['kdf']): Promise<Buffer> {
  const { N, r, p } = kdf;
  if (kdf.name !== 'scrypt' || !(N <= BOUNDS.N && r <= BOUNDS.r && p <= BOUNDS.p)) {
    throw new AppError('FORMAT_TOO_NEW', 'The key object asks for a key derivation that this version does not know.');
  }
  const options = { N, r, p, maxmem: 128 * N * r + 128 * r * p + 1024 * 1024 };
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFC'), Buffer.from(kdf.salt, 'base64'), 32, options, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}

function associated(keyId: string, masterKeyId: string): Buffer {
  return Buffer.from(`riskvault/v1/key/${keyId}/${masterKeyId}`, 'ascii');
}

export interface WrapOptions {
  masterKey: Buffer;
  masterKeyId: string;
  passphrase: string;
  label: string;
  clock: Clock;
  random: Random;
}

export async function wrapMasterKey(options: WrapOptions): Promise<KeyObject> {
  const { random, masterKeyId } = options;
  const keyId = random.uuid();
  const kdf = { name: 'scrypt', ...SCRYPT, salt: random.bytes(SALT_BYTES).toString('base64') } as const;
  const key = await wrappingKey(options.passphrase, kdf);
  const sealed = new Seal(key, random).seal(options.masterKey, associated(keyId, masterKeyId));
  return {
    keyId,
    masterKeyId,
    createdAt: options.clock.now().toISOString(),
    label: options.label,
    kdf,
    cipher: 'aes-256-gcm',
    nonce: sealed.subarray(0, NONCE_BYTES).toString('base64'),
    wrapped: sealed.subarray(NONCE_BYTES).toString('base64'),
  };
}

/** The master key, or null when this passphrase does not open the object. */
export async function unwrapMasterKey(object: KeyObject, passphrase: string, random: Random): Promise<Buffer | null> {
  const key = await wrappingKey(passphrase, object.kdf);
  const sealed = Buffer.concat([Buffer.from(object.nonce, 'base64'), Buffer.from(object.wrapped, 'base64')]);
  try {
    return new Seal(key, random).open(sealed, associated(object.keyId, object.masterKeyId));
  } catch {
    return null; // because a wrong passphrase and a wrong tag can't be told apart
  }
}
