/**
 * How many bytes of changes the delta layers of a table hold of each range, without reading those that hold little: a range whose
 * changes are few is taken to have the most that counts as few. Memory and reading are those of the large ones.
 */
import type { BackupStore, LayerPage } from '../../domain/backup-store';
import type { LayerRef } from '../../domain/manifest';
import type { KeyRange } from '../../domain/rows';

/** Of one layer, for one range. */
const FEW_BYTES = 256 * 1024;

export class ChangesBelow {
  private readonly large = new Map<string, number>();

  private constructor(private readonly layers: number) {}

  static async of(store: BackupStore, deltas: readonly LayerRef[]): Promise<ChangesBelow> {
    const below = new ChangesBelow(deltas.length);
    for (const { root, rawBytes } of deltas) {
      if (root !== null && rawBytes >= FEW_BYTES) await below.note(store, await store.layerPage(root));
    }
    return below;
  }

  /** At most, but for what several small chunks of one layer hold of the same range. */
  bytesOf({ from }: KeyRange): number {
    return this.layers * FEW_BYTES + (this.large.get(keyOf(from)) ?? 0);
  }

  private async note(store: BackupStore, { level, entries }: LayerPage): Promise<void> {
    for (const { id, rawBytes, firstKey } of entries) {
      if (rawBytes < FEW_BYTES) continue;
      if (level > 0) await this.note(store, await store.layerPage(id));
      else this.large.set(keyOf(firstKey), (this.large.get(keyOf(firstKey)) ?? 0) + rawBytes);
    }
  }
}

/** In a delta layer an open bound is empty. */
function keyOf(from: Buffer | null): string {
  return from?.toString('latin1') ?? '';
}
