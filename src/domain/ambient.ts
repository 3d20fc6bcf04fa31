/** Time and randomness as injected ports; `ops/ambient` holds the only implementation that touches the real ones. */

export interface Clock {
  /** Wall clock, for what is written down. */
  now(): Date;
  /** Milliseconds of a clock that never steps back, for durations and leases. */
  monotonicMs(): number;
  /** Resolves after `ms`, or rejects with CANCELLED as soon as `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Random {
  /** A random lower-case UUID. */
  uuid(): string;
  /** `size` cryptographically random bytes. */
  bytes(size: number): Buffer;
}

/** Structured log; `fields` carry jobId, backupId and so on, never secrets. */
export interface Log {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
  child(fields: Record<string, unknown>): Log;
}
