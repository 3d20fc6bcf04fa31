/** Rows on their way into lists of a change set: chunks in the repository, a few megabytes of them in memory at a time. */
import type { ChangeSetWriteSession, RowListBuilder } from '../../domain/backup-store';
import { MAX_SAMPLES, MAX_SAMPLE_BYTES, type ChangeSetTable, type RowListRef } from '../../domain/change-set';
import { rowStart, type RowBatch } from '../../domain/rows';
import { RowCollector } from '../rows/row-chunk';
import type { RowPairs } from '../rows/spool';

/** Rows of one chunk together; a larger row is a chunk of its own. */
const CHUNK_BYTES = 512 * 1024;

export async function storeRows(
  session: ChangeSetWriteSession,
  batches: AsyncIterable<RowBatch>,
): Promise<{ list: RowListRef; samples: string[] }> {
  const list = new ListWriter(session);
  const samples: string[] = [];
  for await (const batch of batches) {
    for (let row = 0; row < batch.ends.length; row++) {
      if (list.isFullFor(batch, row)) await list.flush();
      list.add(batch, row);
    }
    addSamples(samples, batch);
  }
  return { list: await list.finish(), samples };
}

/** Both lists are cut at the same rows, so that whoever reads them in step needs one chunk of each. */
export async function storePairs(
  session: ChangeSetWriteSession,
  sources: readonly AsyncIterable<RowPairs>[],
): Promise<{ before: RowListRef; after: RowListRef; samples: ChangeSetTable['samples']['updates'] }> {
  const [before, after] = [new ListWriter(session), new ListWriter(session)];
  const samples: ChangeSetTable['samples']['updates'] = [];
  for (const source of sources) {
    for await (const { oldRows, newRows } of source) {
      for (let row = 0; row < oldRows.ends.length; row++) {
        if (before.isFullFor(oldRows, row) || after.isFullFor(newRows, row)) {
          await before.flush();
          await after.flush();
        }
        before.add(oldRows, row);
        after.add(newRows, row);
      }
      addPairSamples(samples, { oldRows, newRows });
    }
  }
  return { before: await before.finish(), after: await after.finish(), samples };
}

export class ListWriter {
  private readonly list: RowListBuilder;
  private readonly rows = new RowCollector();

  constructor(private readonly session: ChangeSetWriteSession) {
    this.list = session.buildRowList();
  }

  /** True where the rows so far have to be stored before this one comes. */
  isFullFor(batch: RowBatch, row: number): boolean {
    const bytes = (batch.ends[row] as number) - rowStart(batch, row);
    return this.rows.rowCount > 0 && this.rows.rawBytes + bytes > CHUNK_BYTES;
  }

  add(batch: RowBatch, row: number): void {
    this.rows.add(batch.bytes, rowStart(batch, row), batch.ends[row] as number);
  }

  async flush(): Promise<void> {
    const { rowCount, rawBytes } = this.rows;
    if (rowCount === 0) return;
    const { id } = await this.session.putChunk(this.rows.takePayload());
    await this.list.add({ id, rowCount, rawBytes });
  }

  async finish(): Promise<RowListRef> {
    await this.flush();
    return this.list.finish();
  }
}

export function addSamples(samples: string[], batch: RowBatch): void {
  for (let row = 0; row < batch.ends.length && samples.length < MAX_SAMPLES; row++) {
    const sample = sampleOf(batch, row);
    if (sample !== null) samples.push(sample);
  }
}

function addPairSamples(samples: ChangeSetTable['samples']['updates'], { oldRows, newRows }: RowPairs): void {
  for (let row = 0; row < oldRows.ends.length && samples.length < MAX_SAMPLES; row++) {
    const [before, after] = [sampleOf(oldRows, row), sampleOf(newRows, row)];
    if (before !== null && after !== null) samples.push({ before, after });
  }
}

function sampleOf(batch: RowBatch, row: number): string | null {
  const [start, end] = [rowStart(batch, row), batch.ends[row] as number];
  return end - start > MAX_SAMPLE_BYTES ? null : batch.bytes.subarray(start, end).toString('base64');
}
