/**
 * A tree of pages built from the bottom up: leaves in order go into pages of level 0, each page's entry into one of the level above, until
 * one page is left. Holds one open page of each level. What pages hold, and where they end, is their own matter.
 */
import { AppError } from '../domain/errors';

/** Stores a page; gives its id. */
export type PutPage = (payload: Buffer) => Promise<Buffer>;

export type ReadPayload = (id: Buffer) => Promise<Buffer>;

/** A page that is being filled. */
export interface OpenPage<Added, Entry> {
  readonly entryCount: number;
  /** True where the page ends after it. */
  add(added: Added): boolean;
  encode(): Buffer;
  /** What the level above says of this page, stored under `id`. */
  asEntry(id: Buffer): Entry;
}

export interface PageForms<Leaf, Entry> {
  openLeaves(): OpenPage<Leaf, Entry>;
  openInner(level: number): OpenPage<Entry, Entry>;
}

interface Level<Added, Entry> {
  open: OpenPage<Added, Entry>;
  closed: number;
  /** The entry of the only page closed so far. */
  only: Entry | null;
}

export class PageTree<Leaf, Entry extends { id: Buffer }> {
  private readonly leaves: Level<Leaf, Entry>;
  private readonly inner: Level<Entry, Entry>[] = [];

  constructor(
    private readonly forms: PageForms<Leaf, Entry>,
    private readonly putPage: PutPage,
  ) {
    this.leaves = { open: forms.openLeaves(), closed: 0, only: null };
  }

  /** To be awaited where a page had to be stored; otherwise nothing: most leaves end no page, and there are millions. */
  add(leaf: Leaf): Promise<void> | undefined {
    return this.leaves.open.add(leaf) ? this.closeLeaves() : undefined;
  }

  /** The id of the root, stored with all others; null for a tree without leaves. */
  async finish(): Promise<Buffer | null> {
    const { open, closed } = this.leaves;
    if (open.entryCount > 0) await this.closeLeaves();
    else if (closed === 0) return null;
    return this.rootAt(this.leaves, 1);
  }

  private async closeLeaves(): Promise<void> {
    const { open } = this.leaves;
    this.leaves.open = this.forms.openLeaves();
    await this.closed(this.leaves, { entry: open.asEntry(await this.putPage(open.encode())), above: 1 });
  }

  private async closeInner(number: number): Promise<void> {
    const level = this.level(number);
    const { open } = level;
    level.open = this.forms.openInner(number);
    await this.closed(level, { entry: open.asEntry(await this.putPage(open.encode())), above: number + 1 });
  }

  /** A page's entry goes to the level above only once a second page proves that there is one. */
  private async closed<Added>(
    level: Level<Added, Entry>,
    { entry, above }: { entry: Entry; above: number },
  ): Promise<void> {
    level.closed++;
    if (level.closed === 1) {
      level.only = entry;
      return;
    }
    if (level.only) await this.addInner(level.only, above);
    level.only = null;
    await this.addInner(entry, above);
  }

  private async addInner(entry: Entry, number: number): Promise<void> {
    if (this.level(number).open.add(entry)) await this.closeInner(number);
  }

  private async rootAt<Added>({ only }: Level<Added, Entry>, above: number): Promise<Buffer> {
    if (only) return only.id;
    const level = this.level(above);
    if (level.open.entryCount > 0) await this.closeInner(above);
    return this.rootAt(level, above + 1);
  }

  private level(number: number): Level<Entry, Entry> {
    if (number > 255) throw new AppError('INTERNAL', 'A tree of pages has no root.');
    return (this.inner[number - 1] ??= { open: this.forms.openInner(number), closed: 0, only: null });
  }
}
