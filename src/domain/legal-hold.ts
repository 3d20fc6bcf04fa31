/** A legal hold: while one of a backup is in force nothing deletes or expires it. A backup may have several, each released by itself. */
import type { BackupId, HoldId } from './ids';

export interface LegalHold {
  holdId: HoldId;
  backupId: BackupId;
  /** Null where what was written of it can't be read any more: such a hold holds all the same. */
  reason: string | null;
  createdBy: string | null;
  createdAt: string;
}

export const MAX_HOLD_REASON_LENGTH = 1_000;
