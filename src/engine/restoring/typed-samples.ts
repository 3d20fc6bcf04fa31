/** Samples of a change set as people read them: rows as values by column name, of updates the fields that change. */
import type { ChangeSetTable } from '../../domain/change-set';
import type { RowCodec } from '../../domain/rows';
import type { PlannedSamples } from '../../domain/task';
import type { JsonRow } from '../../domain/values';
import { ChangedFields } from '../rows/changed-fields';
import type { RowSlice } from '../rows/compare-rows';
import { TypedRows } from '../rows/typed-rows';

export function typedSamples({ structure, samples }: ChangeSetTable, codec: RowCodec): PlannedSamples {
  const rows = new TypedRows(codec, structure);
  const changed = new ChangedFields(codec, { before: structure, after: structure }, structure.columns);
  const rowOf = (encoded: string): JsonRow => rows.row(sliceOf(encoded).bytes, 0);
  return {
    inserts: samples.inserts.map(rowOf),
    updates: samples.updates.map(({ before, after }) => ({
      key: rows.key(sliceOf(after).bytes, 0),
      fields: changed.of(sliceOf(before), sliceOf(after)),
    })),
    deletes: samples.deletes.map(rowOf),
  };
}

function sliceOf(encoded: string): RowSlice {
  const bytes = Buffer.from(encoded, 'base64');
  return { bytes, start: 0, end: bytes.length };
}
