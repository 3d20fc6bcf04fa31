/** Branded ids: a job's id can't be passed where a backup's belongs. All are lower-case UUIDs, made by `Random.uuid`. */

declare const brand: unique symbol;
export type Id<Name extends string> = string & { readonly [brand]: Name };

export type BackupId = Id<'Backup'>;
export type JobId = Id<'Job'>;
export type RestoreId = Id<'Restore'>;
export type HoldId = Id<'LegalHold'>;
export type ChangeSetId = Id<'ChangeSet'>;
export type ExportId = Id<'Export'>;
export type DownloadId = Id<'Download'>;
export type LeaseToken = Id<'Lease'>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** True for a lower-case UUID, and so false for anything path-like. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
