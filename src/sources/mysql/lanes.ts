/** A pool of sessions that do one thing at a time: who wants one waits until one is free. */
import { AppError } from '../../domain/errors';
import { throwIfAborted } from './errors';
import type { Session } from './session';

export class Lanes {
  private readonly free: Session[];
  private readonly waiting: { resolve: (session: Session) => void; reject: (error: AppError) => void }[] = [];
  private closed: AppError | null = null;

  constructor(readonly sessions: readonly Session[]) {
    this.free = [...sessions];
  }

  async take(signal?: AbortSignal): Promise<Session> {
    throwIfAborted(signal);
    if (this.closed) throw this.closed;
    const session = this.free.pop();
    if (session) return session;
    const ended = this.allEnded();
    if (ended) throw ended;
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  /** Puts a session back; one that ended makes everybody fail once it was the last. */
  give(session: Session): void {
    if (session.ended) {
      const failure = this.allEnded();
      if (failure) this.fail(failure);
      return;
    }
    const next = this.waiting.shift();
    if (next) next.resolve(session);
    else this.free.push(session);
  }

  async use<T>(work: (session: Session) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const session = await this.take(signal);
    try {
      return await work(session);
    } finally {
      this.give(session);
    }
  }

  private allEnded(): AppError | null {
    return this.sessions.every(({ ended }) => ended !== null) ? (this.sessions[0]?.ended ?? noLane()) : null;
  }

  private fail(error: AppError): void {
    this.closed ??= error;
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }

  /** Cuts every session; work under way fails with `reason`. Idempotent. */
  destroy(reason: AppError): void {
    this.fail(reason);
    for (const session of this.sessions) session.destroy(reason);
  }

  /** Ends every session in good order. Idempotent. */
  async close(): Promise<void> {
    this.fail(noLane());
    await Promise.all(this.sessions.map((session) => session.close()));
  }
}

function noLane(): AppError {
  return new AppError('INTERNAL', 'The connections of this read or write are closed.');
}
