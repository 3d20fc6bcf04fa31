/**
 * Rehearses the restore of a whole backup: into a scratch schema of its own source, as a real restore does it, then asks what the rows
 * must keep, and drops the schema. What is wrong with the backup is a finding; a rehearsal that can't be held is an error. However it
 * ends, it leaves no schema, or an error that says so and is `unsettled`: then another attempt has to drop it. Each attempt has a schema of
 * its own and writes under that name: one whose lease was lost, and that ends late, takes nothing from its successor.
 */
import { AppError, isAppError, toAppError } from '../../domain/errors';
import { rehearsalPrefix, rehearsalSchema, type VerificationFinding } from '../../domain/rehearsal';
import type { BrokenReference, Source } from '../../domain/source';
import type { EngineTask, RehearsalResult } from '../../domain/task';
import { throwIfAborted } from '../lanes';
import type { EngineStore, TaskContext } from '../ports';
import { findDamage, missingBackup } from '../reading/find-damage';
import { decodeDocument } from '../rows/document-chunk';
import { storeWait } from '../store-wait';
import { restoreInBulk, type BulkResult } from './bulk-restore';
import { openBackup, type OpenedBackup } from './open-backup';
import { checkableInvariants, coverageOf } from './rehearsal-coverage';
import { damageFinding, invariantFindings, notRestored, referenceFinding } from './rehearsal-findings';
import type { ScopeSpec } from './restore-scope';
import { cancelledBeforeCommit } from './settle-restore';

type RehearsalTask = Extract<EngineTask, { kind: 'REHEARSAL' }>;

interface Scratch {
  source: Source;
  schema: string;
}

interface Rehearsal extends Scratch {
  task: RehearsalTask;
  store: EngineStore;
  startedMs: number;
}

export async function rehearseRestore(task: RehearsalTask, context: TaskContext): Promise<RehearsalResult> {
  const { spec, jobId } = task;
  const source = await context.deps.source(spec.source);
  const scratch: Scratch = { source, schema: rehearsalSchema(jobId, context.deps.random.uuid()) };
  // Before the repository, which may be gone: what an earlier attempt left must go in any case.
  await dropEarlier(source, task);
  if (task.recoverOnly) throw cancelledBeforeCommit();
  await source.info(context.signal); // a source that can't be used is no fault of the backup
  const store = await context.deps.store();
  const lease = await store.beginRead(`rehearsal ${jobId}`, storeWait(context));
  try {
    const startedMs = context.deps.clock.monotonicMs();
    return await rehearse({ ...scratch, task, store, startedMs }, context);
  } finally {
    await lease.release();
  }
}

async function rehearse(rehearsal: Rehearsal, context: TaskContext): Promise<RehearsalResult> {
  const backup = await openSound(rehearsal, context);
  if (backup === null) return tellDamage(rehearsal, context);
  await requireRoom(backup, rehearsal, context);
  try {
    return await restoreAndCheck(backup, rehearsal, context);
  } finally {
    await dropScratch(rehearsal, context);
  }
}

/** Null where something of it is damaged, or missing. */
async function openSound(
  { task, source, store, schema }: Rehearsal,
  context: TaskContext,
): Promise<OpenedBackup | null> {
  const { backupId, source: name } = task.spec;
  const whole: ScopeSpec = {
    source: name,
    backupId,
    type: 'FULL',
    dataTypes: [],
    businessId: null,
    target: { kind: 'SCRATCH', schema },
    allowUnchecked: true,
  };
  try {
    const backup = await openBackup(whole, { store, source, notes: [] }, context);
    requireSameEncoding(backup, source);
    const { serviceSettings } = backup.manifest;
    if (serviceSettings !== null) decodeDocument(await store.readChunk(serviceSettings));
    return backup.damage.length > 0 ? null : backup;
  } catch (error) {
    if (!isAppError(error)) throw error;
    if (error.code === 'INTEGRITY_FAILURE' || error.code === 'NOT_FOUND') return null;
    if (error.code === 'BACKUP_NOT_RESTORABLE' && (await store.findManifest(backupId)) === null) return null;
    throw error;
  }
}

/** Under the source's name there may be a database of another kind by now. */
function requireSameEncoding({ scope }: OpenedBackup, { codec, name }: Source): void {
  const other = scope.tables.find(({ manifest }) => manifest.structure.rowEncoding !== codec.name);
  if (other === undefined) return;
  const { rowEncoding } = other.manifest.structure;
  throw new AppError(
    'BACKUP_NOT_RESTORABLE',
    `The source ${name} takes rows in ${codec.name}, not in ${rowEncoding}.`,
    {
      hint: 'Point the source at a database of the kind that the backup was taken of.',
    },
  );
}

/** By object, as a verification at level DATA tells it. */
async function tellDamage({ task, store }: Rehearsal, context: TaskContext): Promise<RehearsalResult> {
  const { backupId } = task.spec;
  if (!(await store.storedBackupIds()).has(backupId)) return failedBy(missingBackup(backupId));
  const phase = { name: 'looking for the damage', from: 30, to: 99 };
  const { findings, ...checked } = await findDamage(store, { backupId, level: 'DATA', phase }, context);
  const told = findings.length > 0 ? findings : [damageFinding(backupId)];
  return { kind: 'REHEARSAL', passed: false, findings: told, ...checked, proof: null };
}

function failedBy(finding: VerificationFinding): RehearsalResult {
  return { kind: 'REHEARSAL', passed: false, findings: [finding], checkedChunks: 0, checkedBytes: 0, proof: null };
}

/** Rows alone: indexes come on top, and the source's log. So what is less than this is too little for certain. */
async function requireRoom(
  { scope }: OpenedBackup,
  { source, schema }: Scratch,
  { hooks }: TaskContext,
): Promise<void> {
  const bytes = scope.tables.reduce((sum, { manifest }) => sum + manifest.rawBytes, 0);
  const size = `${Math.ceil(bytes / 1024 ** 2)} MiB`;
  hooks.onLog(
    `Restoring into the scratch schema ${schema}: ${size} of rows; indexes, and the source's binary log where it keeps one, take as much again.`,
  );
  const free = await source.freeBytes?.();
  if (free === undefined || free >= bytes) return;
  throw new AppError(
    'SOURCE_UNAVAILABLE',
    `The rows need ${size} beside the source, and ${Math.floor(free / 1024 ** 2)} MiB are free.`,
    { hint: 'Free space on the disk of the source, then rehearse again.' },
  );
}

async function restoreAndCheck(
  backup: OpenedBackup,
  rehearsal: Rehearsal,
  context: TaskContext,
): Promise<RehearsalResult> {
  const { backupId } = rehearsal.task.spec;
  const { clock } = context.deps;
  const broken: BrokenReference[] = [];
  const restored = await restoreWhole(backup, { rehearsal, broken, context });
  if ('problem' in restored) return failedBy(restored);
  const restoreMs = Math.round(clock.monotonicMs() - rehearsal.startedMs);
  context.hooks.onLog(`Restored ${restored.verifiedRows} rows in ${(restoreMs / 1000).toFixed(1)} seconds.`);
  const invariants = checkableInvariants(rehearsal.source.invariants, backup.scope);
  for (const { invariant, reason } of invariants.skipped)
    context.hooks.onLog(`The invariant ${invariant.name} is not asked: ${reason}.`);
  context.progress.begin({ name: 'checking invariants', from: 99, to: 99 });
  const asked = { schema: rehearsal.schema, invariants: invariants.checkable, signal: context.signal };
  const checks = await rehearsal.source.checkInvariants(asked);
  const findings = [
    ...broken.map((reference) => referenceFinding(reference, backupId)),
    ...invariantFindings(checks, backupId),
  ];
  for (const { message } of findings) context.hooks.onLog(message);
  return {
    kind: 'REHEARSAL',
    passed: findings.length === 0,
    findings,
    checkedChunks: restored.verifiedChunks,
    checkedBytes: backup.scope.tables.reduce((sum, { manifest }) => sum + manifest.rawBytes, 0),
    proof: { restoreMs, coverage: coverageOf(backup, { restored, broken, invariants }) },
  };
}

/** What the source answers when the rows, or their structures, are at fault. */
const FAULTS = ['CONFLICT', 'SCHEMA_MISMATCH', 'INTEGRITY_FAILURE'];

async function restoreWhole(
  { scope, rows }: OpenedBackup,
  { rehearsal, broken, context }: { rehearsal: Rehearsal; broken: BrokenReference[]; context: TaskContext },
): Promise<BulkResult | VerificationFinding> {
  const { source, store, schema: scratchSchema, task } = rehearsal;
  const jobId = scratchSchema;
  const onBrokenReference = (reference: BrokenReference): unknown => broken.push(reference);
  try {
    return await restoreInBulk({ source, store, scope, rows, scratchSchema, jobId, onBrokenReference }, context);
  } catch (error) {
    throwIfAborted(context.signal);
    const failure = toAppError(error);
    if (!FAULTS.includes(failure.code)) throw error;
    return notRestored(failure, task.spec.backupId);
  } finally {
    context.committing = false; // because: it will be dropped, and so can be cancelled
  }
}

/** Where nothing can be left, a source that is away is just that. */
async function dropEarlier(source: Source, { jobId, mayHaveLeft }: RehearsalTask): Promise<void> {
  let schema = `${rehearsalPrefix(jobId)}...`;
  try {
    for (schema of await source.scratchesNamed(rehearsalPrefix(jobId))) await discard({ source, schema });
  } catch (error) {
    throw mayHaveLeft ? notDropped({ source, schema }, error) : error;
  }
}

async function dropScratch(scratch: Scratch, context: TaskContext): Promise<void> {
  context.progress.begin({ name: 'dropping', from: 99, to: 99 });
  try {
    await discard(scratch);
    context.undoFailure = undefined; // because: whatever could not be undone is gone with the schema
  } catch (error) {
    context.undoFailure = notDropped(scratch, error);
    throw context.undoFailure;
  }
}

/** An attempt writes as a job that is called as its schema. */
function discard({ source, schema }: Scratch): Promise<void> {
  return source.discardScratch(schema, schema);
}

function notDropped({ schema }: Scratch, error: unknown): AppError {
  const { code, message, retryable } = toAppError(error);
  const hint = retryable ? 'It is tried again until it is gone.' : `Drop ${schema} by hand.`;
  return new AppError(code, `The scratch schema ${schema} could not be dropped: ${message}`, {
    hint,
    retryable,
    unsettled: retryable,
    cause: error,
  });
}
