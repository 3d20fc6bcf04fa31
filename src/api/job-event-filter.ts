/** Lets through the events of jobs that match a filter. A job's facts that a filter looks at never change, but its state does. */
import type { JobEventRecord, JobFilter, JobRecord } from '../catalog/catalog';
import { refreshContext, type RequestContext } from './context';

export async function* filterJobEvents(
  events: AsyncIterable<JobEventRecord>,
  filter: JobFilter,
  context: RequestContext,
): AsyncGenerator<JobEventRecord> {
  const { states, ...ofJob } = filter;
  const needsJob = Object.values(ofJob).some((wanted) => wanted !== undefined);
  for await (const event of events) {
    if (states && !states.includes(event.state)) continue;
    if (needsJob && !matches(await refreshContext(context).loaders.jobs.load(event.jobId), ofJob)) continue;
    yield event;
  }
}

function matches(job: JobRecord | null, { kinds, sources, backupIds, createdFrom, createdBefore }: JobFilter): boolean {
  if (!job) return false;
  if (kinds && !kinds.includes(job.kind)) return false;
  if (sources && (job.source === null || !sources.includes(job.source))) return false;
  if (backupIds && (job.backupId === null || !backupIds.includes(job.backupId))) return false;
  if (createdFrom && job.createdAt < createdFrom) return false;
  return !createdBefore || job.createdAt < createdBefore;
}
