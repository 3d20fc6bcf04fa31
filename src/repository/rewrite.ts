/**
 * Rewriting of packs that are mostly dead, or small and many: what is needed of them is copied into new packs, each chunk proven on its
 * way. Nothing is deleted here: packs whose chunks are all kept elsewhere are garbage for the ordinary collection.
 */
import { throwIfCancelled } from './cancellation';
import { CopyReader } from './chunk-copy';
import type { ChunkUsage, PackUse } from './chunk-usage';
import type { RepositoryContext } from './context';
import { JOIN_SMALL_PACKS, PACK_TARGET_BYTES, REWRITE_BELOW_SHARE, SMALL_PACK_SHARE } from './limits';
import type { PackSnapshot } from './pack-set';
import { PackWriter } from './pack-writer';

export interface RewriteResult {
  /** Packs of which nothing is needed any more. */
  superseded: PackUse[];
  /** Packs that stay as they are because a chunk of them cannot be read. */
  damaged: PackUse[];
  /** Bytes of the new packs. */
  writtenBytes: number;
}

/** Packs worth rewriting, those that give back most for each byte copied first. */
export function packsToRewrite(uses: readonly PackUse[], targetBytes = PACK_TARGET_BYTES): PackUse[] {
  const needed = uses.filter(({ neededChunks }) => neededChunks > 0);
  const small = needed.filter(({ sizeBytes }) => sizeBytes < targetBytes * SMALL_PACK_SHARE);
  const joined = new Set(small.length >= JOIN_SMALL_PACKS ? small : []);
  const chosen = needed.filter((pack) => shareOf(pack) < REWRITE_BELOW_SHARE || joined.has(pack));
  return chosen.sort((left, right) => shareOf(left) - shareOf(right));
}

/** Of the chunks alone: a pack's own frame is no garbage. */
function shareOf({ neededBytes, chunkBytes }: PackUse): number {
  return neededBytes / chunkBytes;
}

/** Those of the packs whose copies leave at least as much room as they take. */
export async function thatFit(context: RepositoryContext, packs: readonly PackUse[]): Promise<PackUse[]> {
  let room = ((await context.objects.storage.freeBytes()) ?? Infinity) / 2;
  return packs.filter(({ neededBytes }) => {
    const fits = neededBytes <= room;
    if (fits) room -= neededBytes;
    return fits;
  });
}

export interface RewriteRequest {
  packs: readonly PackUse[];
  usage: ChunkUsage;
  snapshot: PackSnapshot;
  signal: AbortSignal | undefined;
}

/** Under a shared lease. When it resolves the new packs are durable and proven; a failure leaves only packs that collection knows to judge. */
export async function rewritePacks(context: RepositoryContext, request: RewriteRequest): Promise<RewriteResult> {
  const writer = openWriter(context);
  try {
    const damagedNumbers = await copyNeeded(context, request, writer);
    await writer.finish();
    return {
      superseded: request.packs.filter(({ number }) => !damagedNumbers.has(number)),
      damaged: request.packs.filter(({ number }) => damagedNumbers.has(number)),
      writtenBytes: writer.storedBytes,
    };
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

function openWriter({ objects, packs, random, packTargetBytes }: RepositoryContext): PackWriter {
  const { storage, keyring } = objects;
  return new PackWriter({
    storage,
    keyring,
    random,
    onProven: (pack) => packs.add(pack),
    targetBytes: packTargetBytes,
  });
}

/** Numbers of packs with a chunk that cannot be read; of those the rest is not copied. */
async function copyNeeded(
  context: RepositoryContext,
  { packs, usage, snapshot, signal }: RewriteRequest,
  writer: PackWriter,
): Promise<Set<number>> {
  const damaged = new Set<number>();
  const reader = new CopyReader(context, snapshot);
  for (const entry of usage.neededIn(new Set(packs.map(({ number }) => number)))) {
    throwIfCancelled(signal);
    const pack = snapshot.index.packOf(entry);
    if (damaged.has(pack)) continue;
    const opened = await reader.read(entry);
    if (!opened) {
      damaged.add(pack);
      continue;
    }
    const { payload, encoded } = opened;
    const id = Buffer.from(snapshot.index.id(entry));
    await writer.append({ id, kind: payload[0] ?? 0, rawLength: payload.length, encoded });
  }
  return damaged;
}
