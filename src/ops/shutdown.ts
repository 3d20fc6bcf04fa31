/**
 * The end of the process. The first SIGTERM or SIGINT runs the steps in order, each to its end, whatever the others did;
 * another one later, or the deadline, ends the process at once. After `start` resolves nothing of ours keeps the process alive.
 *
 *     running --signal or begin()--> stopping --all steps done--> exit 0 (1 if a step failed)
 *                                    stopping --later signal----> exit 128 + its number
 *                                    stopping --deadline--------> exit 1
 */
import type { Clock, Log } from '../domain/ambient';
import { isAppError } from '../domain/errors';

export interface ShutdownStep {
  name: string;
  run(): Promise<void> | void;
}

/** What this needs of `process`. */
export interface ProcessPort {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  exit(code: number): void;
}

export interface ShutdownOptions {
  steps: readonly ShutdownStep[];
  /** For all steps together. */
  deadlineMs: number;
  clock: Clock;
  log: Log;
  process: ProcessPort;
}

export interface Shutdown {
  /** Starts stopping as the first signal would; further calls give the same promise. */
  begin(reason: string): Promise<void>;
}

/** What launched the service (npm) passes on a signal that went to their whole group: that is no second wish. */
const SAME_SIGNAL_MS = 1_000;
const SIGNAL_NUMBERS: Partial<Record<NodeJS.Signals, number>> = { SIGINT: 2, SIGTERM: 15 };

export function installShutdown(options: ShutdownOptions): Shutdown {
  const { process: port, log, clock } = options;
  let stopping: Promise<void> | undefined;
  let firstMs = 0;

  const onSignal = (signal: NodeJS.Signals) => {
    if (!stopping) return void begin(signal); // because: begin() handles every failure itself
    if (clock.monotonicMs() - firstMs < SAME_SIGNAL_MS) return;
    log.warn('second signal: leaving at once', { signal });
    port.exit(128 + (SIGNAL_NUMBERS[signal] ?? 1));
  };
  const begin = (reason: string) => {
    if (!stopping) firstMs = clock.monotonicMs();
    return (stopping ??= stop(options, reason).then((code) => finish(code)));
  };
  const finish = (code: number) => {
    port.off('SIGTERM', onSignal);
    port.off('SIGINT', onSignal);
    port.exit(code);
  };

  port.on('SIGTERM', onSignal);
  port.on('SIGINT', onSignal);
  return { begin };
}

async function stop(options: ShutdownOptions, reason: string): Promise<number> {
  const { steps, deadlineMs, clock, log } = options;
  log.info('stopping', { reason });
  const finished = new AbortController();
  const deadline = clock.sleep(deadlineMs, finished.signal).then(
    () => 'late' as const,
    (error: unknown) => ignoreCancelled(error),
  );
  const outcome = await Promise.race([runSteps(steps, log), deadline]);
  finished.abort();
  if (outcome === 'late') log.error('stopping took too long: leaving', { deadlineMs });
  else log.info('stopped');
  return outcome === 'clean' ? 0 : 1;
}

async function runSteps(steps: readonly ShutdownStep[], log: Log): Promise<'clean' | 'failed'> {
  let outcome: 'clean' | 'failed' = 'clean';
  for (const step of steps) {
    try {
      await step.run();
      log.debug('stopped a part', { part: step.name });
    } catch (error) {
      outcome = 'failed';
      log.error('a part failed to stop', { part: step.name, error });
    }
  }
  return outcome;
}

/** The sleep is cancelled when the steps are done; then its answer no longer matters. */
function ignoreCancelled(error: unknown): 'clean' {
  if (isAppError(error) && error.code === 'CANCELLED') return 'clean';
  throw error;
}
