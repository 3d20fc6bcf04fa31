/**
 * Collection of garbage: mark, wait, sweep (FORMAT.md, section 10). The plan is a value; deleting needs the exclusive lease as proof.
 * Everything that cannot be read stops it before the first deletion, and an empty listing authorizes nothing.
 */
import { AppError, isAppError } from '../domain/errors';
import { throwIfCancelled } from './cancellation';
import type { RepositoryContext } from './context';
import { removeExpiredLeases, tryLease, withLease, type Lease } from './leases';
import { ABANDONED_AFTER_MS } from './limits';
import { markName } from './object-names';
import { readManifests } from './manifests';
import { ReachableWalk } from './reachable';
import { isStorageFault, type ObjectInfo } from './storage/storage';

export interface CollectOptions {
  /** Only say what would go; writes nothing. */
  dryRun: boolean;
  signal?: AbortSignal;
}

export interface CollectReport {
  /** Packs that went, or with `dryRun` would go. */
  deletedPacks: number;
  freedBytes: number;
  /** Packs without a reference that wait for their grace period to end. */
  waitingPacks: number;
  waitingBytes: number;
  /** Why nothing was deleted although something could be; null otherwise. */
  postponed: string | null;
}

/** Packs without a reference, and of them those whose grace period is over. */
interface CollectPlan {
  unreferenced: ObjectInfo[];
  due: ObjectInfo[];
  /** Unreferenced packs that no mark names yet. */
  unmarked: ObjectInfo[];
  marks: Mark[];
}

interface Mark {
  name: string;
  createdAtMs: number;
  packs: string[];
}

export async function collectGarbage(context: RepositoryContext, options: CollectOptions): Promise<CollectReport> {
  const { signal } = options;
  const marking = { kind: 'SHARED', purpose: 'collection: marking', signal } as const;
  if (options.dryRun) return withLease(context, marking, async () => report(await plan(context, signal), null));
  const marked = await withLease(context, marking, async () => {
    const found = await plan(context, signal);
    if (found.unmarked.length > 0) await writeMark(context, found.unmarked);
    return found;
  });
  return sweepExclusively(context, marked, signal);
}

async function sweepExclusively(
  context: RepositoryContext,
  marked: CollectPlan,
  signal?: AbortSignal,
): Promise<CollectReport> {
  const lease = await tryLease(context, { kind: 'EXCLUSIVE', purpose: 'collection: sweeping', signal });
  if (!lease) {
    const postponed = marked.due.length > 0 ? 'Other work uses the repository now; the packs go next time.' : null;
    return report({ ...marked, due: [] }, postponed);
  }
  try {
    const found = await plan(context, signal);
    await sweep(context, { lease, found, signal });
    return report(found, null);
  } finally {
    await lease.release();
  }
}

function report({ unreferenced, due }: CollectPlan, postponed: string | null): CollectReport {
  const sum = (packs: readonly ObjectInfo[]): number => packs.reduce((bytes, pack) => bytes + pack.sizeBytes, 0);
  return {
    deletedPacks: due.length,
    freedBytes: sum(due),
    waitingPacks: unreferenced.length - due.length,
    waitingBytes: sum(unreferenced) - sum(due),
    postponed,
  };
}

/** Reads everything that decides. Packs are listed before manifests: what is written in between is in no candidate list. */
async function plan(context: RepositoryContext, signal?: AbortSignal): Promise<CollectPlan> {
  const packs = new Map<string, ObjectInfo>();
  for await (const pack of context.objects.storage.list('packs/')) packs.set(pack.name, pack);
  await context.packs.refresh();
  const referenced = await referencedPacks(context, signal);
  const known = new Set(context.packs.packNames());
  const marks = await readMarks(context);
  const unreferenced = [...packs.values()].filter(({ name }) => !referenced.has(name) && known.has(name));
  const now = context.clock.now().getTime();
  const isMarked = (name: string): boolean => marks.some((mark) => mark.packs.includes(name));
  const isDue = (name: string): boolean =>
    marks.some((mark) => mark.packs.includes(name) && now - mark.createdAtMs >= context.settings.gracePeriodMs);
  return {
    unreferenced,
    due: unreferenced.filter(({ name }) => isDue(name)),
    unmarked: unreferenced.filter(({ name }) => !isMarked(name)),
    marks,
  };
}

async function referencedPacks(context: RepositoryContext, signal?: AbortSignal): Promise<Set<string>> {
  const { packs, objects } = context;
  const referenced = new Set<string>();
  const onChunk = (id: Buffer): void => packs.holdersOf(id).forEach((name) => referenced.add(name));
  const walk = new ReachableWalk((id) => packs.read(id), { onChunk }, signal);
  let manifests = 0;
  const stop = (name: string, cause: unknown): never => {
    throw new AppError('INTEGRITY_FAILURE', `Nothing was deleted, because "${name}" cannot be read.`, {
      cause,
      hint: 'Run a check of the repository; delete or repair what it names, then clean up again.',
    });
  };
  for await (const { manifest } of readManifests(objects, stop)) {
    manifests++;
    await walk.manifest(manifest);
  }
  if (manifests === 0) for (const name of packs.packNames()) referenced.add(name); // an empty listing authorizes nothing
  return referenced;
}

async function readMarks({ objects }: RepositoryContext): Promise<Mark[]> {
  const marks: Mark[] = [];
  for await (const { name } of objects.storage.list('marks/')) {
    const mark = await readMark(name, () => objects.get(name));
    if (mark) marks.push(mark);
  }
  return marks;
}

/** A mark that cannot be read counts as none: its packs are marked anew and wait again. */
async function readMark(name: string, read: () => Promise<unknown>): Promise<Mark | null> {
  try {
    const { createdAt, packs } = (await read()) as { createdAt: string; packs: string[] };
    return { name, createdAtMs: Date.parse(createdAt), packs };
  } catch (error) {
    if (isStorageFault(error, 'UNAVAILABLE') || !isAppError(error)) throw error;
    return null;
  }
}

async function writeMark(context: RepositoryContext, packs: readonly ObjectInfo[]): Promise<void> {
  const createdAt = context.clock.now().toISOString();
  const markId = context.random.uuid();
  await context.objects.put(markName(createdAt, markId), { markId, createdAt, packs: packs.map(({ name }) => name) });
}

interface SweepOptions {
  /** The proof that nobody else works here. */
  lease: Lease;
  found: CollectPlan;
  signal: AbortSignal | undefined;
}

async function sweep(context: RepositoryContext, { lease, found, signal }: SweepOptions): Promise<void> {
  const { storage } = context.objects;
  const gone = new Set<string>();
  await removeExpiredLeases(context, lease);
  await storage.removeAbandoned(new Date(context.clock.now().getTime() - ABANDONED_AFTER_MS));
  for (const { name } of found.due) {
    throwIfCancelled(signal);
    await lease.assertHeld();
    await storage.delete(name);
    gone.add(name);
  }
  context.packs.forget((name) => gone.has(name));
  const waiting = new Set(found.unreferenced.map(({ name }) => name).filter((name) => !gone.has(name)));
  for (const mark of found.marks) if (!mark.packs.some((name) => waiting.has(name))) await storage.delete(mark.name);
}
