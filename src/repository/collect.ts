/**
 * Collection of garbage: mark, wait, sweep, and rewrite what is mostly garbage (FORMAT.md, section 10). The plan is a value; deleting
 * needs the exclusive lease as proof. Everything that cannot be read stops it before the first deletion, and an empty listing
 * authorizes nothing.
 */
import { AppError, isAppError } from '../domain/errors';
import { throwIfCancelled } from './cancellation';
import { livingChangeSets, removeExpiredChangeSets } from './change-sets';
import { CopyReader } from './chunk-copy';
import { ChunkUsage, type PackUse } from './chunk-usage';
import type { RepositoryContext } from './context';
import { removeExpiredLeases, tryLease, withLease, type Lease } from './leases';
import { ABANDONED_AFTER_MS } from './limits';
import { readManifests, removeAllSuperseded } from './manifests';
import { readMarks, tidyMarks, writeMark, type Marks } from './marks';
import type { PackSnapshot } from './pack-set';
import { ReachableWalk } from './reachable';
import { packsToRewrite, rewritePacks, thatFit, type RewriteResult } from './rewrite';

export interface CollectOptions {
  /** Only say what would go; writes nothing. */
  dryRun: boolean;
  signal?: AbortSignal;
}

export interface CollectReport {
  /** Packs that went, or with `dryRun` would go. */
  deletedPacks: number;
  freedBytes: number;
  /** Packs of which nothing is needed, that wait for their grace period to end. */
  waitingPacks: number;
  waitingBytes: number;
  /** Packs, mostly dead or small, whose needed chunks were copied into new packs, or with `dryRun` would be; they wait now. */
  rewrittenPacks: number;
  /** Bytes of the new packs. */
  rewrittenBytes: number;
  /** Packs that should be rewritten and were left alone, since chunks of them cannot be read. */
  damagedPacks: string[];
  /** Why something was not done that could be; null otherwise. */
  postponed: string | null;
}

/** What decides, as it was read. */
interface Findings {
  snapshot: PackSnapshot;
  usage: ChunkUsage;
  marks: Marks;
  hasManifests: boolean;
}

/** Packs of which nothing is needed, and of them those whose grace period is over. */
interface CollectPlan extends Findings {
  uses: PackUse[];
  unneeded: PackUse[];
  due: PackUse[];
}

interface Swept {
  plan: CollectPlan;
  deleted: PackUse[];
  postponed: string | null;
}

const NOTHING_REWRITTEN: RewriteResult = { superseded: [], damaged: [], writtenBytes: 0 };

export async function collectGarbage(context: RepositoryContext, options: CollectOptions): Promise<CollectReport> {
  const { signal } = options;
  const marking = { kind: 'SHARED', purpose: 'collection: marking', signal } as const;
  if (options.dryRun) return withLease(context, marking, async () => preview(context, await read(context, signal)));
  const marked = await withLease(context, marking, () => mark(context, signal));
  const swept = await sweepExclusively(context, marked, signal); // first, since rewriting needs the room
  return rewriteAfter(context, swept, signal);
}

function preview(context: RepositoryContext, findings: Findings): CollectReport {
  const plan = decide(context, findings);
  const packs = packsToRewrite(plan.uses, context.packTargetBytes);
  const rewritten = { superseded: packs, damaged: [], writtenBytes: sum(packs, ({ neededBytes }) => neededBytes) };
  return { ...report({ plan, deleted: plan.due, postponed: null }, rewritten), ...waiting(plan.unneeded, plan.due) };
}

async function mark(context: RepositoryContext, signal?: AbortSignal): Promise<CollectPlan> {
  await removeExpiredChangeSets(context, stop);
  const plan = await proven(context, await read(context, signal), signal);
  const now = context.clock.now().getTime();
  const unmarked = plan.unneeded.filter(({ name }) => !plan.marks.namedBy(name, now));
  await writeMark(context, unmarked.map(({ name }) => name)); // prettier-ignore
  return plan;
}

async function sweepExclusively(context: RepositoryContext, marked: CollectPlan, signal?: AbortSignal): Promise<Swept> {
  const lease = await tryLease(context, { kind: 'EXCLUSIVE', purpose: 'collection: sweeping', signal });
  if (!lease) {
    const postponed = marked.due.length > 0 ? 'Other work uses the repository now; the packs go next time.' : null;
    return { plan: marked, deleted: [], postponed };
  }
  try {
    const plan = decide(context, await read(context, signal));
    const deleted = replaceable(plan);
    await sweep(context, { lease, plan, deleted, signal });
    return { plan, deleted, postponed: null };
  } finally {
    await lease.release();
  }
}

/** Packs that are gone can't be undone: from then on a failure to rewrite is told, not thrown. */
async function rewriteAfter(context: RepositoryContext, swept: Swept, signal?: AbortSignal): Promise<CollectReport> {
  try {
    return report(swept, await rewrite(context, swept.plan, signal));
  } catch (error) {
    const mayWait = isAppError(error) && (swept.deleted.length > 0 || error.code === 'REPOSITORY_FULL');
    if (!mayWait) throw error;
    context.log.warn('Packs were not rewritten', { error });
    return report({ ...swept, postponed: `Packs are rewritten next time: ${error.message}` }, NOTHING_REWRITTEN);
  }
}

async function rewrite(context: RepositoryContext, plan: CollectPlan, signal?: AbortSignal): Promise<RewriteResult> {
  const packs = await thatFit(context, packsToRewrite(plan.uses, context.packTargetBytes));
  if (packs.length === 0) return NOTHING_REWRITTEN;
  return withLease(context, { kind: 'SHARED', purpose: 'collection: rewriting', signal }, async () => {
    const result = await rewritePacks(context, { ...plan, packs, signal });
    await writeMark(context, result.superseded.map(({ name }) => name)); // prettier-ignore
    return result;
  });
}

function sum(packs: readonly PackUse[], of: (pack: PackUse) => number): number {
  return packs.reduce((total, pack) => total + of(pack), 0);
}

const sizeOf = ({ sizeBytes }: PackUse): number => sizeBytes;

function waiting(
  unneeded: readonly PackUse[],
  deleted: readonly PackUse[],
): Pick<CollectReport, 'waitingPacks' | 'waitingBytes'> {
  return { waitingPacks: unneeded.length - deleted.length, waitingBytes: sum(unneeded, sizeOf) - sum(deleted, sizeOf) };
}

function report({ plan, deleted, postponed }: Swept, rewritten: RewriteResult): CollectReport {
  return {
    deletedPacks: deleted.length,
    freedBytes: sum(deleted, sizeOf),
    ...waiting([...plan.unneeded, ...rewritten.superseded], deleted),
    rewrittenPacks: rewritten.superseded.length,
    rewrittenBytes: rewritten.writtenBytes,
    damagedPacks: rewritten.damaged.map(({ name }) => name),
    postponed,
  };
}

/** Reads everything that decides. Packs are listed before manifests: what is written in between is in no candidate list. */
async function read(context: RepositoryContext, signal?: AbortSignal): Promise<Findings> {
  await context.packs.refresh();
  const snapshot = context.packs.snapshot();
  const usage = new ChunkUsage(snapshot);
  const hasManifests = await reach(context, usage, signal);
  return { snapshot, usage, hasManifests, marks: await readMarks(context) };
}

function stop(name: string, cause: unknown): never {
  throw new AppError('INTEGRITY_FAILURE', `Nothing was deleted, because "${name}" cannot be read.`, {
    cause,
    hint: 'Run a check of the repository; delete or repair what it names, then clean up again.',
  });
}

/** Notes what all manifests and change sets reach; whether there is any manifest. */
async function reach(context: RepositoryContext, usage: ChunkUsage, signal?: AbortSignal): Promise<boolean> {
  const walk = new ReachableWalk((id) => context.packs.read(id), usage, signal);
  let hasManifests = false;
  for await (const { manifest } of readManifests(context.objects, stop)) {
    hasManifests = true;
    await walk.manifest(manifest);
  }
  for await (const { changeSet } of livingChangeSets(context, stop)) await walk.changeSet(changeSet);
  return hasManifests;
}

function decide(context: RepositoryContext, findings: Findings): CollectPlan {
  const { usage, marks, hasManifests } = findings;
  const uses = hasManifests ? usage.choose((name) => marks.names(name)) : []; // an empty listing authorizes nothing
  const unneeded = uses.filter(({ neededChunks }) => neededChunks === 0);
  const dueBefore = context.clock.now().getTime() - context.settings.gracePeriodMs;
  const due = unneeded.filter(({ name }) => marks.namedBy(name, dueBefore));
  return { ...findings, uses, unneeded, due };
}

/**
 * A plan in which every chunk that a due pack leaves to another was read there and found sound: done under the shared lease, so that the
 * exclusive one is short.
 */
async function proven(context: RepositoryContext, findings: Findings, signal?: AbortSignal): Promise<CollectPlan> {
  const reader = new CopyReader(context, findings.snapshot);
  const sound = new Set<number>();
  for (;;) {
    const plan = decide(context, findings);
    let isSound = true;
    for (const { needed } of plan.usage.sparesIn(numbersOf(plan.due))) {
      throwIfCancelled(signal);
      if (sound.has(needed)) continue;
      if (await reader.read(needed)) sound.add(needed);
      else isSound = false;
    }
    if (isSound) return plan;
  }
}

function numbersOf(packs: readonly PackUse[]): Set<number> {
  return new Set(packs.map(({ number }) => number));
}

/** Of the packs that are due those whose every reachable chunk has another copy that was read. */
function replaceable({ due, usage, snapshot }: CollectPlan): PackUse[] {
  const unproven = new Set<number>();
  for (const { pack, needed } of usage.sparesIn(numbersOf(due))) {
    if (!snapshot.index.isProven(needed)) unproven.add(pack);
  }
  return due.filter(({ number }) => !unproven.has(number));
}

interface SweepOptions {
  /** The proof that nobody else works here. */
  lease: Lease;
  plan: CollectPlan;
  deleted: readonly PackUse[];
  signal: AbortSignal | undefined;
}

async function sweep(context: RepositoryContext, { lease, plan, deleted, signal }: SweepOptions): Promise<void> {
  const { storage } = context.objects;
  const gone = new Set<string>();
  await removeExpiredLeases(context, lease);
  await removeAllSuperseded(context.objects); // before any pack that they alone may need
  await storage.removeAbandoned(new Date(context.clock.now().getTime() - ABANDONED_AFTER_MS));
  for (const { name } of deleted) {
    throwIfCancelled(signal);
    await lease.assertHeld();
    await storage.delete(name);
    gone.add(name);
  }
  context.packs.forget((name) => gone.has(name));
  const stays = new Set(plan.unneeded.map(({ name }) => name).filter((name) => !gone.has(name)));
  await tidyMarks(context, plan.marks, (name) => stays.has(name));
}
