/**
 * JSON objects: a line of JSON and lines of hashes of what precedes them; the body sealed where it must be (FORMAT.md, section 3).
 * Decoding proves every hash that the reader has the key for before the body is used.
 */
import { createHash } from 'node:crypto';
import { AppError } from '../domain/errors';
import { NONCE_BYTES, sameBytes, type Keyring } from './keyring';

const NEWLINE = 0x0a;
const SHA256 = /^sha256 ([0-9a-f]{64})$/;
const HMAC = /^hmac-sha256 ([0-9a-f]{64})$/;
/** Lengths of the hash lines, newline included. */
const SHA256_LINE_BYTES = 7 + 64 + 1;
const HMAC_LINE_BYTES = 12 + 64 + 1;

export interface JsonObjectOptions {
  name: string;
  keyring: Keyring;
  /** Seal the body where the repository is encrypted. */
  sealed: boolean;
}

export function encodeJsonObject(value: object, options: JsonObjectOptions): Buffer {
  const { name, keyring } = options;
  const json = JSON.stringify(value);
  const body = options.sealed && keyring.bodySeal ? sealBody(json, name, keyring) : json;
  const lines = Buffer.from(`${body}\n`);
  const withHash = Buffer.concat([lines, Buffer.from(`sha256 ${checksumOf(lines)}\n`)]);
  if (!keyring.encrypted) return withHash;
  const mac = keyring.objectHash().update(withHash).digest('hex');
  return Buffer.concat([withHash, Buffer.from(`hmac-sha256 ${mac}\n`)]);
}

/** The value, proven. Throws INTEGRITY_FAILURE naming the object. */
export function decodeJsonObject(bytes: Buffer, options: JsonObjectOptions): unknown {
  const { name, keyring } = options;
  const { body, encrypted } = splitObject(bytes, name);
  if (encrypted !== keyring.encrypted) throw damaged(name, 'its hash lines are not those of this repository');
  if (encrypted) assertMac(bytes, name, keyring);
  const value = parseBody(body, name);
  return options.sealed && keyring.bodySeal ? openBody(value, name, keyring) : value;
}

/** The body of an object whose key is not known yet: only the SHA-256 line is proven. */
export function decodeUnkeyed(bytes: Buffer, name: string): unknown {
  return parseBody(splitObject(bytes, name).body, name);
}

/** Of an object's bytes: its checksum. */
export function checksumOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function damaged(name: string, reason: string, cause?: unknown): AppError {
  return new AppError('INTEGRITY_FAILURE', `The object "${name}" is damaged: ${reason}.`, {
    cause,
    hint: 'Run a check of the repository at level DATA; restore the object from a copy of the repository.',
  });
}

function splitObject(bytes: Buffer, name: string): { body: Buffer; encrypted: boolean } {
  const encrypted = lineAt(bytes, bytes.length - HMAC_LINE_BYTES)?.startsWith('hmac-sha256 ') === true;
  const end = encrypted ? bytes.length - HMAC_LINE_BYTES : bytes.length;
  const start = end - SHA256_LINE_BYTES;
  const hash = SHA256.exec(lineAt(bytes.subarray(0, end), start) ?? '')?.[1];
  if (hash === undefined) throw damaged(name, 'its last lines are no hashes');
  if (hash !== checksumOf(bytes.subarray(0, start))) throw damaged(name, 'its hash does not match');
  return { body: bytes.subarray(0, start - 1), encrypted };
}

/** The text from `start` to the end if that is one whole line of its own. */
function lineAt(bytes: Buffer, start: number): string | null {
  if (start < 1 || bytes[start - 1] !== NEWLINE || bytes[bytes.length - 1] !== NEWLINE) return null;
  return bytes.toString('latin1', start, bytes.length - 1);
}

function assertMac(bytes: Buffer, name: string, keyring: Keyring): void {
  const start = bytes.length - HMAC_LINE_BYTES;
  const mac = HMAC.exec(lineAt(bytes, start) ?? '')?.[1] ?? '';
  const expected = keyring.objectHash().update(bytes.subarray(0, start)).digest();
  if (!sameBytes(Buffer.from(mac, 'hex'), expected)) throw damaged(name, 'its keyed hash does not match');
}

function parseBody(body: Buffer, name: string): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw damaged(name, 'its body is no JSON', error);
  }
}

function sealBody(json: string, name: string, keyring: Keyring): string {
  const sealed = keyring.bodySeal?.seal(Buffer.from(json), Buffer.from(name)) ?? Buffer.alloc(0);
  return JSON.stringify({
    cipher: 'aes-256-gcm',
    nonce: sealed.subarray(0, NONCE_BYTES).toString('base64'),
    sealed: sealed.subarray(NONCE_BYTES).toString('base64'),
  });
}

function openBody(value: unknown, name: string, keyring: Keyring): unknown {
  const { cipher, nonce, sealed } = value as { cipher?: unknown; nonce?: unknown; sealed?: unknown };
  if (cipher !== 'aes-256-gcm' || typeof nonce !== 'string' || typeof sealed !== 'string') {
    throw damaged(name, 'its body is not sealed as it should be');
  }
  const bytes = Buffer.concat([Buffer.from(nonce, 'base64'), Buffer.from(sealed, 'base64')]);
  return parseBody(keyring.bodySeal?.open(bytes, Buffer.from(name)) ?? bytes, name);
}
