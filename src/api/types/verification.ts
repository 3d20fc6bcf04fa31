/** What verifications and rehearsals of a backup found, as the API shows it. */
import { Field, ID, Int, ObjectType } from 'type-graphql';
import type { RestorabilityRecord, VerificationRecord } from '../../catalog/catalog';
import type { VerificationLevel } from '../../domain/backup';
import type { DataType } from '../../domain/data-type';
import type { FindingProblem, RehearsalCoverage, RehearsalProof, VerificationFinding } from '../../domain/rehearsal';
import { DamageProblemEnum, DataTypeEnum, VerificationLevelEnum } from '../enums';
import { toGlobalId } from '../global-id';
import { BigIntScalar, DateTimeScalar, DurationScalar } from '../scalars';

@ObjectType('DamageFinding', { description: 'Something wrong with a backup, and whom it hurts.' })
export class DamageFindingView {
  constructor(private readonly finding: VerificationFinding) {}

  @Field(() => String, {
    description:
      'What it is about: an object of the repository; for BROKEN_REFERENCE table and constraint, for an invariant its name.',
  })
  get object(): string {
    return this.finding.object;
  }

  @Field(() => DamageProblemEnum)
  get problem(): FindingProblem {
    return this.finding.problem;
  }

  @Field(() => String)
  get message(): string {
    return this.finding.message;
  }

  @Field(() => BigIntScalar, { nullable: true, description: 'How many rows break the reference or the invariant.' })
  get rowCount(): number | null {
    return this.finding.rowCount ?? null;
  }

  @Field(() => [String], {
    description: 'Keys of the first of these rows; of an invariant what its first column gives. Nothing else of a row.',
  })
  get firstKeys(): string[] {
    return this.finding.firstKeys ?? [];
  }

  @Field(() => [ID], { description: 'Backups that cannot be restored whole because of it.' })
  get backupIds(): string[] {
    return this.finding.backupIds.map((id) => toGlobalId('Backup', id));
  }
}

@ObjectType('RehearsalCoverage', { description: 'How much of a backup a rehearsal restored and checked.' })
export class RehearsalCoverageView {
  constructor(private readonly coverage: RehearsalCoverage) {}

  @Field(() => [DataTypeEnum], { description: 'Of which all tables that the backup holds were restored.' })
  get dataTypes(): DataType[] {
    return this.coverage.dataTypes;
  }

  @Field(() => Int, { description: 'Tables restored.' })
  get tableCount(): number {
    return this.coverage.tables;
  }

  @Field(() => Int, { description: 'Tables that the backup holds.' })
  get heldTableCount(): number {
    return this.coverage.tablesHeld;
  }

  @Field(() => BigIntScalar, { description: 'Rows that were read back and found equal to those of the backup.' })
  get rowCount(): number {
    return this.coverage.rows;
  }

  @Field(() => BigIntScalar, { description: 'Rows that the backup holds.' })
  get heldRowCount(): number {
    return this.coverage.rowsHeld;
  }

  @Field(() => Int, { description: 'Foreign keys all of whose rows refer to rows that are there.' })
  get referenceCount(): number {
    return this.coverage.references;
  }

  @Field(() => [String], {
    description: 'Foreign keys of which nothing is proven: they refer to tables that the backup does not hold.',
  })
  get unprovenReferences(): string[] {
    return this.coverage.unprovenReferences;
  }

  @Field(() => [String], { description: 'Invariants of the settings that were asked.' })
  get invariants(): string[] {
    return this.coverage.invariants;
  }

  @Field(() => [String], {
    description:
      'Those that were not: the backup lacks one of their tables, or holds one business alone and the setting does not say perBusiness.',
  })
  get skippedInvariants(): string[] {
    return this.coverage.skippedInvariants;
  }
}

@ObjectType('Rehearsal', {
  description: 'A restore that was held to see that it works: how long it took, and what it covers.',
})
export class RehearsalView {
  constructor(private readonly proof: RehearsalProof) {}

  @Field(() => DurationScalar, {
    description: 'From opening the backup to its rows published, read back and compared. Without invariants.',
  })
  get restoreTime(): number {
    return this.proof.restoreMs;
  }

  @Field(() => RehearsalCoverageView)
  get coverage(): RehearsalCoverageView {
    return new RehearsalCoverageView(this.proof.coverage);
  }
}

@ObjectType('Verification', { description: 'What a verification of a backup found.' })
export class VerificationView {
  constructor(private readonly record: VerificationRecord) {}

  @Field(() => VerificationLevelEnum)
  get level(): VerificationLevel {
    return this.record.level;
  }

  @Field(() => DateTimeScalar)
  get verifiedAt(): Date {
    return this.record.at;
  }

  @Field(() => Boolean)
  get passed(): boolean {
    return this.record.passed;
  }

  @Field(() => [DamageFindingView])
  get findings(): DamageFindingView[] {
    return this.record.findings.map((finding) => new DamageFindingView(finding));
  }

  @Field(() => BigIntScalar)
  get checkedChunks(): number {
    return this.record.checkedChunks;
  }

  @Field(() => BigIntScalar)
  get checkedBytes(): number {
    return this.record.checkedBytes;
  }

  @Field(() => RehearsalView, { nullable: true, description: 'Of level RESTORE, where all rows were restored.' })
  get rehearsal(): RehearsalView | null {
    return this.record.proof ? new RehearsalView(this.record.proof) : null;
  }
}

@ObjectType('Restorability', {
  description: 'What rehearsals of a backup have shown. A verification of another level changes nothing of it.',
})
export class RestorabilityView {
  constructor(private readonly record: RestorabilityRecord) {}

  @Field(() => Boolean, { description: 'Whether the last rehearsal passed.' })
  get proven(): boolean {
    return this.record.last.passed;
  }

  @Field(() => DateTimeScalar, { nullable: true, description: 'When a rehearsal last passed.' })
  get lastProvenAt(): Date | null {
    return this.record.proven?.at ?? null;
  }

  @Field(() => DurationScalar, { nullable: true, description: 'How long the restore took then.' })
  get provenRto(): number | null {
    return this.record.proven?.restoreMs ?? null;
  }

  @Field(() => RehearsalCoverageView, { nullable: true, description: 'How much was proven then.' })
  get coverage(): RehearsalCoverageView | null {
    return this.record.proven && new RehearsalCoverageView(this.record.proven.coverage);
  }

  @Field(() => VerificationView, { description: 'The last rehearsal, passed or not.' })
  get lastRehearsal(): VerificationView {
    return new VerificationView(this.record.last);
  }
}
