/**
 * Stops the process, the power or the room at the steps of disk I/O of whole backups of rows, full and incremental, and of their deletion by a
 * cleanup: each backup that was told to exist restores to exactly what the source was at its moment.
 */
import { randomUUID } from 'node:crypto';
import type { JobId } from '../../src/domain/ids';
import type { CleanupResult } from '../../src/domain/task';
import { backup, restore, run } from '../support/engine-context';
import { memorySource, type MemorySource } from '../support/engine-memory-source';
import { PLATFORM, platformSource, stateOf } from '../support/engine-platform';
import { changing, crashEverywhere, passGrace, type Deed, type Known, type Proof } from '../support/repository-crash';
import { backupIdOf } from '../support/repository-fixtures';

const LONG = process.env['LONG'] === '1';
/** Odd, so that over the kinds of calls no step is always left out. */
const stride = LONG ? 1 : 5;
const packTargetBytes = 20_000;

jest.setTimeout(LONG ? 1_800_000 : 120_000);

/** The platform at three moments. */
function platformAt(moment: number): MemorySource {
  const source = platformSource(12, 100);
  for (let n = 1; n <= moment; n++) change(source, n);
  return source;
}

function change(source: MemorySource, n: number): void {
  for (const table of ['factors', 'config', 'assessments']) {
    const rows = source.tables.get(table)!;
    rows.delete([...rows.keys()][n] as string);
    for (const [at, [key, row]] of [...rows].entries()) if (at % 7 === n) rows.set(key, [...row.slice(0, -1), n]);
  }
}

function proofOf(number: number): Proof {
  return async (store) => {
    const source = memorySource(PLATFORM);
    await restore({ source, store }, { backupId: backupIdOf(number), undoableForMs: 0 });
    expect(stateOf(source)).toEqual(stateOf(platformAt(number)));
  };
}

/** Backup n is of moment n. */
const take =
  (number: number, type: 'FULL' | 'INCREMENTAL'): Deed =>
  ({ repository, known }) =>
    changing(known, { number, proof: proofOf(number), exists: true }, () =>
      backup({ source: platformAt(number), store: repository }, { type, backupId: backupIdOf(number) }),
    );

/** A cleanup that ends with a result is to be believed, whatever failed. */
const cleanUp =
  (...numbers: number[]): Deed =>
  async ({ repository: store, known }) => {
    for (const number of numbers) doubt(known, number);
    const jobId = randomUUID() as JobId;
    const task = { kind: 'CLEANUP', jobId, backupIds: numbers.map(backupIdOf), dryRun: false } as const;
    const { deletedBackupIds } = (await run(task, { source: platformAt(0), store })) as CleanupResult;
    for (const number of numbers) if (deletedBackupIds.includes(backupIdOf(number))) known.unsure.delete(number);
  };

function doubt(known: Known, number: number): void {
  known.committed.delete(number);
  known.unsure.set(number, proofOf(number));
}

test('a full backup', async () => {
  expect(await crashEverywhere({ deeds: [take(0, 'FULL')], packTargetBytes, stride })).toBeGreaterThan(40);
});

test('an incremental backup', async () => {
  const before = [take(0, 'FULL')];
  const deeds = [take(1, 'INCREMENTAL')];
  expect(await crashEverywhere({ before, deeds, packTargetBytes, stride })).toBeGreaterThan(40);
});

test('a cleanup of a full backup on which another was taken, and what collects and rewrites its packs', async () => {
  const before = [take(0, 'FULL'), take(1, 'INCREMENTAL'), take(2, 'FULL')];
  const deeds = [cleanUp(0, 1), passGrace, cleanUp()];
  expect(await crashEverywhere({ before, deeds, packTargetBytes, stride })).toBeGreaterThan(40);
});
