/** Marks: which packs collections found without a need, and since when (FORMAT.md, section 10). */
import { isAppError } from '../domain/errors';
import type { RepositoryContext } from './context';
import { markName } from './object-names';
import { isStorageFault } from './storage/storage';

interface Mark {
  name: string;
  createdAt: string;
  packs: string[];
}

export class Marks {
  private readonly firstMs = new Map<string, number>();

  constructor(readonly all: readonly Mark[]) {
    for (const { createdAt, packs } of all) for (const pack of packs) this.note(pack, Date.parse(createdAt));
  }

  private note(pack: string, ms: number): void {
    this.firstMs.set(pack, Math.min(ms, this.firstMs.get(pack) ?? ms));
  }

  names(pack: string): boolean {
    return this.firstMs.has(pack);
  }

  /** Whether a mark of that moment or before names the pack. One of a clock that ran ahead says nothing until then. */
  namedBy(pack: string, ms: number): boolean {
    return (this.firstMs.get(pack) ?? Infinity) <= ms;
  }
}

export async function readMarks({ objects }: RepositoryContext): Promise<Marks> {
  const marks: Mark[] = [];
  for await (const { name } of objects.storage.list('marks/'))
    marks.push(await readMark(name, () => objects.get(name)));
  return new Marks(marks);
}

/** A mark that cannot be read names no packs: they are marked anew and wait again. */
async function readMark(name: string, read: () => Promise<unknown>): Promise<Mark> {
  try {
    const { createdAt, packs } = (await read()) as { createdAt: string; packs: string[] };
    return { name, createdAt, packs };
  } catch (error) {
    if (isStorageFault(error, 'UNAVAILABLE') || !isAppError(error)) throw error;
    return { name, createdAt: '', packs: [] };
  }
}

export async function writeMark(context: RepositoryContext, packs: readonly string[]): Promise<void> {
  if (packs.length > 0) await putMark(context, packs, context.clock.now().toISOString());
}

async function putMark(context: RepositoryContext, packs: readonly string[], createdAt: string): Promise<void> {
  const markId = context.random.uuid();
  await context.objects.put(markName(createdAt, markId), { markId, createdAt, packs });
}

/**
 * Leaves in marks only packs that still wait, with their time, and no mark without any: one that is needed again starts its grace period anew when it is not.
 * Under the exclusive lease, so that nobody reads halfway; a crash in between leaves a pack in two marks of the same time.
 */
export async function tidyMarks(
  context: RepositoryContext,
  marks: Marks,
  isWaiting: (pack: string) => boolean,
): Promise<void> {
  for (const { name, createdAt, packs } of marks.all) {
    const waiting = packs.filter(isWaiting);
    if (packs.length > 0 && waiting.length === packs.length) continue;
    if (waiting.length > 0) await putMark(context, waiting, createdAt);
    await context.objects.storage.delete(name);
  }
}
