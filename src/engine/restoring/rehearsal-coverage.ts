/** How much of a backup a rehearsal proves, and which invariants can be asked of it. */
import type { Invariant } from '../../domain/invariant';
import type { RehearsalCoverage } from '../../domain/rehearsal';
import type { BrokenReference } from '../../domain/source';
import type { BulkResult } from './bulk-restore';
import type { OpenedBackup } from './open-backup';
import type { RestoreScope } from './restore-scope';

export interface ChosenInvariants {
  checkable: Invariant[];
  /** They need a table that is not restored, or may need the rows of other businesses. */
  skipped: { invariant: Invariant; reason: string }[];
}

const NOT_PER_BUSINESS = 'the backup holds one business alone, and its setting does not say perBusiness';

export function checkableInvariants(invariants: readonly Invariant[], scope: RestoreScope): ChosenInvariants {
  const restored = restoredTables(scope);
  const chosen: ChosenInvariants = { checkable: [], skipped: [] };
  for (const invariant of invariants) {
    const missing = invariant.tables.find((table) => !restored.has(table));
    if (missing !== undefined) chosen.skipped.push({ invariant, reason: `the backup does not hold ${missing}` });
    else if (scope.rows.kind === 'BUSINESS' && !invariant.perBusiness)
      chosen.skipped.push({ invariant, reason: NOT_PER_BUSINESS });
    else chosen.checkable.push(invariant);
  }
  return chosen;
}

export function coverageOf(
  { manifest, scope }: Pick<OpenedBackup, 'manifest' | 'scope'>,
  facts: { restored: BulkResult; broken: readonly BrokenReference[]; invariants: ChosenInvariants },
): RehearsalCoverage {
  const { restored, broken, invariants } = facts;
  const { proven, unproven } = referencesIn(scope);
  const names = restoredTables(scope);
  const isWhole = (dataType: string): boolean =>
    manifest.tables.every((table) => table.dataType !== dataType || names.has(table.table));
  return {
    dataTypes: manifest.dataTypes.filter(isWhole),
    tables: names.size,
    tablesHeld: manifest.tables.length,
    rows: restored.verifiedRows,
    rowsHeld: manifest.rowCount,
    references: proven - broken.length,
    unprovenReferences: unproven,
    invariants: invariants.checkable.map(({ name }) => name),
    skippedInvariants: invariants.skipped.map(({ invariant }) => invariant.name),
  };
}

function restoredTables({ tables }: RestoreScope): Set<string> {
  return new Set(tables.map(({ manifest }) => manifest.table));
}

/** Into a scratch schema no reference leads out: those to other schemas and tables are left out, and nothing is known of them. */
function referencesIn(scope: RestoreScope): { proven: number; unproven: string[] } {
  const names = restoredTables(scope);
  let proven = 0;
  const unproven: string[] = [];
  for (const { manifest } of scope.tables) {
    for (const { name, referencedSchema, referencedTable } of manifest.structure.foreignKeys) {
      if (referencedSchema === undefined && names.has(referencedTable)) proven++;
      else unproven.push(`${manifest.table}.${name}`);
    }
  }
  return { proven, unproven };
}
