/**
 * Legal holds: placed and released in the repository first, which decides, then in the catalog, which shows them. What is cut off in
 * between is on the safe side or done already, and the same call again, or the next start, completes it.
 */
import { createHash } from 'node:crypto';
import type { BackupRecord, Catalog, IdempotencyClaim, LegalHoldRecord } from '../catalog/catalog';
import type { Clock, Random } from '../domain/ambient';
import { AppError, isAppError } from '../domain/errors';
import type { BackupId, HoldId } from '../domain/ids';
import { authorize } from './authorize';
import { noSuchBackup } from './backups';
import { idempotencyClaim, type KeyedInput } from './idempotency';
import { InputProblems } from './input-problems';
import { checkHoldReason, checkIdempotencyKey, type Given } from './input-rules';
import type { RepositoryPort } from './ports';
import type { Principal } from './principal';

export interface PlaceLegalHoldInput {
  backupId: BackupId;
  reason: string;
  idempotencyKey?: Given<string>;
}

export interface ReleaseLegalHoldInput {
  backupId: BackupId;
  /** May be left out where the backup has just one. */
  holdId?: Given<HoldId>;
  idempotencyKey?: Given<string>;
}

export interface HeldBackup {
  /** Null where it has gone since the call that is repeated. */
  backup: BackupRecord | null;
  /** The hold that was placed, or the one still in force that is the oldest; null where there is none. */
  hold: LegalHoldRecord | null;
}

/**
 * Errors of both: INVALID_INPUT, NOT_FOUND, CONFLICT, IDEMPOTENCY_KEY_REUSED, REPOSITORY_UNAVAILABLE, REPOSITORY_FULL, FORBIDDEN,
 * CATALOG_UNAVAILABLE.
 */
export interface LegalHoldsService {
  place(principal: Principal, input: PlaceLegalHoldInput): Promise<HeldBackup>;
  release(principal: Principal, input: ReleaseLegalHoldInput): Promise<HeldBackup>;
  findMany(principal: Principal, ids: readonly HoldId[]): Promise<(LegalHoldRecord | null)[]>;
  /** For each backup its holds, oldest first. */
  ofBackups(principal: Principal, ids: readonly BackupId[]): Promise<LegalHoldRecord[][]>;
}

export interface LegalHoldsDependencies {
  catalog: Pick<Catalog, 'backups' | 'holds' | 'queue'>;
  repository: Pick<RepositoryPort, 'placeHold' | 'releaseHold'>;
  clock: Clock;
  random: Random;
}

export function createLegalHoldsService(dependencies: LegalHoldsDependencies): LegalHoldsService {
  const { catalog } = dependencies;
  return {
    async place(principal, input) {
      authorize(principal, 'backup:hold');
      const claim = idempotencyClaim(principal, 'placeLegalHold', input);
      const holdId = claim ? holdIdOf(claim) : (dependencies.random.uuid() as HoldId);
      if (!(await isReplay(catalog, claim))) await placeNew(dependencies, { principal, input, claim, holdId });
      const [hold = null] = await catalog.holds.findMany([holdId]);
      return { backup: await catalog.backups.find(input.backupId), hold };
    },
    async release(principal, input) {
      authorize(principal, 'backup:hold');
      const claim = idempotencyClaim(principal, 'releaseLegalHold', input);
      if (!(await isReplay(catalog, claim))) await releaseNow(dependencies, input, claim);
      const [holds = []] = await catalog.holds.ofBackups([input.backupId]);
      return { backup: await catalog.backups.find(input.backupId), hold: holds[0] ?? null };
    },
    async findMany(principal, ids) {
      authorize(principal, 'backup:read');
      return catalog.holds.findMany(ids);
    },
    async ofBackups(principal, ids) {
      authorize(principal, 'backup:read');
      return catalog.holds.ofBackups(ids);
    },
  };
}

/** Whether this very deed was done before; IDEMPOTENCY_KEY_REUSED where the key stands for another one. */
async function isReplay(catalog: LegalHoldsDependencies['catalog'], claim: IdempotencyClaim | null): Promise<boolean> {
  return claim !== null && (await catalog.queue.findReplay(claim)) !== null;
}

/** The same deed has the same hold, so that one that was cut off before its key was written down is not done twice. */
function holdIdOf({ principal, mutation, key, inputHash }: IdempotencyClaim): HoldId {
  const hex = createHash('sha256')
    .update(JSON.stringify([principal, mutation, key, inputHash]))
    .digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  ) as HoldId;
}

interface Placing {
  principal: Principal;
  input: PlaceLegalHoldInput;
  claim: IdempotencyClaim | null;
  holdId: HoldId;
}

async function placeNew(
  { catalog, repository, clock }: LegalHoldsDependencies,
  { principal, input, claim, holdId }: Placing,
): Promise<void> {
  const { backupId } = input;
  const reason = checkInput(input, (problems) => checkHoldReason(input.reason, problems));
  checkStored(await catalog.backups.find(backupId));
  const hold = { holdId, backupId, reason, createdBy: principal.id, createdAt: clock.now().toISOString() };
  const placed = await atBackup(() => repository.placeHold(hold));
  await catalog.holds.add(placed, claim);
}

async function releaseNow(
  { catalog, repository }: LegalHoldsDependencies,
  input: ReleaseLegalHoldInput,
  claim: IdempotencyClaim | null,
): Promise<void> {
  const { backupId } = input;
  checkInput(input, () => undefined);
  const [known = []] = await catalog.holds.ofBackups([backupId]);
  const holdId = input.holdId ?? onlyOne(known).id;
  const released = await repository.releaseHold({ backupId, holdId });
  if (!released && !known.some(({ id }) => id === holdId)) throw noSuchHold(['input', 'holdId']);
  await catalog.holds.remove(holdId, claim);
}

function checkInput<Checked>(input: KeyedInput, check: (problems: InputProblems) => Checked): Checked {
  const problems = new InputProblems();
  const checked = check(problems);
  checkIdempotencyKey(input.idempotencyKey, problems);
  problems.throwIfAny();
  return checked;
}

const BACKUP_PATH = ['input', 'backupId'];

/** NOT_FOUND, or CONFLICT where nothing is stored that could be kept. */
function checkStored(backup: BackupRecord | null): void {
  if (!backup) throw noSuchBackup();
  if (backup.status === 'COMPLETED' || backup.status === 'EXPIRED') return;
  throw new AppError('CONFLICT', `The backup is ${backup.status}: nothing of it is stored.`, {
    hint: 'Place holds on backups that are complete.',
    path: BACKUP_PATH,
  });
}

/** The repository knows ids, not inputs. */
async function atBackup<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isAppError(error) || error.code !== 'NOT_FOUND') throw error;
    throw new AppError('NOT_FOUND', 'Nothing of the backup is stored any more.', {
      cause: error,
      hint: 'List backups to find one that is.',
      path: BACKUP_PATH,
    });
  }
}

function onlyOne(holds: readonly LegalHoldRecord[]): LegalHoldRecord {
  const [hold] = holds;
  if (!hold) throw noSuchHold(BACKUP_PATH);
  if (holds.length === 1) return hold;
  throw new AppError('CONFLICT', `The backup has ${holds.length} legal holds.`, {
    hint: 'Name the one to release by holdId; Backup.legalHolds lists them.',
    path: ['input', 'holdId'],
  });
}

function noSuchHold(path: readonly string[]): AppError {
  return new AppError('NOT_FOUND', 'There is no such legal hold on the backup.', {
    hint: 'Look at Backup.legalHolds.',
    path,
  });
}
