/** Puts the entries of key ranges that finish in any order into a layer in key order. */
import type { ChunkEntry, LayerBuilder } from '../domain/backup-store';
import type { LayerRef } from '../domain/manifest';

export class LayerAssembly {
  private readonly outstanding = new Map<number, readonly ChunkEntry[]>();
  private nextRange = 0;
  private adding: Promise<void> = Promise.resolve();

  constructor(private readonly builder: LayerBuilder) {}

  /** Each range once, counted from 0 without a gap. */
  async finishRange(index: number, entries: readonly ChunkEntry[]): Promise<void> {
    this.outstanding.set(index, entries);
    this.adding = this.adding.then(() => this.addReady());
    await this.adding;
  }

  async finish(): Promise<LayerRef> {
    await this.adding;
    return this.builder.finish();
  }

  private async addReady(): Promise<void> {
    for (;;) {
      const entries = this.outstanding.get(this.nextRange);
      if (entries === undefined) return;
      this.outstanding.delete(this.nextRange++);
      for (const entry of entries) await this.builder.add(entry);
    }
  }
}
