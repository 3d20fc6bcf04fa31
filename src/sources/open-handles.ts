/** What of a source is open, a read or a writer each: whoever closes the source ends all that nobody has ended yet. */
export class OpenHandles {
  private readonly ends = new Set<() => Promise<void>>();

  /** Opens something. It calls `onEnd` when it is over, whatever way; `end` ends it before that, and must be idempotent. */
  async track<Handle>(
    open: (onEnd: () => void) => Promise<Handle>,
    end: (handle: Handle) => Promise<void>,
  ): Promise<Handle> {
    const endThis = (): Promise<void> => end(handle);
    const handle = await open(() => this.ends.delete(endThis));
    this.ends.add(endThis);
    return handle;
  }

  /** Ends all of them, also when one can't be; then throws what went wrong first. Idempotent. */
  async endAll(): Promise<void> {
    const ends = [...this.ends];
    this.ends.clear();
    const failed = (await Promise.allSettled(ends.map((end) => end()))).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }
}
