/**
 * Codecs of stored chunks: none, and zstd in standard frames. Compression runs on libuv's threads, off the event loop, except for
 * payloads so small that the way there costs more. The native binding is preferred; Node's own zstd stands in where it
 * cannot be loaded.
 */
import { createRequire } from 'node:module';
import * as zlib from 'node:zlib';
import { AppError } from '../domain/errors';
import type { RepositorySettings } from '../domain/settings';

export const CODEC_NONE = 0;
export const CODEC_ZSTD = 1;

/** Below this a call on the event loop is faster than a round trip to another thread. */
const SYNC_BELOW_BYTES = 8 * 1024;

/**
 * The native binding gives each result as a new buffer outside the heap, which only a collection frees, and a heap as small as a
 * worker thread's collects seldom: results would pile up by the tens of megabytes. A minor collection every so often takes them
 * while they are young; it costs half a millisecond.
 */
const COLLECT_EVERY_BYTES = 8 * 1024 * 1024;

export interface EncodedPayload {
  codec: number;
  bytes: Buffer;
}

export interface Compressor {
  encode(payload: Buffer): Promise<EncodedPayload>;
}

interface Zstd {
  compressor(level: number): (bytes: Buffer) => Promise<Buffer> | Buffer;
  decompress(bytes: Buffer): Promise<Buffer> | Buffer;
}

interface NativeZstd {
  Encoder: new (level: number) => { encode(data: Buffer): Promise<Buffer>; encodeSync(data: Buffer): Buffer };
  Decoder: new () => { decode(data: Buffer): Promise<Buffer>; decodeSync(data: Buffer): Buffer };
}

function nativeZstd(binding: NativeZstd): Zstd {
  const decoder = new binding.Decoder();
  return {
    compressor: (level) => {
      const encoder = new binding.Encoder(level);
      return (bytes) => (bytes.length < SYNC_BELOW_BYTES ? encoder.encodeSync(bytes) : encoder.encode(bytes));
    },
    decompress: (bytes) => (bytes.length < SYNC_BELOW_BYTES ? decoder.decodeSync(bytes) : decoder.decode(bytes)),
  };
}

/** Node 22.15 and up; its types are not in the oldest Node's declarations that this project compiles against. */
interface ZlibWithZstd {
  zstdCompressSync?: (bytes: Buffer, options: { params: Record<number, number> }) => Buffer;
  zstdDecompressSync?: (bytes: Buffer) => Buffer;
  constants: Record<string, number>;
}

function builtInZstd(): Zstd | null {
  const { zstdCompressSync, zstdDecompressSync, constants } = zlib as unknown as ZlibWithZstd;
  if (!zstdCompressSync || !zstdDecompressSync) return null;
  const levelParameter = constants['ZSTD_c_compressionLevel'] ?? 100;
  return {
    compressor: (level) => (bytes) => zstdCompressSync(bytes, { params: { [levelParameter]: level } }),
    decompress: (bytes) => zstdDecompressSync(bytes),
  };
}

let uncollectedBytes = 0;

/** Counts a result. Only threads that were made with their collector exposed do more than that. */
function counted(result: Buffer): Buffer {
  uncollectedBytes += result.length;
  if (uncollectedBytes >= COLLECT_EVERY_BYTES) {
    uncollectedBytes = 0;
    globalThis.gc?.({ type: 'minor' });
  }
  return result;
}

let loaded: Zstd | undefined;

function zstd(): Zstd {
  loaded ??= loadZstd();
  return loaded;
}

function loadZstd(): Zstd {
  try {
    return nativeZstd(createRequire(__filename)('@toondepauw/node-zstd') as NativeZstd);
  } catch (cause) {
    const builtIn = builtInZstd();
    if (builtIn) return builtIn;
    throw new AppError('CONFIG_INVALID', 'No zstd library could be loaded on this platform.', {
      cause,
      hint: 'Set repository.compression to none, or run Node 22.15 or newer.',
    });
  }
}

export function createCompressor(settings: Pick<RepositorySettings, 'compression' | 'compressionLevel'>): Compressor {
  if (settings.compression === 'none') return { encode: (bytes) => Promise.resolve({ codec: CODEC_NONE, bytes }) };
  const compress = zstd().compressor(settings.compressionLevel);
  return {
    async encode(payload) {
      const bytes = counted(await compress(payload));
      return bytes.length < payload.length ? { codec: CODEC_ZSTD, bytes } : { codec: CODEC_NONE, bytes: payload };
    },
  };
}

/** The payload; INTEGRITY_FAILURE when the bytes are no such frame or give another length. */
export async function decompress(codec: number, bytes: Buffer, rawLength: number): Promise<Buffer> {
  if (codec !== CODEC_NONE && codec !== CODEC_ZSTD) {
    throw new AppError('FORMAT_TOO_NEW', `A chunk uses codec ${codec}, which this version does not know.`);
  }
  const payload = codec === CODEC_NONE ? bytes : await decompressZstd(bytes);
  if (payload.length === rawLength) return payload;
  throw new AppError('INTEGRITY_FAILURE', `A chunk has ${payload.length} bytes instead of ${rawLength}.`);
}

async function decompressZstd(bytes: Buffer): Promise<Buffer> {
  try {
    return counted(await zstd().decompress(bytes));
  } catch (cause) {
    throw new AppError('INTEGRITY_FAILURE', 'A chunk cannot be decompressed.', { cause });
  }
}
