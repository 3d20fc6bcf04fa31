/**
 * Mutations that make a job. A repeated idempotency key is answered before anything else is looked at: with the job that it made, or
 * that it needed none, whatever has become of what the input names, or with IDEMPOTENCY_KEY_REUSED. For any other call a plan says
 * what to do.
 */
import type { Catalog, IdempotencyClaim, JobRecord } from '../catalog/catalog';
import type { JobSpec } from '../domain/job';
import { idempotencyClaim, type KeyedInput } from './idempotency';
import { InputProblems } from './input-problems';
import { checkIdempotencyKey, checkWaitFor } from './input-rules';
import type { JobsService } from './jobs';
import type { Principal } from './principal';

export interface Deed {
  mutation: string;
  input: KeyedInput;
  /** Aborts when the caller has gone, which ends its waiting and nothing else. */
  signal?: AbortSignal;
}

/**
 * Checks the input and the state of things; null where it turned out that no job is needed. A plan that changed something then has
 * written down the key with it.
 */
export type Plan<Spec extends JobSpec | null> = (idempotency: IdempotencyClaim | null) => Spec | Promise<Spec>;

export interface Deeds {
  /** The job, once it has ended or `waitFor` has passed. Throws what the plan throws, and IDEMPOTENCY_KEY_REUSED. */
  run<Spec extends JobSpec | null>(
    principal: Principal,
    deed: Deed,
    plan: Plan<Spec>,
  ): Promise<JobRecord | Extract<Spec, null>>;
}

export interface DeedsDependencies {
  catalog: Pick<Catalog, 'queue'>;
  jobs: JobsService;
  wake: () => void;
}

export function createDeeds({ catalog, jobs, wake }: DeedsDependencies): Deeds {
  const findReplay = async (claim: IdempotencyClaim | null) => claim && (await catalog.queue.findReplay(claim));
  return {
    async run(principal, { mutation, input, signal }, plan) {
      const idempotency = idempotencyClaim(principal, mutation, input);
      const answer = (job: JobRecord | null) =>
        job === null
          ? (null as never) // because: only a plan that may give null gets here, now or the first time
          : jobs.waitFor(principal, job, { waitMs: checkWaiting(input), signal });
      const replay = await findReplay(idempotency);
      if (replay) return answer(replay.job);
      try {
        const spec = await plan(idempotency);
        checkWaiting(input);
        if (spec === null) return answer(null);
        const { job } = await catalog.queue.enqueue({ spec, createdBy: principal.id, idempotency });
        wake();
        return await answer(job);
      } catch (error) {
        // What the plan stumbled over may be what the same call, made at the same time, has done.
        const twin = await findReplay(idempotency);
        if (twin) return answer(twin.job);
        throw error;
      }
    },
  };
}

/** What the inputs of all job-making mutations share, and `checkRest`; gives how long to hold the answer. */
export function checkWaiting(input: KeyedInput, checkRest?: (problems: InputProblems) => void): number {
  const problems = new InputProblems();
  checkRest?.(problems);
  checkIdempotencyKey(input.idempotencyKey, problems);
  const waitMs = checkWaitFor(input.waitFor, problems);
  problems.throwIfAny();
  return waitMs;
}
