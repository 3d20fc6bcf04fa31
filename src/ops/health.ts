/**
 * Liveness and readiness. Live: the process answers. Ready: it is not draining and every check that is not optional passed lately enough.
 * A check that hangs counts as failed after its time is up, and a burst of probes shares one round of checks.
 */
import type { Clock } from '../domain/ambient';
import { toAppError } from '../domain/errors';

/** One thing the service needs; resolves when it works, throws when it doesn't. */
export interface HealthCheck {
  name: string;
  /** Its failure is shown, and does not end readiness. */
  optional?: boolean;
  check(signal: AbortSignal): Promise<void>;
}

export interface CheckResult {
  name: string;
  ok: boolean;
  optional?: boolean;
  /** Why it failed; without secrets, for whoever may probe. */
  message?: string;
  durationMs: number;
}

export interface Readiness {
  ready: boolean;
  draining: boolean;
  checks: CheckResult[];
  /** The longest recent stall of the event loop; a figure to look at, no reason not to be ready. */
  longestStallMs: number;
}

export interface Health {
  ready(): Promise<Readiness>;
  /** From now on `ready` says no, so that no balancer sends new work. Idempotent. */
  startDraining(): void;
}

export interface HealthOptions {
  checks: readonly HealthCheck[];
  clock: Clock;
  /** Absent: nobody measures. */
  longestStallMs?: () => number;
  /** How long one check may take. */
  timeoutMs?: number;
  /** How long a round of checks is good for. */
  freshMs?: number;
}

export function createHealth(options: HealthOptions): Health {
  const { checks, clock, longestStallMs = () => 0, timeoutMs = 2_000, freshMs = 1_000 } = options;
  let draining = false;
  let round: { startedMs: number; results: Promise<CheckResult[]> } | undefined;

  const results = () => {
    const nowMs = clock.monotonicMs();
    if (!round || nowMs - round.startedMs >= freshMs) {
      round = { startedMs: nowMs, results: Promise.all(checks.map((check) => runCheck(check, clock, timeoutMs))) };
    }
    return round.results;
  };

  return {
    async ready() {
      if (draining) return { ready: false, draining, checks: [], longestStallMs: longestStallMs() };
      const done = await results();
      const ready = !draining && done.every((result) => result.ok || result.optional);
      return { ready, draining, checks: done, longestStallMs: longestStallMs() };
    },
    startDraining() {
      draining = true;
    },
  };
}

async function runCheck(check: HealthCheck, clock: Clock, timeoutMs: number): Promise<CheckResult> {
  const startedMs = clock.monotonicMs();
  const durationMs = () => Math.round(clock.monotonicMs() - startedMs);
  const stop = new AbortController();
  const named = { name: check.name, ...(check.optional && { optional: true }) };
  try {
    await Promise.race([check.check(stop.signal), timeout(clock, timeoutMs, stop.signal)]);
    return { ...named, ok: true, durationMs: durationMs() };
  } catch (error) {
    return { ...named, ok: false, message: publicMessage(error), durationMs: durationMs() };
  } finally {
    stop.abort();
  }
}

async function timeout(clock: Clock, timeoutMs: number, signal: AbortSignal): Promise<never> {
  await clock.sleep(timeoutMs, signal);
  throw new Error(`no answer within ${timeoutMs} ms`);
}

/** The code of what failed, never its message: a probe is not authenticated. */
function publicMessage(error: unknown): string {
  const { code, message } = toAppError(error);
  return code === 'INTERNAL' && message.startsWith('no answer') ? message : code;
}
