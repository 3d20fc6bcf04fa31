/**
 * `npm run bench:collection -- [--chunks 1000000]`
 *
 * What collections take in memory and time at a tenth of the chunks and at all of them: marking, rewriting and sweeping a repository of which
 * a third is needed, a third is mostly dead and a third is dead. Chunks are tiny, so that it is their number that weighs.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../../src/ops/ambient';
import { openRepository, type Repository } from '../../src/repository/repository';
import { backupIdOf, manifestOf, tableOf } from '../support/repository-fixtures';
import { silentLog } from '../support/silent-log';

const { values: args } = parseArgs({ options: { chunks: { type: 'string', default: '1000000' } } });
const PAYLOAD_BYTES = 34;

function open(folder: string): Promise<Repository> {
  return openRepository({
    settings: { url: `file:${folder}`, compression: 'none', compressionLevel: 1, gracePeriodMs: 0 },
    clock: systemClock,
    random: { bytes: randomBytes, uuid: randomUUID },
    log: silentLog,
    packTargetBytes: 512 * 1024,
  });
}

function payloadOf(number: number): Buffer {
  const payload = Buffer.alloc(PAYLOAD_BYTES);
  payload.writeUInt16BE(0x0101);
  createHash('sha256').update(String(number)).digest().copy(payload, 2);
  return payload;
}

/** A backup of those of `count` numbers that `keep` says. */
async function take(
  repository: Repository,
  id: number,
  { count, keep }: { count: number; keep: (n: number) => boolean },
) {
  const session = await repository.beginWrite(backupIdOf(id));
  const layer = session.buildLayer('BASE');
  for (let number = 0; number < count; number++) {
    if (!keep(number)) continue;
    const { id: chunk } = await session.putChunk(payloadOf(number));
    const key = Buffer.alloc(4);
    key.writeUInt32BE(number);
    await layer.add({ id: chunk, rowCount: 1, rawBytes: PAYLOAD_BYTES, firstKey: key, lastKey: key });
  }
  await session.commit(manifestOf(backupIdOf(id), [tableOf('t', await layer.finish())]));
}

async function fill(folder: string, count: number): Promise<void> {
  const repository = await open(folder);
  const third = count / 3;
  await take(repository, 1, { count, keep: () => true });
  await take(repository, 2, { count, keep: (n) => n < third || (n < 2 * third && n % 10 === 0) });
  await repository.deleteManifest(backupIdOf(1));
  await repository.close();
}

const megabytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1);

/** Samples what lies in memory beyond what lay there before. */
async function peaks(work: () => Promise<unknown>): Promise<{ heap: number; buffers: number; seconds: number }> {
  globalThis.gc?.();
  const before = process.memoryUsage();
  const peak = { heap: 0, buffers: 0 };
  const sample = (): void => {
    const now = process.memoryUsage();
    peak.heap = Math.max(peak.heap, now.heapUsed - before.heapUsed);
    peak.buffers = Math.max(peak.buffers, now.arrayBuffers - before.arrayBuffers);
  };
  const timer = setInterval(sample, 5);
  const started = performance.now();
  await work();
  sample();
  clearInterval(timer);
  return { ...peak, seconds: (performance.now() - started) / 1000 };
}

async function measure(count: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'riskvault-bench-'));
  try {
    await fill(folder, count);
    const repository = await open(folder);
    for (const round of ['mark, sweep, rewrite', 'sweep rewritten packs']) {
      let said = '';
      const { heap, buffers, seconds } = await peaks(async () => {
        const { deletedPacks, rewrittenPacks } = await repository.collectGarbage({ dryRun: false });
        said = `${deletedPacks} packs deleted, ${rewrittenPacks} rewritten`;
      });
      console.log(
        `${count} chunks, ${round}: ${seconds.toFixed(1)} s, heap ${megabytes(heap)} MiB, buffers ${megabytes(buffers)} MiB (${said})`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  const chunks = Number(args.chunks);
  await measure(chunks / 10);
  await measure(chunks);
}

void main();
