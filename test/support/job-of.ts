/** The job that a task belongs to; questions, which no job asks, have none. */
import type { JobId } from '../../src/domain/ids';
import type { EngineTask } from '../../src/domain/task';

export function jobOf(task: EngineTask): JobId {
  if ('jobId' in task) return task.jobId;
  throw new Error(`a ${task.kind} task has no job`);
}
