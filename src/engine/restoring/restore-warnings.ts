/** What a restore, or its plan, warns of, table by table: sentences for an operator. */
import { changeCounts, type ChangeSetTable, type ConflictCounts } from '../../domain/change-set';
import type { ConflictPolicy } from '../../domain/three-way';
import type { Adaptation } from '../reading/adaptation';

/** Where the source could not prove all references to a table. */
export const UNPROVEN_REFERENCES =
  "Tables that the source's user can not see may refer to rows that are gone; `npm run doctor` says what lets it check them.";

export function firingWarning(triggers: readonly string[]): string {
  return `Triggers run while rows are written: ${triggers.join(', ')}.`;
}

export function newerRowsWarning(rows: number): string {
  return `${rows} rows were changed by others meanwhile and were left as they are.`;
}

/** What of a backup's rows has no place any more, and what it can't tell of the rows that are there. */
export function structureWarnings({
  adaptation,
  formerName,
}: {
  adaptation: Adaptation | undefined;
  formerName: string | undefined;
}): string[] {
  const { dropped = [], added = [] } = adaptation ?? {};
  const [gone, computed] = [false, true].map((is) => named(dropped.filter(({ isGenerated }) => isGenerated === is)));
  const fresh = named(added);
  return [
    ...(formerName === undefined ? [] : [`The backup knows this table as ${formerName}.`]),
    ...(gone ? [`Not in the table any more, so that its values in the backup have no place: ${gone}.`] : []),
    ...(computed ? [`Computed by the database now, whatever the backup holds: ${computed}.`] : []),
    ...(fresh
      ? [`New since the backup: ${fresh}. Rows that are there keep what they have, inserted ones get the default.`]
      : []),
    ...(gone && fresh ? ['A column that was renamed counts as one that is gone and one that is new.'] : []),
  ];
}

function named(columns: readonly { name: string }[]): string {
  return columns.map(({ name }) => name).join(', ');
}

export function keptEditsWarning(rows: number): string {
  return `Of ${rows} rows that were damaged something was changed later too, and stays.`;
}

const RESOLVED: Record<ConflictPolicy, string> = {
  KEEP_LIVE: 'they stay as they are live',
  TAKE_BACKUP: 'they become what the undamaged backup has',
  FAIL: 'a conflictPolicy must say what becomes of them',
};

export function conflictsWarning({ rows, fields }: ConflictCounts, policy: ConflictPolicy): string {
  return `${fields} fields of ${rows} rows were damaged and changed later too: ${RESOLVED[policy]}.`;
}

/** With what is to be said of the table beside its own warnings. */
export function withReasons<Table extends { table: string; warnings: string[] }>(
  table: Table,
  reasons: ReadonlyMap<string, readonly string[]> | undefined,
): Table {
  return { ...table, warnings: [...(reasons?.get(table.table) ?? []), ...table.warnings] };
}

export interface KnownReferences {
  /** Names of tables to and from which references are seen to. */
  known: readonly string[];
  /** By table those that refer to it. */
  referring: ReadonlyMap<string, readonly string[]>;
}

/** References that applying checks and a plan can't, for it writes nothing: to tables, and from tables, that are no part of it. */
export function referenceWarnings(planned: ChangeSetTable, { known, referring }: KnownReferences): string[] {
  const { inserts, updates, deletes } = changeCounts(planned);
  const isOutside = (name: string): boolean => !known.some((table) => table.toLowerCase() === name.toLowerCase());
  const children = (referring.get(planned.table) ?? []).filter(isOutside);
  const parents = planned.structure.foreignKeys
    .map(({ referencedSchema, referencedTable }) =>
      referencedSchema === undefined ? referencedTable : `${referencedSchema}.${referencedTable}`,
    )
    .filter(isOutside);
  const warnings: string[] = [];
  if (deletes + updates > 0 && children.length > 0) {
    warnings.push(`${children.join(', ')} may refer to rows that go; applying fails if so, and changes nothing.`);
  }
  if (inserts + updates > 0 && parents.length > 0) {
    const names = [...new Set(parents)].join(', ');
    warnings.push(
      `Rows that come need their parents in ${names}; applying fails where one is missing, and changes nothing.`,
    );
  }
  return warnings;
}
