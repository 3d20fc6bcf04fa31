/** One table that two states are compared in, whichever states these are. */
import type { DataType } from '../../domain/data-type';
import type { LayerLoad } from '../../domain/change-set';
import type { TableManifest } from '../../domain/manifest';
import type { RowCodec } from '../../domain/rows';
import type { TableStructure } from '../../domain/table';
import type { DiffCounts } from '../../domain/task';
import { SIDES, type DiffSink, type Side } from '../rows/join-states';

/** The tables of a comparison and what is to be told of it. */
export interface ComparedTables {
  /** The moment that the target shows, RFC 3339. */
  readAt: string;
  tables: TableComparison[];
  /** What is not compared, and why. */
  notes: string[];
  /** Ends what reading holds open. */
  close(): Promise<void>;
}

export interface TableComparison {
  dataType: DataType;
  table: string;
  /** Null where that state has no such table; not in both. */
  structures: Record<Side, TableStructure | null>;
  /** Of the rows of both. */
  codec: RowCodec;
  /** Rows in the base; for what the table was. */
  rowCount: number;
  /** Where all rows of one backup's table come or go: nobody need copy them. */
  load: LayerLoad | null;
  /** Tells all that differs, once. */
  tell(sink: DiffSink): Promise<DiffCounts>;
}

/** A table that one backup alone has. */
export function loadOf(direction: LayerLoad['direction'], { layers, rowCount, rawBytes }: TableManifest): LayerLoad {
  return { direction, layers, rowCount, rawBytes };
}

/** Whether rows of the table belong to businesses, on the one side or the other. */
export function isOwned(structures: Record<Side, TableStructure | null>): boolean {
  return SIDES.some((side) => structures[side]?.mapping.business !== undefined);
}

/** Why rows of one business can't be told from others, in words; null where they can. */
export function unownedNote(table: string, structures: Record<Side, TableStructure | null>): string | null {
  const isUnowned = SIDES.some((side) => structures[side] !== null && structures[side].mapping.business === undefined);
  return isUnowned ? `Table ${table} tells whose its rows are on one side alone, so it is not compared.` : null;
}
