/** Samples of a change set as people read them: rows as values by column name, of updates the fields that change. */
import type { ChangeSetTable } from '../../domain/change-set';
import type { RowCodec } from '../../domain/rows';
import type { PlannedSamples } from '../../domain/task';
import type { FieldChange, JsonRow, JsonValue } from '../../domain/values';
import { TypedRows } from '../rows/typed-rows';

export function typedSamples({ structure, samples }: ChangeSetTable, codec: RowCodec): PlannedSamples {
  const rows = new TypedRows(codec, structure);
  const rowOf = (encoded: string): JsonRow => rows.row(Buffer.from(encoded, 'base64'), 0);
  return {
    inserts: samples.inserts.map(rowOf),
    updates: samples.updates.map(({ before, after }) => ({
      key: rows.key(Buffer.from(after, 'base64'), 0),
      fields: changedFields(rows, Buffer.from(before, 'base64'), Buffer.from(after, 'base64')),
    })),
    deletes: samples.deletes.map(rowOf),
  };
}

/** Told by bytes: two values that look the same as JSON may differ all the same, such as 1 and 1.0 in JSON text. */
function changedFields(rows: TypedRows, before: Buffer, after: Buffer): FieldChange[] {
  const [old, now] = [fieldsOf(rows, before), fieldsOf(rows, after)];
  return old.flatMap(({ name, bytes, value }, i) => {
    const next = now[i];
    return next === undefined || bytes.equals(next.bytes) ? [] : [{ name, before: value, after: next.value }];
  });
}

function fieldsOf(rows: TypedRows, row: Buffer): { name: string; bytes: Buffer; value: JsonValue }[] {
  const values = Object.entries(rows.row(row, 0));
  const fields = rows.locate(row, 0);
  return values.map(([name, value], i) => ({ name, value, bytes: row.subarray(fields[3 * i], fields[3 * i + 2]) }));
}
