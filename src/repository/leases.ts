/**
 * Leases: who works in the repository now (FORMAT.md, section 10). Shared ones for writing and checking, an exclusive one for deleting
 * packs. Both sides write their lease first and look second, so that of two that conflict at least one sees the other.
 */
import type { Clock, Log, Random } from '../domain/ambient';
import { AppError } from '../domain/errors';
import { CLOCK_SKEW_MS, LEASE_ATTEMPTS, LEASE_MS, LEASE_RENEWAL_MS, LEASE_RETRY_MS } from './limits';
import type { ObjectStore } from './object-store';
import { classify, lockName } from './object-names';
import { isStorageFault } from './storage/storage';

export type LeaseKind = 'SHARED' | 'EXCLUSIVE';

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
}

/** Proof that the repository is ours; what deletes packs asks for one of kind EXCLUSIVE. */
export class Lease {
  readonly kind: LeaseKind;
  readonly purpose: string;
  private renewal = 0;
  private expiresAtMs = 0;
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

  /** Writes the first renewal. */
  async write(): Promise<void> {
    const { objects, clock } = this.deps;
    const acquiredAt = clock.now();
    const expiresAtMs = acquiredAt.getTime() + LEASE_MS;
    await objects.put(this.name(), {
      leaseId: this.id,
      kind: this.kind,
      purpose: this.purpose,
      renewal: this.renewal,
      acquiredAt: acquiredAt.toISOString(),
      expiresAt: new Date(expiresAtMs).toISOString(),
    });
    this.expiresAtMs = expiresAtMs;
  }

  private name(): string {
    return lockName(this.kind, this.id, this.renewal);
  }

  /** Keeps it alive until `release`. */
  startRenewing(): void {
    this.renewing = this.renewLoop().catch((error: unknown) => {
      if (!this.stop.signal.aborted) this.deps.log.warn('A lease could not be renewed', { lease: this.id, error });
    });
  }

  private async renewLoop(): Promise<void> {
    const { clock } = this.deps;
    for (let last = clock.monotonicMs(); ; last = clock.monotonicMs()) {
      await clock.sleep(LEASE_RENEWAL_MS, this.stop.signal);
      if (this.stop.signal.aborted || clock.monotonicMs() <= last) return; // a clock that stands still expires nothing
      await this.renew();
    }
  }

  private async renew(): Promise<void> {
    const before = this.name();
    this.renewal++;
    await this.write();
    await this.deps.objects.storage.delete(before);
  }

  /** Throws LEASE_LOST unless the lease is there and in force. */
  async assertHeld(): Promise<void> {
    const found = await this.deps.objects.storage.stat(this.name());
    if (found && this.deps.clock.now().getTime() < this.expiresAtMs) return;
    throw new AppError('LEASE_LOST', `The repository lease for ${this.purpose} has expired.`, {
      retryable: true,
      hint: 'The work was held up for longer than its lease; it can be tried again.',
    });
  }

  /** Idempotent. A failure leaves a lease that expires by itself. */
  async release(): Promise<void> {
    if (this.stop.signal.aborted) return;
    this.stop.abort();
    await this.renewing;
    try {
      await this.deps.objects.storage.delete(this.name());
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
    if (await isBlocked(deps, lease)) {
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

/** The lease, waiting a while for conflicting ones to go; REPOSITORY_UNAVAILABLE (retryable) when they do not. */
export async function acquireLease(deps: LeaseDeps, request: LeaseRequest): Promise<Lease> {
  for (let attempt = 1; attempt <= LEASE_ATTEMPTS; attempt++) {
    const lease = await tryLease(deps, request);
    if (lease) return lease;
    if (attempt < LEASE_ATTEMPTS) await deps.clock.sleep(LEASE_RETRY_MS, request.signal);
  }
  throw new AppError('REPOSITORY_UNAVAILABLE', 'The repository is locked by other work.', {
    retryable: true,
    hint: 'Try again later; a lease left by a crashed process expires within 15 minutes.',
  });
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

interface FoundLease {
  name: string;
  leaseId: string;
  kind: LeaseKind;
}

async function isBlocked(deps: LeaseDeps, own: Lease): Promise<boolean> {
  for (const other of await listLeases(deps.objects)) {
    if (other.leaseId === own.id) continue;
    if (own.kind === 'SHARED' && other.kind === 'SHARED') continue;
    if (await isInForce(deps, other)) return true;
  }
  return false;
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

/** Milliseconds since the epoch; null when the lease is gone. One that can't be read counts from when it was written. */
async function expiryOf(objects: ObjectStore, name: string): Promise<number | null> {
  try {
    const { expiresAt } = (await objects.get(name)) as { expiresAt?: unknown };
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
