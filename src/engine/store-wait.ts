/** Waiting for a cleanup that deletes packs: people see why their job stands still, and can cancel it. */
import type { StoreWait } from '../domain/backup-store';
import type { TaskContext } from './ports';

export function storeWait({ progress, signal, hooks }: TaskContext): StoreWait {
  return {
    signal,
    onWaiting() {
      progress.begin({ name: 'waiting for a cleanup', from: 0, to: 0 });
      hooks.onLog('A cleanup deletes from the repository; this job goes on when it has ended, or within 20 minutes.');
    },
  };
}
