/** What to do about rows whose parents a restore would not bring. */
export interface Orphans {
  /** The rows, for people: `those rows of case_notes`. */
  rows: string;
  parent: string;
  /** The parents' table is part of the restore, so the backup lacks them. */
  restoresParent: boolean;
}

export function orphanRemedy({ rows, parent, restoresParent }: Orphans): string {
  if (!restoresParent) return `Restore ${parent} as well, or mend ${rows} first.`;
  return `Delete or mend ${rows} first, or restore a backup that holds what they refer to in ${parent}.`;
}
