/** Jobs: queries, cancellation, and their events live. */
import { Arg, Args, Ctx, ID, Mutation, Query, Resolver, Root, Subscription } from 'type-graphql';
import type { JobEventRecord, JobStatistics as CatalogJobStatistics } from '../../catalog/catalog';
import type { JobId } from '../../domain/ids';
import type { RequestContext } from '../context';
import { listFingerprint, parseGlobalEventCursor, parseJobEventCursor } from '../cursors';
import { parseIdOf } from '../global-id';
import { JobFilter, JobListArgs, toJobFilter, toOrder, toPage } from '../inputs/list-inputs';
import { CancelJobInput } from '../inputs/mutation-inputs';
import { filterJobEvents } from '../job-event-filter';
import { closable } from '../closable-iterator';
import { pageToConnection, type CountedConnectionView } from '../types/connection';
import { JobConnection, JobEventView, JobView, toJobView } from '../types/job';
import { CancelJobPayload } from '../types/payloads';
import { JobStatistics } from '../types/statistics';
import { asPayload } from '../types/user-error';

interface EventsArgs {
  jobId: string;
  after?: string | null;
}

interface UpdatesArgs {
  filter?: JobFilter | null;
  after?: string | null;
}

@Resolver(() => JobView)
export class JobResolver {
  @Query(() => JobView, { nullable: true })
  async job(@Arg('id', () => ID) id: string, @Ctx() context: RequestContext): Promise<JobView | null> {
    const record = await context.loaders.jobs.load(parseIdOf('Job', id, ['id']));
    return record && toJobView(record);
  }

  @Query(() => JobConnection)
  async jobs(
    @Args(() => JobListArgs) args: JobListArgs,
    @Ctx() { services, principal }: RequestContext,
  ): Promise<CountedConnectionView<JobView>> {
    const filter = toJobFilter(args.filter);
    const order = toOrder(args.orderBy);
    const fingerprint = listFingerprint('jobs', filter, order);
    const page = await services.jobs.list(principal, { page: toPage(args, fingerprint), filter, order });
    const countAll = () => services.jobs.count(principal, filter);
    return { ...pageToConnection(page, fingerprint, toJobView), countAll };
  }

  @Query(() => JobStatistics)
  async jobStatistics(@Ctx() { services, principal }: RequestContext): Promise<JobStatistics> {
    return toJobStatistics(await services.jobs.statistics(principal));
  }

  @Mutation(() => CancelJobPayload, {
    description:
      'Works for waiting and running jobs; asking twice is the same as once, also when the job is CANCELLED by then.',
  })
  async cancelJob(
    @Arg('input', () => CancelJobInput) input: CancelJobInput,
    @Ctx() { services, principal }: RequestContext,
  ): Promise<CancelJobPayload> {
    return asPayload(async () => {
      const jobId = parseIdOf<JobId>('Job', input.jobId, ['input', 'jobId']);
      return { job: toJobView(await services.jobs.cancel(principal, jobId)) };
    });
  }

  @Subscription(() => JobEventView, {
    description:
      'Replays every event of the job after the cursor (without one: from the first), then goes on live, without a gap or a ' +
      "repeat; completes after the job's last event.",
    subscribe: ({ args, context }) => followJob(args as EventsArgs, context as RequestContext),
  })
  jobEvents(
    @Root() event: JobEventRecord,
    @Arg('jobId', () => ID) _jobId: string,
    @Arg('after', () => String, { nullable: true }) _after: string | null,
  ): JobEventView {
    return new JobEventView(event);
  }

  @Subscription(() => JobEventView, {
    description:
      'Every event of every job that you may see, after the cursor (without one: from the first that is still kept), then live, ' +
      'without a gap or a repeat. A state filter looks at the state after the event.',
    subscribe: ({ args, context }) => followJobs(args as UpdatesArgs, context as RequestContext),
  })
  jobUpdates(
    @Root() event: JobEventRecord,
    @Arg('filter', () => JobFilter, { nullable: true }) _filter: JobFilter | null,
    @Arg('after', () => String, { nullable: true }) _after: string | null,
  ): JobEventView {
    return new JobEventView(event);
  }
}

function followJob({ jobId, after }: EventsArgs, { services, principal }: RequestContext) {
  const id = parseIdOf<JobId>('Job', jobId, ['jobId']);
  const sequence = after ? parseJobEventCursor(after, id, ['after']) : null;
  return closable((signal) => services.jobs.follow(principal, { jobId: id, after: sequence, signal }));
}

function followJobs({ filter, after }: UpdatesArgs, context: RequestContext) {
  const { services, principal } = context;
  const position = after ? parseGlobalEventCursor(after, ['after']) : null;
  const wanted = toJobFilter(filter);
  return closable((signal) =>
    filterJobEvents(services.jobs.followAll(principal, { after: position, signal }), wanted, context),
  );
}

function toJobStatistics({ byState, averageDurationMs, ...rest }: CatalogJobStatistics): JobStatistics {
  const { PENDING: pending, RUNNING: running, COMPLETED: completed, FAILED: failed, CANCELLED: cancelled } = byState;
  const total = pending + running + completed + failed + cancelled;
  return { total, pending, running, completed, failed, cancelled, averageDuration: averageDurationMs, ...rest };
}
