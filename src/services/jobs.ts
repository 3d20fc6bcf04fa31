/** Jobs: look at them, follow them, cancel them, wait for them. */
import type {
  Catalog, JobEventRecord, JobFilter, JobOrderField, JobRecord, JobStatistics,
} from '../catalog/catalog'; // prettier-ignore
import { AppError, isAppError } from '../domain/errors';
import type { JobId } from '../domain/ids';
import { isFinal } from '../domain/job';
import { authorize } from './authorize';
import { listPage, type ListPage, type ListRequest } from './paging';
import type { EventFeed } from './ports';
import type { Principal } from './principal';
import type { Waiters } from './waiters';

export type JobListRequest = ListRequest<JobFilter, JobOrderField>;

export interface JobsService {
  /** In the order of the ids; null where there is none or the caller may not see it. One query. */
  findMany(principal: Principal, ids: readonly JobId[]): Promise<(JobRecord | null)[]>;
  list(principal: Principal, request: JobListRequest): Promise<ListPage<JobRecord>>;
  count(principal: Principal, filter?: JobFilter): Promise<number>;
  statistics(principal: Principal): Promise<JobStatistics>;
  /** Up to `limit` events after a sequence, oldest first; null: from the first one kept. */
  eventsPage(principal: Principal, options: EventsPageOptions): Promise<{ events: JobEventRecord[]; hasMore: boolean }>;
  /** Throws NOT_FOUND, INVALID_INPUT or CURSOR_EXPIRED when the first event is pulled. */
  follow(principal: Principal, options: FollowOptions & { jobId: JobId }): AsyncIterable<JobEventRecord>;
  followAll(principal: Principal, options: FollowOptions): AsyncIterable<JobEventRecord>;
  /** Throws NOT_FOUND, and NOT_CANCELABLE where it ended otherwise. Asking twice is the same as once. */
  cancel(principal: Principal, jobId: JobId): Promise<JobRecord>;
  /** The job once it has ended, or as it is when the time is up. */
  waitFor(principal: Principal, job: JobRecord, options: WaitOptions): Promise<JobRecord>;
}

export interface EventsPageOptions {
  jobId: JobId;
  after: number | null;
  limit: number;
}

export interface FollowOptions {
  after: number | null;
  signal: AbortSignal;
}

export interface WaitOptions {
  waitMs: number;
  signal?: AbortSignal;
}

export interface JobsDependencies {
  catalog: Pick<Catalog, 'jobs' | 'events' | 'queue'>;
  feed: EventFeed;
  waiters: Waiters;
  wake: () => void;
}

export function createJobsService({ catalog, feed, waiters, wake }: JobsDependencies): JobsService {
  const read = (principal: Principal) => authorize(principal, 'job:read');
  return {
    async findMany(principal, ids) {
      read(principal);
      return catalog.jobs.findMany(ids);
    },
    async list(principal, request) {
      read(principal);
      return listPage(catalog.jobs, request);
    },
    async count(principal, filter) {
      read(principal);
      return catalog.jobs.count(filter);
    },
    async statistics(principal) {
      read(principal);
      return catalog.jobs.statistics();
    },
    async eventsPage(principal, { jobId, after, limit }) {
      read(principal);
      const { events } = await catalog.events.ofJob({ jobId, after, limit: limit + 1 });
      return { events: events.slice(0, limit), hasMore: events.length > limit };
    },
    follow(principal, options) {
      read(principal);
      return feed.ofJob(options);
    },
    followAll(principal, options) {
      read(principal);
      return feed.ofAll(options);
    },
    async cancel(principal, jobId) {
      authorize(principal, 'job:cancel');
      const job = await catalog.queue.requestCancel(jobId).catch(refuseCancel);
      wake();
      return job;
    },
    async waitFor(principal, job, { waitMs, signal }) {
      read(principal);
      if (waitMs === 0 || isFinal(job.state)) return job;
      await waiters.wait({ jobId: job.id, afterSequence: job.lastSequence, waitMs, signal });
      return (await catalog.jobs.find(job.id)) ?? job;
    },
  };
}

/** True while `cancelJob` would do something. */
export function isCancelable(job: Pick<JobRecord, 'state' | 'cancelRequested'>): boolean {
  return !isFinal(job.state) && !job.cancelRequested;
}

/** The catalog's refusal in the words of the input. */
function refuseCancel(error: unknown): never {
  if (!isAppError(error)) throw error;
  const { code, message, hint } = error;
  if (code === 'NOT_FOUND') throw noSuchJob();
  if (code === 'NOT_CANCELABLE') throw new AppError(code, message, { hint, path: JOB_PATH });
  throw error;
}

const JOB_PATH = ['input', 'jobId'];

export function noSuchJob(): AppError {
  return new AppError('NOT_FOUND', 'There is no such job.', {
    hint: 'List jobs to find it.',
    path: JOB_PATH,
  });
}
