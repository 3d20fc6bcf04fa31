/** What a plan that was kept says, for whoever asked for it. */
import {
  changeCounts,
  conflictCounts,
  estimateApplyingMs,
  sumCounts,
  type ChangeSetTable,
  type StoredChangeSet,
} from '../../domain/change-set';
import type { RowCodec } from '../../domain/rows';
import type { PlannedTable, PlanResult } from '../../domain/task';
import { typedSamples } from './typed-samples';

export function describePlan({ hash, changeSet }: StoredChangeSet, codec: RowCodec): PlanResult {
  const { changeSetId, createdAt, expiresAt, tables, notes } = changeSet;
  return {
    kind: 'PLAN',
    changeSet: { changeSetId, planHash: hash, createdAt, expiresAt },
    tables: tables.map((table) => describeTable(table, codec)),
    ...sumCounts(tables.map(changeCounts)),
    estimatedMs: estimateApplyingMs(tables),
    notes,
  };
}

function describeTable(planned: ChangeSetTable, codec: RowCodec): PlannedTable {
  const { dataType, table, before, unchanged, warnings } = planned;
  const samples = typedSamples(planned, codec);
  const conflicts = planned.conflicts && conflictCounts(planned);
  const counts = { ...changeCounts(planned), unchanged, ...(conflicts && { conflicts }) };
  return { dataType, table, before, ...counts, samples, warnings };
}
