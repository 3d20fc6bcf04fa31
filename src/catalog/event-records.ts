/**
 * Events as they are read. Within a job sequences have no gap and pruning takes a prefix, so a missing event right after a
 * cursor means that it was pruned. Over all jobs a counter keeps the highest sequence ever deleted.
 */
import { Between, LessThan, MoreThan } from 'typeorm';
import { AppError } from '../domain/errors';
import type { JobId } from '../domain/ids';
import { isFinal } from '../domain/job';
import type { AllEventsSlice, EventRecords, JobEventsSlice } from './catalog';
import { DELETED_COUNTER, EVENT_COUNTER, raiseDeletedFloor, readCounter, type Database } from './database';
import { JobEntity, JobEventEntity } from './entities';
import type { JobEventRecord } from './records';
import { toJobEvent } from './to-records';

/** Events deleted in one transaction. */
const PRUNE_BATCH = 1000;

export class CatalogEvents implements EventRecords {
  constructor(private readonly database: Database) {}

  ofJob({ jobId, after, limit }: { jobId: JobId; after: number | null; limit: number }): Promise<JobEventsSlice> {
    return this.database.read(async (manager) => {
      const job = await manager.findOne(JobEntity, {
        where: { id: jobId },
        select: { id: true, state: true, lastSequence: true },
      });
      if (job === null) throw new AppError('NOT_FOUND', `There is no job ${jobId}.`);
      if ((after ?? 0) > job.lastSequence) throw notReached();
      const events = await manager.find(JobEventEntity, {
        where: { jobId, sequence: MoreThan(after ?? 0) },
        order: { sequence: 'ASC' },
        take: limit,
      });
      if (after !== null && after < job.lastSequence && events[0]?.sequence !== after + 1) throw cursorExpired();
      const last = events[events.length - 1]?.sequence ?? job.lastSequence;
      return { events: events.map(toJobEvent), complete: isFinal(job.state) && last >= job.lastSequence };
    });
  }

  async ofAll({ after, limit }: { after: number | null; limit: number }): Promise<AllEventsSlice> {
    return this.database.read(async (manager) => {
      if (after !== null && after > (await readCounter(manager, EVENT_COUNTER))) throw notReached();
      const start = after ?? (await readCounter(manager, DELETED_COUNTER));
      const rows = await manager.find(JobEventEntity, {
        where: { globalSequence: MoreThan(start) },
        order: { globalSequence: 'ASC' },
        take: limit,
      });
      const isCut = start < (await readCounter(manager, DELETED_COUNTER)); // read last: it only rises
      if (isCut && after !== null) throw cursorExpired();
      return { events: rows.map(toJobEvent), start, position: rows[rows.length - 1]?.globalSequence ?? start };
    });
  }

  async latestOfJob(options: { jobId: JobId; before: number | null; limit: number }): Promise<JobEventRecord[]> {
    const { jobId, before, limit } = options;
    const rows = await this.database.read((manager) =>
      manager.find(JobEventEntity, {
        where: { jobId, ...(before === null ? {} : { sequence: LessThan(before) }) },
        order: { sequence: 'DESC' },
        take: limit,
      }),
    );
    return rows.map(toJobEvent);
  }

  async prune(before: Date): Promise<number> {
    let pruned = 0;
    for (;;) {
      const batch = await this.pruneBatch(before);
      pruned += batch;
      if (batch < PRUNE_BATCH) return pruned;
    }
  }

  /** Deletes from the lowest global sequence up to the first event that is young enough. */
  private pruneBatch(before: Date): Promise<number> {
    return this.database.transaction(async ({ manager }) => {
      const oldest = await manager.find(JobEventEntity, {
        select: { jobId: true, sequence: true, globalSequence: true, at: true },
        order: { globalSequence: 'ASC' },
        take: PRUNE_BATCH,
      });
      const young = oldest.findIndex((event) => event.at.getTime() >= before.getTime());
      const old = young === -1 ? oldest : oldest.slice(0, young);
      const [first, last] = [old[0], old[old.length - 1]];
      if (first === undefined || last === undefined) return 0;
      await raiseDeletedFloor(manager, last.globalSequence);
      await manager.delete(JobEventEntity, { globalSequence: Between(first.globalSequence, last.globalSequence) });
      return old.length;
    });
  }
}

function notReached(): AppError {
  return new AppError('INVALID_INPUT', 'This cursor points beyond the newest event.', {
    hint: 'Use a cursor exactly as an event gave it, or none to start at the first event.',
    path: ['after'],
  });
}

function cursorExpired(): AppError {
  return new AppError('CURSOR_EXPIRED', 'The events right after this cursor are no longer kept.', {
    hint: 'Read the current state, then subscribe without a cursor.',
    path: ['after'],
  });
}
