/** A backup: one restorable state, and the vocabulary around it. */

export const BACKUP_TYPES = ['FULL', 'INCREMENTAL', 'DIFFERENTIAL', 'BUSINESS', 'SYSTEM'] as const;
export type BackupType = (typeof BACKUP_TYPES)[number];

/** What the API shows. EXPIRED is derived: COMPLETED and past its `expiresAt`. */
export const BACKUP_STATUSES = ['PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED', 'EXPIRED'] as const;
export type BackupStatus = (typeof BACKUP_STATUSES)[number];

export const CHANGE_DETECTIONS = ['NONE', 'BINLOG', 'SCAN'] as const;
export type ChangeDetection = (typeof CHANGE_DETECTIONS)[number];

export const VERIFICATION_LEVELS = ['STRUCTURE', 'DATA', 'RESTORE'] as const;
export type VerificationLevel = (typeof VERIFICATION_LEVELS)[number];

export const RESTORE_TYPES = ['FULL', 'PARTIAL', 'BUSINESS', 'SYSTEM'] as const;
export type RestoreType = (typeof RESTORE_TYPES)[number];

export const MIN_RETENTION_DAYS = 1;
export const MAX_RETENTION_DAYS = 36_500;

/** Flat strings kept with a backup, e.g. `{ "reason": "before migration" }`. */
export type Labels = Record<string, string>;
