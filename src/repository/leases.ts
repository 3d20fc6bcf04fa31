/**
 * Leases: who works in the repository now (FORMAT.md, section 10). Shared ones for writing and checking, an exclusive one for deleting
 * packs. Both sides write their lease first and look second, so that of two that conflict at least one sees the other.
 */
import type { Clock, Log, Random } from '../domain/ambient';
import { AppError } from '../domain/errors';
import { isOwnerGone, thisOwner } from './lease-owner';
import { CLOCK_SKEW_MS, LEASE_MS, LEASE_RENEWAL_MS, LEASE_RETRY_MS, LEASE_WAIT_MS } from './limits';
import type { ObjectStore } from './object-store';
import { classify, lockName } from './object-names';
import { isStorageFault } from './storage/storage';

export type LeaseKind = 'SHARED' | 'EXCLUSIVE';

/** Renewals that are kept: whoever lists while the next one is written sees the one before it. */
const STORED_RENEWALS = 2;

export interface LeaseDeps {
  objects: ObjectStore;
  clock: Clock;
  random: Random;
  log: Log;
}

export interface LeaseRequest {
  kind: LeaseKind;
  purpose: string;
  signal?: AbortSignal;
  /** Called once, when other work has to be waited for. */
  onWaiting?(): void;
}

/** Proof that the repository is ours; what deletes packs asks for one of kind EXCLUSIVE. */
export class Lease {
  readonly kind: LeaseKind;
  readonly purpose: string;
  private renewal = -1;
  /** Renewals that may be stored, oldest first. */
  private readonly stored: number[] = [];
  private expiresAtMs = Infinity;
  private ranOut = false;
  private readonly stop = new AbortController();
  private renewing: Promise<void> = Promise.resolve();

  constructor(
    private readonly deps: LeaseDeps,
    { kind, purpose }: LeaseRequest,
    readonly id: string,
  ) {
    this.kind = kind;
    this.purpose = purpose;
  }

  /** Writes the next renewal; it counts once it is durable. */
  async write(): Promise<void> {
    const { objects, clock } = this.deps;
    const acquiredAt = clock.now();
    const expiresAtMs = acquiredAt.getTime() + LEASE_MS;
    this.stored.push(++this.renewal);
    await objects.put(this.name(this.renewal), {
      leaseId: this.id,
      kind: this.kind,
      purpose: this.purpose,
      owner: thisOwner(),
      renewal: this.renewal,
      acquiredAt: acquiredAt.toISOString(),
      expiresAt: new Date(expiresAtMs).toISOString(),
    });
    if (this.isInTime()) this.expiresAtMs = expiresAtMs;
  }

  /** One that ran out once, e.g. while its machine was suspended, stays lost: others have worked as if it were not there. */
  isInTime(): boolean {
    if (this.deps.clock.now().getTime() >= this.expiresAtMs) this.ranOut = true;
    return !this.ranOut;
  }

  private name(renewal: number): string {
    return lockName(this.kind, this.id, renewal);
  }

  /** Keeps it alive until `release`. */
  startRenewing(): void {
    this.renewing = this.renewLoop().catch((error: unknown) => {
      if (!this.stop.signal.aborted) this.deps.log.warn('A lease is not renewed any more', { lease: this.id, error });
    });
  }

  private async renewLoop(): Promise<void> {
    const { clock } = this.deps;
    for (let last = clock.monotonicMs(); ; last = clock.monotonicMs()) {
      await clock.sleep(LEASE_RENEWAL_MS, this.stop.signal);
      if (this.stop.signal.aborted || clock.monotonicMs() <= last) return; // a clock that stands still expires nothing
      if (!this.isInTime()) return this.deps.log.warn('A lease ran out', { lease: this.id, purpose: this.purpose });
      await this.renew();
    }
  }

  /** A renewal that fails is one missed: the next may succeed before the lease runs out. */
  private async renew(): Promise<void> {
    try {
      await this.write();
      await this.removeAllBut(STORED_RENEWALS);
    } catch (error) {
      this.deps.log.warn('A lease could not be renewed; it is tried again', { lease: this.id, error });
    }
  }

  private async removeAllBut(newest: number): Promise<void> {
    while (this.stored.length > newest) {
      await this.deps.objects.storage.delete(this.name(this.stored[0] as number));
      this.stored.shift();
    }
  }

  /** Throws LEASE_LOST unless the lease is there and in force. */
  async assertHeld(): Promise<void> {
    if (!(await this.isStored())) throw this.lost();
    this.assertInTime();
  }

  /** Throws LEASE_LOST where it ran out. Looks at the clock alone. */
  assertInTime(): void {
    if (!this.isInTime()) throw this.lost();
  }

  private lost(): AppError {
    return new AppError('LEASE_LOST', `The repository lease for ${this.purpose} has expired.`, {
      retryable: true,
      hint: 'The work was held up for longer than its lease; it can be tried again.',
    });
  }

  private async isStored(): Promise<boolean> {
    for (const renewal of this.stored) if (await this.deps.objects.storage.stat(this.name(renewal))) return true;
    return false;
  }

  /** Idempotent. A failure leaves a lease that expires by itself. */
  async release(): Promise<void> {
    if (this.stop.signal.aborted) return;
    this.stop.abort();
    await this.renewing;
    try {
      await this.removeAllBut(0);
    } catch (error) {
      this.deps.log.warn('A lease could not be released; it will expire', { lease: this.id, error });
    }
  }
}

/** The lease, or null when a conflicting one is in force. */
export async function tryLease(deps: LeaseDeps, request: LeaseRequest): Promise<Lease | null> {
  const lease = new Lease(deps, request, deps.random.uuid());
  try {
    await lease.write();
    if (await findBlocker(deps, lease)) {
      await lease.release();
      return null;
    }
  } catch (error) {
    await lease.release();
    throw error;
  }
  lease.startRenewing();
  return lease;
}

/**
 * The lease, waiting for conflicting ones to go for longer than one that a crash left can be in force; then
 * REPOSITORY_UNAVAILABLE (retryable). Who waits only looks, and so keeps nobody else from the repository.
 */
export async function acquireLease(deps: LeaseDeps, request: LeaseRequest): Promise<Lease> {
  const { clock } = deps;
  const first = await tryLease(deps, request);
  if (first) return first;
  request.onWaiting?.();
  const { kind, signal } = request;
  let blocker: FoundLease | null = null;
  for (const deadline = clock.monotonicMs() + LEASE_WAIT_MS; clock.monotonicMs() < deadline;) {
    await clock.sleep(LEASE_RETRY_MS, signal);
    blocker = await findBlocker(deps, { kind });
    const lease = blocker ? null : await tryLease(deps, request);
    if (lease) return lease;
  }
  throw new AppError(
    'REPOSITORY_UNAVAILABLE',
    `The repository is locked by other work (${blocker?.name ?? 'locks/'}).`,
    {
      retryable: true,
      hint: 'Try again when the cleanup that runs now has ended.',
    },
  );
}

/**
 * For reading. A full or read-only repository gives no lease, and must be readable all the more; nobody else can lock it for deletion
 * either, for that takes a lease too.
 */
export async function acquireReadLease(deps: LeaseDeps, request: LeaseRequest): Promise<Pick<Lease, 'release'>> {
  try {
    return await acquireLease(deps, request);
  } catch (error) {
    if (!isStorageFault(error, 'FULL') && !isStorageFault(error, 'UNAVAILABLE')) throw error;
    deps.log.warn('The repository takes no lease; it is read without one', { purpose: request.purpose, error });
    return { release: () => Promise.resolve() };
  }
}

/** Runs `work` under a lease of its own and gives it up afterwards. */
export async function withLease<T>(
  deps: LeaseDeps,
  request: LeaseRequest,
  work: (lease: Lease) => Promise<T>,
): Promise<T> {
  const lease = await acquireLease(deps, request);
  try {
    return await work(lease);
  } finally {
    await lease.release();
  }
}

/** Whether a lease in force is for this purpose; one that can't be read may be for any. */
export async function hasLeaseFor(deps: LeaseDeps, purpose: string): Promise<boolean> {
  for (const lease of await listLeases(deps.objects)) {
    if ((await mayBeFor(deps.objects, { lease, purpose })) && (await isInForce(deps, lease))) return true;
  }
  return false;
}

async function mayBeFor(
  objects: ObjectStore,
  { lease, purpose }: { lease: FoundLease; purpose: string },
): Promise<boolean> {
  try {
    return ((await objects.get(lease.name)) as { purpose?: unknown }).purpose === purpose;
  } catch (error) {
    if (isStorageFault(error, 'UNAVAILABLE')) throw error;
    return !isStorageFault(error, 'MISSING');
  }
}

interface FoundLease {
  name: string;
  leaseId: string;
  kind: LeaseKind;
}

/** A lease in force that conflicts with one of this kind. */
async function findBlocker(deps: LeaseDeps, own: { kind: LeaseKind; id?: string }): Promise<FoundLease | null> {
  for (const other of await listLeases(deps.objects)) {
    if (other.leaseId === own.id) continue;
    if (own.kind === 'SHARED' && other.kind === 'SHARED') continue;
    if (await isInForce(deps, other)) return other;
  }
  return null;
}

async function listLeases(objects: ObjectStore): Promise<FoundLease[]> {
  const found: FoundLease[] = [];
  for await (const { name } of objects.storage.list('locks/')) {
    const parsed = classify(name);
    if (parsed?.kind === 'LOCK') found.push({ name, leaseId: parsed.leaseId, kind: parsed.lease });
  }
  return found;
}

async function isInForce(deps: LeaseDeps, lease: FoundLease): Promise<boolean> {
  const expiresAt = await expiryOf(deps.objects, lease.name);
  return expiresAt !== null && deps.clock.now().getTime() < expiresAt + CLOCK_SKEW_MS;
}

/**
 * Milliseconds since the epoch; null when the lease is gone, or its holder is. One that can't be read counts from when it was
 * written.
 */
async function expiryOf(objects: ObjectStore, name: string): Promise<number | null> {
  try {
    const { expiresAt, owner } = (await objects.get(name)) as { expiresAt?: unknown; owner?: unknown };
    if (isOwnerGone(owner)) return null;
    const time = Date.parse(String(expiresAt));
    if (!Number.isNaN(time)) return time;
  } catch (error) {
    if (isStorageFault(error, 'MISSING')) return null;
    if (isStorageFault(error, 'UNAVAILABLE')) throw error;
  }
  const found = await objects.storage.stat(name);
  return found && found.modifiedAt.getTime() + LEASE_MS;
}

/** Removes leases that are no longer in force; the holder of the exclusive lease does it. */
export async function removeExpiredLeases(deps: LeaseDeps, own: Lease): Promise<void> {
  for (const lease of await listLeases(deps.objects)) {
    if (lease.leaseId === own.id || (await isInForce(deps, lease))) continue;
    await deps.objects.storage.delete(lease.name);
  }
}
