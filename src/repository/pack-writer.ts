/**
 * Writes packs one after another: chunks are sealed and appended as they come, so that only the index is held in memory. A pack that
 * reached its target size is closed, made durable, read back and proven, beside the writing of the next one. Only then does it count.
 */
import type { Random } from '../domain/ambient';
import { AppError } from '../domain/errors';
import type { EncodedPayload } from './compression';
import { Sequence } from './bounded';
import type { Keyring, Seal } from './keyring';
import { PACK_TARGET_BYTES } from './limits';
import { packName } from './object-names';
import { encodeHeader, encodeTail, type PackRecord, type PlacedRecord } from './pack-format';
import { packDamaged, provePack, readPackIndex } from './pack-reader';
import type { ObjectWriter, Storage } from './storage/storage';

export interface ProvenPack {
  name: string;
  sizeBytes: number;
  records: PlacedRecord[];
}

export interface PackWriterOptions {
  storage: Storage;
  keyring: Keyring;
  random: Random;
  /** Called for each pack once it is durable and proven. */
  onProven: (pack: ProvenPack) => void;
  targetBytes?: number;
}

interface OpenPack {
  id: Buffer;
  name: string;
  seal: Seal | null;
  writer: ObjectWriter;
  hash: ReturnType<Keyring['objectHash']>;
  records: PackRecord[];
  sizeBytes: number;
  /** Bytes of `staging` that the storage has not been given yet. */
  staged: number;
}

/** Pieces are put together to this size before they go to the storage: fewer, larger writes. */
const STAGING_BYTES = 1024 * 1024;

export interface NewChunk {
  id: Buffer;
  kind: number;
  rawLength: number;
  encoded: EncodedPayload;
}

export class PackWriter {
  private readonly appends = new Sequence();
  private readonly proofs = new Sequence();
  private current: OpenPack | null = null;
  private proving: Promise<void> = Promise.resolve();
  private aborted = false;
  private readonly staging = Buffer.allocUnsafeSlow(STAGING_BYTES);
  /** Names of packs that may be in the storage, proven or not. */
  readonly written: string[] = [];
  /** Bytes of packs so far, closed or not. */
  storedBytes = 0;

  constructor(private readonly options: PackWriterOptions) {}

  /** Appends a chunk; resolves to the bytes it takes once it is copied or handed to the storage. */
  append(chunk: NewChunk): Promise<number> {
    return this.appends.run(async () => {
      if (this.aborted) throw new AppError('CANCELLED', 'The writing of packs was aborted.');
      const pack = (this.current ??= await this.open());
      const { bytes, codec } = chunk.encoded;
      const parts = pack.seal?.sealParts(bytes, chunk.id) ?? [bytes];
      for (const part of parts) await this.write(pack, part);
      const storedLength = parts.reduce((sum, { length }) => sum + length, 0);
      pack.records.push({ id: chunk.id, codec, kind: chunk.kind, storedLength, rawLength: chunk.rawLength });
      if (pack.sizeBytes >= (this.options.targetBytes ?? PACK_TARGET_BYTES)) await this.closePack();
      return storedLength;
    });
  }

  /** Closes the last pack; resolves when every pack is durable and proven, rejects if any could not be. */
  async finish(): Promise<void> {
    await this.appends.run(() => this.closePack());
    await this.proving;
  }

  /** Drops the pack being written and waits for what runs; closed packs stay for the caller to judge. */
  async abort(): Promise<void> {
    this.aborted = true;
    await this.appends.run(async () => {
      const pack = this.current;
      this.current = null;
      await pack?.writer.abort();
    });
    await this.proving.catch((error: unknown) => void error); // because whoever aborts has its own reason already
  }

  private async open(): Promise<OpenPack> {
    const { storage, keyring, random } = this.options;
    const id = random.bytes(16);
    const name = packName(id.toString('hex'));
    const writer = await storage.openWriter(name);
    const pack = {
      id,
      name,
      seal: keyring.packSeal(id),
      writer,
      hash: keyring.objectHash(),
      records: [],
      sizeBytes: 0,
      staged: 0,
    };
    await this.write(pack, encodeHeader(id, keyring.encrypted));
    return pack;
  }

  private async write(pack: OpenPack, bytes: Buffer): Promise<void> {
    pack.hash.update(bytes);
    pack.sizeBytes += bytes.length;
    this.storedBytes += bytes.length;
    await this.stage(pack, bytes);
  }

  /** What is larger than the staging area goes past it. */
  private async stage(pack: OpenPack, bytes: Buffer): Promise<void> {
    if (pack.staged + bytes.length > STAGING_BYTES) await this.flush(pack);
    if (bytes.length > STAGING_BYTES) return pack.writer.write(bytes);
    bytes.copy(this.staging, pack.staged);
    pack.staged += bytes.length;
  }

  private async flush(pack: OpenPack): Promise<void> {
    if (pack.staged > 0) await pack.writer.write(this.staging.subarray(0, pack.staged));
    pack.staged = 0;
  }

  /** Ends the current pack. Waits for the proof of the one before, so that at most one is being proven. */
  private async closePack(): Promise<void> {
    const pack = this.current;
    if (!pack) return;
    this.current = null;
    const sizeBytes = await orAbort(pack.writer, async () => {
      await this.proving;
      return this.writeTail(pack);
    });
    this.proving = this.proofs.run(() => this.prove(pack.name, sizeBytes));
    this.proving.catch((error: unknown) => void error); // because `finish` and the next close see it
  }

  private async writeTail(pack: OpenPack): Promise<number> {
    await this.write(pack, encodeTail(pack.records, pack.id, this.options.keyring));
    const hash = pack.hash.digest();
    await this.stage(pack, hash);
    await this.flush(pack);
    this.storedBytes += hash.length;
    this.written.push(pack.name); // before the commit, whose failure does not tell whether the pack is there
    await pack.writer.commit();
    return pack.sizeBytes + hash.length;
  }

  private async prove(name: string, sizeBytes: number): Promise<void> {
    if (this.aborted) return;
    const { storage, keyring } = this.options;
    const proof = await provePack({ storage, keyring }, { name, sizeBytes });
    const [problem] = proof.problems;
    const [damaged] = proof.damagedChunks;
    if (problem !== undefined || damaged) {
      throw packDamaged(name, problem ?? 'It was not read back as it was written.', damaged?.error);
    }
    this.options.onProven({ name, sizeBytes, records: await readPackIndex({ storage, keyring }, { name, sizeBytes }) });
  }
}

/** Leaves nothing of the object behind if `work` fails. */
async function orAbort<T>(writer: ObjectWriter, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}
