/**
 * The line in which writes to one SQLite file wait for each other. All connections that this process has to a file share one:
 * SQLite's own waiting blocks the thread, and so would wait for a transaction that can't go on meanwhile.
 */
import { existsSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';

const lines = new Map<string, WriteLine>();

export class WriteLine {
  private last: Promise<unknown> = Promise.resolve();
  private users = 0;

  private constructor(private readonly path: string) {}

  static join(path: string): WriteLine {
    const key = existsSync(path) ? realpathSync(path) : resolve(path);
    const line = lines.get(key) ?? new WriteLine(key);
    lines.set(key, line);
    line.users += 1;
    return line;
  }

  /** Runs `work` after everything that stood in line before it. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.last.then(work);
    this.last = turn.catch(() => undefined); // because its own caller gets the error; the line goes on
    return turn;
  }

  /** Resolves once everything in line has ended. */
  async idle(): Promise<void> {
    await this.last;
  }

  leave(): void {
    this.users -= 1;
    if (this.users === 0) lines.delete(this.path);
  }
}
