/** What a retention policy would do, as the API shows it. */
import { Field, ObjectType } from 'type-graphql';
import type { RetentionVerdict } from '../../domain/retention';
import type { FreedBytes } from '../../services/ports';
import { countedConnectionType } from './connection';

/** `backup` is resolved apart. */
@ObjectType('RetentionVerdict', { description: 'What a policy would do with one backup, and why.' })
export class RetentionVerdictView {
  constructor(readonly verdict: RetentionVerdict) {}

  @Field(() => [String], { description: 'Such as `daily 2026-11-25`, `last 3`, `legal hold`, `no rule keeps it`.' })
  get reasons(): string[] {
    return this.verdict.reasons;
  }
}

export const RetentionVerdictConnection = countedConnectionType(RetentionVerdictView, 'RetentionVerdict');

/** `keep`, `expire`, `freedBytes` and `deadBytes` are resolved apart, each only when asked for. */
@ObjectType({ description: 'What a policy would keep and what it would let go; nothing is deleted.' })
export class RetentionPreview {
  readonly keeping!: readonly RetentionVerdict[];
  readonly expiring!: readonly RetentionVerdict[];
  /** Asked once, however many fields need it. */
  readonly freed!: () => Promise<FreedBytes>;
  readonly fingerprint!: string;
}
