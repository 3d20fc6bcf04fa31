/** JSON objects in the storage: encoded, proven and named errors. The one place where a body is sealed or not by its name. */
import { AppError } from '../domain/errors';
import { decodeJsonObject, encodeJsonObject, type JsonObjectOptions } from './json-object';
import type { Keyring } from './keyring';
import { classify, hasSealedBody } from './object-names';
import type { Storage } from './storage/storage';

export class ObjectStore {
  constructor(
    readonly storage: Storage,
    readonly keyring: Keyring,
  ) {}

  encode(name: string, value: object): Buffer {
    return encodeJsonObject(value, this.optionsFor(name));
  }

  /** Writes a new object; gives its bytes. Throws EXISTS where the name is taken. */
  async put(name: string, value: object): Promise<Buffer> {
    const bytes = this.encode(name, value);
    await this.storage.put(name, bytes);
    return bytes;
  }

  decode(name: string, bytes: Buffer): unknown {
    return decodeJsonObject(bytes, this.optionsFor(name));
  }

  async get(name: string): Promise<unknown> {
    return this.decode(name, await this.storage.get(name));
  }

  private optionsFor(name: string): JsonObjectOptions {
    const found = classify(name);
    if (!found) throw new AppError('INTERNAL', `"${name}" is no name of an object of this format.`);
    return { name, keyring: this.keyring, sealed: hasSealedBody(found.kind) };
  }
}
