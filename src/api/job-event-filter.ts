/** Lets through the events of jobs that match a filter. A job's facts that a filter looks at never change, but its state does. */
import type { JobEventRecord, JobFilter, JobRecord } from '../catalog/catalog';
import type { JobId } from '../domain/ids';
import { refreshContext, type RequestContext } from './context';

const REMEMBERED_JOBS = 100;

export async function* filterJobEvents(
  events: AsyncIterable<JobEventRecord>,
  filter: JobFilter,
  context: RequestContext,
): AsyncGenerator<JobEventRecord> {
  const { states, ...ofJob } = filter;
  const needsJob = Object.values(ofJob).some((wanted) => wanted !== undefined);
  const wants = rememberVerdicts(async (jobId) =>
    matches(await refreshContext(context).loaders.jobs.load(jobId), ofJob),
  );
  for await (const event of events) {
    if (states && !states.includes(event.state)) continue;
    if (needsJob && !(await wants(event.jobId))) continue;
    yield event;
  }
}

/** One look per job and subscriber, for as long as few jobs alternate: a replay passes thousands of events. */
function rememberVerdicts(judge: (jobId: JobId) => Promise<boolean>): (jobId: JobId) => Promise<boolean> {
  const verdicts = new Map<JobId, boolean>();
  return async (jobId) => {
    const verdict = verdicts.get(jobId) ?? (await judge(jobId));
    if (verdicts.size >= REMEMBERED_JOBS) verdicts.clear();
    verdicts.set(jobId, verdict);
    return verdict;
  };
}

function matches(job: JobRecord | null, { kinds, sources, backupIds, createdFrom, createdBefore }: JobFilter): boolean {
  if (!job) return false;
  if (kinds && !kinds.includes(job.kind)) return false;
  if (sources && (job.source === null || !sources.includes(job.source))) return false;
  if (backupIds && (job.backupId === null || !backupIds.includes(job.backupId))) return false;
  if (createdFrom && job.createdAt < createdFrom) return false;
  return !createdBefore || job.createdAt < createdBefore;
}
