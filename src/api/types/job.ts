/** Jobs and their events as the API shows them. */
import { Field, Float, ID, Int, ObjectType } from 'type-graphql';
import type { JobEventRecord, JobRecord } from '../../catalog/catalog';
import type { ErrorCode } from '../../domain/errors';
import type { JobEventType, JobFailure, JobKind, JobState, Progress } from '../../domain/job';
import { isCancelable } from '../../services/jobs';
import { toEventCursor } from '../cursors';
import { FailureCodeEnum, JobEventTypeEnum, JobKindEnum, JobStateEnum } from '../enums';
import { toGlobalId } from '../global-id';
import { BigIntScalar, DateTimeScalar, DurationScalar } from '../scalars';
import { connectionType, countedConnectionType } from './connection';
import { CleanupOutcomeView } from './cleanup';
import { Node } from './node';
import { VerificationView } from './verification';

@ObjectType('JobProgress', { description: 'How far a job is; the whole state every time, never a difference.' })
export class JobProgressView {
  constructor(private readonly progress: Progress) {}

  @Field(() => Float, { description: '0 to 100; never falls within one attempt.' })
  get percent(): number {
    return this.progress.percent;
  }

  @Field(() => String)
  get phase(): string {
    return this.progress.phase;
  }

  @Field(() => String, { nullable: true })
  get currentTable(): string | null {
    return this.progress.currentTable;
  }

  @Field(() => BigIntScalar)
  get rowsDone(): number {
    return this.progress.rowsDone;
  }

  @Field(() => BigIntScalar, { nullable: true })
  get rowsTotal(): number | null {
    return this.progress.rowsTotal;
  }

  @Field(() => BigIntScalar)
  get bytesDone(): number {
    return this.progress.bytesDone;
  }

  @Field(() => BigIntScalar, { nullable: true })
  get bytesTotal(): number | null {
    return this.progress.bytesTotal;
  }

  @Field(() => Float, { nullable: true })
  get rowsPerSecond(): number | null {
    return this.progress.rowsPerSecond;
  }

  @Field(() => DurationScalar, { nullable: true })
  get estimatedRemaining(): number | null {
    return this.progress.estimatedRemainingMs;
  }
}

@ObjectType('JobFailure', { description: 'Why a job failed, and what to do about it.' })
export class JobFailureView {
  constructor(private readonly failure: JobFailure) {}

  @Field(() => FailureCodeEnum)
  get code(): ErrorCode {
    return this.failure.code;
  }

  @Field(() => String)
  get message(): string {
    // because: what nobody foresaw may quote anything; its words are in the service's log
    return this.failure.code === 'INTERNAL' ? 'The service failed in a way it did not foresee.' : this.failure.message;
  }

  @Field(() => String, { nullable: true })
  get remedy(): string | null {
    const { code, hint } = this.failure;
    return hint ?? (code === 'INTERNAL' ? "Look for the job's id in the service's log." : null);
  }

  @Field(() => Boolean, { description: 'True when the same job may succeed later without anybody changing anything.' })
  get retryable(): boolean {
    return this.failure.retryable;
  }
}

@ObjectType('Job', { implements: Node, description: 'Queued work with a lifecycle.' })
export class JobView {
  constructor(readonly record: JobRecord) {}

  @Field(() => ID)
  get id(): string {
    return toGlobalId('Job', this.record.id);
  }

  @Field(() => JobKindEnum)
  get kind(): JobKind {
    return this.record.kind;
  }

  @Field(() => JobStateEnum)
  get state(): JobState {
    return this.record.state;
  }

  @Field(() => JobProgressView)
  get progress(): JobProgressView {
    return new JobProgressView(this.record.progress);
  }

  @Field(() => Int, { description: '0 until it first ran.' })
  get attempt(): number {
    return this.record.attempt;
  }

  @Field(() => Int)
  get maxAttempts(): number {
    return this.record.maxAttempts;
  }

  @Field(() => Boolean)
  get cancelable(): boolean {
    return isCancelable(this.record);
  }

  @Field(() => JobFailureView, {
    nullable: true,
    description: 'Why it failed; while it waits for another attempt, why the last one did.',
  })
  get failure(): JobFailureView | null {
    return this.record.failure && new JobFailureView(this.record.failure);
  }

  @Field(() => VerificationView, {
    nullable: true,
    description: 'What this job found; for completed verifications and rehearsals.',
  })
  get verification(): VerificationView | null {
    const { outcome, finishedAt: at, id: jobId } = this.record;
    if (outcome?.kind === 'REHEARSAL' && at) return new VerificationView({ ...outcome, level: 'RESTORE', at, jobId });
    return outcome?.kind === 'VERIFICATION' && at ? new VerificationView({ ...outcome, at, jobId }) : null;
  }

  @Field(() => CleanupOutcomeView, { nullable: true, description: 'What this job deleted; for completed cleanups.' })
  get cleanup(): CleanupOutcomeView | null {
    const { outcome } = this.record;
    return outcome?.kind === 'CLEANUP' ? new CleanupOutcomeView(outcome) : null;
  }

  @Field(() => DateTimeScalar)
  get createdAt(): Date {
    return this.record.createdAt;
  }

  @Field(() => DateTimeScalar, { nullable: true })
  get startedAt(): Date | null {
    return this.record.startedAt;
  }

  @Field(() => DateTimeScalar, { nullable: true })
  get finishedAt(): Date | null {
    return this.record.finishedAt;
  }

  @Field(() => String)
  get createdBy(): string {
    return this.record.createdBy;
  }

  @Field(() => String, {
    nullable: true,
    description: 'The source it works on; none for work on the repository alone.',
  })
  get source(): string | null {
    return this.record.source;
  }
}

@ObjectType('JobEvent', { description: 'One thing that happened to a job.' })
export class JobEventView {
  constructor(readonly record: JobEventRecord) {}

  @Field(() => String, { description: 'Give it as `after` to go on behind this event.' })
  get cursor(): string {
    return toEventCursor(this.record);
  }

  @Field(() => Int, { description: '1, 2, 3, … without a gap within the job.' })
  get sequence(): number {
    return this.record.sequence;
  }

  @Field(() => DateTimeScalar)
  get at(): Date {
    return this.record.at;
  }

  @Field(() => JobEventTypeEnum)
  get type(): JobEventType {
    return this.record.type;
  }

  @Field(() => JobStateEnum, { description: "The job's state after this event." })
  get state(): JobState {
    return this.record.state;
  }

  @Field(() => JobProgressView)
  get progress(): JobProgressView {
    return new JobProgressView(this.record.progress);
  }

  @Field(() => String, { nullable: true })
  get message(): string | null {
    return this.record.message;
  }
}

export const JobConnection = countedConnectionType(JobView, 'Job');

export const JobEventConnection = connectionType(JobEventView, 'JobEvent');

export function toJobView(record: JobRecord): JobView {
  return new JobView(record);
}
