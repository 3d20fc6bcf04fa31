/** What deleting backups would free, from the store alone; changes nothing. */
import type { EngineTask, FreedBytesResult } from '../../domain/task';
import type { TaskContext } from '../ports';

export async function reckonFreedBytes(
  task: Extract<EngineTask, { kind: 'FREED_BYTES' }>,
  { deps, signal }: TaskContext,
): Promise<FreedBytesResult> {
  const store = await deps.store();
  return { kind: 'FREED_BYTES', ...(await store.freedBy(task.backupIds, signal)) };
}
