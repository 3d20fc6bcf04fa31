/** Conflicts of a three-way plan as they are read, page by page (`BackupReader.findConflicts`). */
import type { DataType } from './data-type';
import type { ChangeSetId } from './ids';
import type { JsonRow, JsonValue } from './values';

/** The next row to look at; good for one change set, which never changes. */
export interface ConflictPlace {
  /** Which of its tables, and which of the rows in conflict. */
  table: number;
  row: number;
}

export interface ConflictsWanted {
  changeSetId: ChangeSetId;
  /** At most so many; fewer where rows are large. */
  limit: number;
  from: ConflictPlace | null;
}

/**
 * What happened to a damaged row later. EDITED: fields that were damaged were changed again. DELETED: the whole row. RECREATED: the damage
 * had deleted it, and it was made anew with other values. ADDED: the damage had added it, and it was changed.
 */
export const CONFLICT_KINDS = ['EDITED', 'DELETED', 'RECREATED', 'ADDED'] as const;
export type ConflictKind = (typeof CONFLICT_KINDS)[number];

/** Null both for NULL and for a row that is not there, which the kind tells. */
export interface ConflictingField {
  name: string;
  undamaged: JsonValue;
  damaged: JsonValue;
  live: JsonValue;
}

export interface FoundConflict {
  dataType: DataType;
  table: string;
  key: JsonRow;
  kind: ConflictKind;
  fields: ConflictingField[];
  /** Right behind it. */
  next: ConflictPlace;
}

export interface ConflictsFound {
  conflicts: FoundConflict[];
  /** Where to go on; null where nothing is left. */
  next: ConflictPlace | null;
}
