/** Faults as wrappers around the storage port: each changes one guarantee and passes everything else on. */
import type { ObjectInfo, ObjectStat, ObjectWriter, Storage } from '../../src/repository/storage/storage';
import { StorageError } from '../../src/repository/storage/storage';

export class StorageWrapper implements Storage {
  constructor(protected readonly inner: Storage) {}

  get location(): string {
    return this.inner.location;
  }

  put(name: string, bytes: Buffer): Promise<void> {
    return this.inner.put(name, bytes);
  }

  openWriter(name: string): Promise<ObjectWriter> {
    return this.inner.openWriter(name);
  }

  get(name: string): Promise<Buffer> {
    return this.inner.get(name);
  }

  getRange(name: string, offset: number, length: number): Promise<Buffer> {
    return this.inner.getRange(name, offset, length);
  }

  list(prefix: string): AsyncIterable<ObjectInfo> {
    return this.inner.list(prefix);
  }

  stat(name: string): Promise<ObjectStat | null> {
    return this.inner.stat(name);
  }

  delete(name: string): Promise<void> {
    return this.inner.delete(name);
  }

  removeAbandoned(before: Date): Promise<void> {
    return this.inner.removeAbandoned(before);
  }

  freeBytes(): Promise<number | null> {
    return this.inner.freeBytes();
  }
}

/** A listing breaks off after some of its objects, as a network store's may. */
export class PartialListing extends StorageWrapper {
  enabled = false;
  constructor(
    inner: Storage,
    private readonly prefix: string,
    private readonly after: number,
  ) {
    super(inner);
  }

  override async *list(prefix: string): AsyncIterable<ObjectInfo> {
    let count = 0;
    for await (const object of this.inner.list(prefix)) {
      if (this.enabled && prefix === this.prefix && count++ >= this.after) {
        throw new StorageError('UNAVAILABLE', prefix, { message: 'The listing broke off.' });
      }
      yield object;
    }
  }
}

/** A listing that says there is nothing, and no error: what an unmounted folder looks like. */
export class EmptyListing extends StorageWrapper {
  enabled = false;
  constructor(
    inner: Storage,
    private readonly prefix: string,
  ) {
    super(inner);
  }

  override async *list(prefix: string): AsyncIterable<ObjectInfo> {
    if (this.enabled && prefix === this.prefix) return;
    yield* this.inner.list(prefix);
  }
}

/** Counts how often each folder is listed. */
export class CountsListings extends StorageWrapper {
  readonly listings = new Map<string, number>();

  override list(prefix: string): AsyncIterable<ObjectInfo> {
    this.listings.set(prefix, (this.listings.get(prefix) ?? 0) + 1);
    return this.inner.list(prefix);
  }
}

/** Calls back before an object is deleted: the moment for something to happen to whoever deletes. */
export class BeforeDelete extends StorageWrapper {
  constructor(
    inner: Storage,
    private readonly before: (name: string) => Promise<void>,
  ) {
    super(inner);
  }

  override async delete(name: string): Promise<void> {
    await this.before(name);
    return this.inner.delete(name);
  }
}

/** Packs come to rest with one byte changed on the way. */
export class FlipsWrittenPacks extends StorageWrapper {
  override async openWriter(name: string): Promise<ObjectWriter> {
    const writer = await this.inner.openWriter(name);
    let writes = 0;
    return {
      write: (bytes) => writer.write(writes++ === 0 ? flipped(bytes, bytes.length >> 1) : bytes),
      commit: () => writer.commit(),
      abort: () => writer.abort(),
    };
  }
}

/** Calls back when a name is about to be written: the moment for a rival to act. */
export class BeforePut extends StorageWrapper {
  constructor(
    inner: Storage,
    private readonly before: (name: string) => Promise<void>,
  ) {
    super(inner);
  }

  override async put(name: string, bytes: Buffer): Promise<void> {
    await this.before(name);
    return this.inner.put(name, bytes);
  }
}

/** Calls back when a name has been written, before its writer knows. */
export class AfterPut extends StorageWrapper {
  constructor(
    inner: Storage,
    private readonly after: (name: string) => Promise<unknown>,
  ) {
    super(inner);
  }

  override async put(name: string, bytes: Buffer): Promise<void> {
    await this.inner.put(name, bytes);
    await this.after(name);
  }
}

export function flipped(bytes: Buffer, at: number, bit = 1): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] as number) ^ bit;
  return copy;
}
