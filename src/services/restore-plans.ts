/** Plans of restores: make one, look at it, apply exactly it; and take back what a restore changed. */
import type { Catalog, JobRecord, RestorePlanRecord, RestoreRecord } from '../catalog/catalog';
import type { Clock, Random } from '../domain/ambient';
import { NO_CONFLICTS, PLAN_VALID_MS, sumConflicts, UNDOABLE_MS } from '../domain/change-set';
import { AppError } from '../domain/errors';
import type { ChangeSetId, RestoreId } from '../domain/ids';
import type { PlanJobSpec, RestoreJobSpec } from '../domain/job';
import { unresolved } from '../domain/three-way';
import { authorize } from './authorize';
import type { CallOptions } from './backups';
import { checkWaiting, createDeeds, type Deeds } from './deeds';
import type { Given } from './input-rules';
import type { JobsService } from './jobs';
import type { SourcePort } from './ports';
import type { Principal } from './principal';
import { checkPlanInput, type PlanRestoreInput } from './restore-rules';
import { findRestorable, type PlannedRestoreJob, type RestoreJob } from './restores';

export interface ApplyRestorePlanInput {
  planId: ChangeSetId;
  /** As the plan that was looked at has it. */
  planHash: string;
  idempotencyKey?: Given<string>;
  waitFor?: Given<string>;
}

export interface UndoRestoreInput {
  restoreId: RestoreId;
  idempotencyKey?: Given<string>;
  waitFor?: Given<string>;
}

/** Errors of all: INVALID_INPUT, NOT_FOUND, IDEMPOTENCY_KEY_REUSED, FORBIDDEN, CATALOG_UNAVAILABLE. */
export interface RestorePlansService {
  /** Reads only. Throws BACKUP_NOT_RESTORABLE too. The plan is there once its job has completed. */
  plan(principal: Principal, input: PlanRestoreInput, options?: CallOptions): Promise<PlanJob>;
  /** Throws PLAN_EXPIRED too; its job fails with PLAN_DRIFTED where the live data moved, and changes nothing then. */
  apply(principal: Principal, input: ApplyRestorePlanInput, options?: CallOptions): Promise<PlannedRestoreJob>;
  /** Throws CONFLICT where there is nothing to take back, PLAN_EXPIRED where it was kept no longer. Its job fails as that of `apply` does. */
  undo(principal: Principal, input: UndoRestoreInput, options?: CallOptions): Promise<RestoreJob>;
  /** In the order of the ids; null where there is none or the caller may not see it. One query. */
  findMany(principal: Principal, ids: readonly ChangeSetId[]): Promise<(RestorePlanRecord | null)[]>;
}

export interface PlanJob {
  job: JobRecord;
  plan: RestorePlanRecord | null;
}

export interface RestorePlansDependencies {
  catalog: Pick<Catalog, 'backups' | 'restores' | 'plans' | 'queue'>;
  sources: readonly SourcePort[];
  jobs: JobsService;
  clock: Clock;
  random: Random;
  wake: () => void;
}

export function createRestorePlansService(dependencies: RestorePlansDependencies): RestorePlansService {
  const { catalog } = dependencies;
  const deeds = createDeeds(dependencies);
  return {
    ...createPlanning(dependencies, deeds),
    async undo(principal, input, options = {}) {
      authorize(principal, 'restore:create');
      const job = await deeds.run(principal, { mutation: 'undoRestore', input, ...options }, async () => {
        checkWaiting(input);
        return undoSpec(await catalog.restores.find(input.restoreId), dependencies);
      });
      return { job, restore: await restoreOf(catalog, job) };
    },
    async findMany(principal, ids) {
      authorize(principal, 'restore:read');
      return catalog.plans.findMany(ids);
    },
  };
}

function createPlanning(
  dependencies: RestorePlansDependencies,
  deeds: Deeds,
): Pick<RestorePlansService, 'plan' | 'apply'> {
  const { catalog } = dependencies;
  return {
    async plan(principal, input, options = {}) {
      authorize(principal, 'restore:plan');
      const job = await deeds.run(principal, { mutation: 'planRestore', input, ...options }, () =>
        planSpec(input, dependencies),
      );
      return { job, plan: job.spec.kind === 'PLAN' ? await catalog.plans.find(job.spec.planId) : null };
    },
    async apply(principal, input, options = {}) {
      authorize(principal, 'restore:create');
      const job = await deeds.run(principal, { mutation: 'applyRestorePlan', input, ...options }, async () => {
        checkWaiting(input);
        return applySpec(input, await catalog.plans.find(input.planId), dependencies);
      });
      return { job, restore: await restoreOf(catalog, job), plan: await catalog.plans.find(input.planId) };
    },
  };
}

async function restoreOf(
  { restores }: Pick<Catalog, 'restores'>,
  { restoreId }: JobRecord,
): Promise<RestoreRecord | null> {
  return restoreId && restores.find(restoreId);
}

async function planSpec(input: PlanRestoreInput, dependencies: RestorePlansDependencies): Promise<PlanJobSpec> {
  const { validForMs, ...checked } = checkPlanInput(input);
  const { backup, part } = await findRestorable(checked, input.backupId, dependencies);
  const { type, businessId, allowUnchecked, threeWay } = checked;
  const { id: backupId, source } = backup;
  const planId = dependencies.random.uuid() as ChangeSetId;
  return {
    kind: 'PLAN', planId, source, backupId, type, ...part, businessId, allowUnchecked, validForMs: validForMs ?? PLAN_VALID_MS,
    ...(threeWay && { threeWay }),
  }; // prettier-ignore
}

function applySpec(
  { planId, planHash }: ApplyRestorePlanInput,
  plan: RestorePlanRecord | null,
  { clock, random }: Pick<RestorePlansDependencies, 'clock' | 'random'>,
): RestoreJobSpec {
  if (!plan) {
    throw new AppError('NOT_FOUND', 'There is no such plan.', {
      hint: 'Plan the restore again.',
      path: ['input', 'planId'],
    });
  }
  if (plan.planHash !== planHash) {
    throw new AppError('INVALID_INPUT', 'The plan has another planHash.', {
      hint: 'Look at the plan that you want to apply, and give its id and its planHash.',
      path: ['input', 'planHash'],
    });
  }
  if (plan.expiresAt <= clock.now()) throw expired('The plan has expired.', 'Plan the restore again.', 'planId');
  requireResolved(plan);
  return { ...inPlace(plan, random), plan: { planId, planHash } };
}

function requireResolved({ threeWay, tables }: RestorePlanRecord): void {
  if (threeWay?.conflictPolicy !== 'FAIL') return;
  const conflicts = sumConflicts(tables.map((table) => table.conflicts ?? NO_CONFLICTS));
  if (conflicts.rows > 0) throw unresolved(conflicts, { path: ['input', 'planId'] });
}

function undoSpec(
  restore: RestoreRecord | null,
  { clock, random }: Pick<RestorePlansDependencies, 'clock' | 'random'>,
): RestoreJobSpec {
  if (!restore) throw new AppError('NOT_FOUND', 'There is no such restore.', { path: ['input', 'restoreId'] });
  const { changeSet, expiresAt } = changesOf(restore);
  if (new Date(expiresAt) <= clock.now()) {
    throw expired(
      'What the restore changed is not kept any more.',
      'Restore the backup that you want to have.',
      'restoreId',
    );
  }
  const undoes = { restoreId: restore.id, changeSetId: changeSet };
  return { ...inPlace(restore, random), undoes };
}

function changesOf(restore: RestoreRecord): { changeSet: ChangeSetId; expiresAt: string } {
  const refuse = (message: string, hint: string): never => {
    throw new AppError('CONFLICT', message, { hint, path: ['input', 'restoreId'] });
  };
  const { state, target, dryRun, result } = restore;
  if (state !== 'COMPLETED' || !result) return refuse(`The restore is ${state}.`, 'Only what completed can be undone.');
  if (dryRun) return refuse('The restore was a dry run.', 'It changed nothing.');
  if (target.kind === 'SCRATCH') return refuse('The restore filled a scratch schema.', 'Drop the schema.');
  if (!result.changeSet)
    return refuse('The restore has nothing to undo.', result.notes.at(-1) ?? 'It changed nothing.');
  return { changeSet: result.changeSet.changeSetId, expiresAt: result.changeSet.expiresAt };
}

type Restored = Pick<RestoreRecord, 'backupId' | 'source' | 'type' | 'dataTypes' | 'businessId' | 'keys' | 'threeWay'>;

/** A restore of what a change set says. */
function inPlace({ keys, threeWay, ...restored }: Restored, random: Random): RestoreJobSpec {
  const { backupId, source, type, dataTypes, businessId } = restored;
  return {
    kind: 'RESTORE',
    restoreId: random.uuid() as RestoreId,
    ...{ backupId, source, type, dataTypes, businessId, ...(keys && { keys }), ...(threeWay && { threeWay }) },
    target: { kind: 'IN_PLACE' },
    dryRun: false,
    allowUnchecked: false,
    changeSetId: random.uuid() as ChangeSetId,
    undoableForMs: UNDOABLE_MS,
  };
}

function expired(message: string, hint: string, field: string): AppError {
  return new AppError('PLAN_EXPIRED', message, { hint, path: ['input', field] });
}
