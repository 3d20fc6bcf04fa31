/** Columns of which two states of a table both hold values that can be compared. */
import type { Side } from './join-states';

export interface MatchedColumn {
  name: string;
  /** Where the states store equal values in two ways: brings fields of the one side to the way of the other. Absent: bytes tell. */
  recode?: { side: Side; field: (field: Buffer) => Buffer };
}

/** A field of one side, by whose bytes it is compared with one of the other. NULL is NULL everywhere. */
export function comparable({ recode }: MatchedColumn, side: Side, of: { field: Buffer; isNull: boolean }): Buffer {
  return recode?.side !== side || of.isNull ? of.field : recode.field(of.field);
}
