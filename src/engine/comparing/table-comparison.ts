/** One table that two states are compared in, whichever states these are. */
import type { DataType } from '../../domain/data-type';
import type { LayerLoad } from '../../domain/change-set';
import type { TableManifest } from '../../domain/manifest';
import type { TableStructure } from '../../domain/table';
import type { DiffCounts } from '../../domain/task';
import type { DiffSink, Side } from '../rows/join-states';

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

/** Null where one business is meant and the rows of the table belong to none. */
export function isOwned({ before, after }: Record<Side, TableStructure | null>): boolean {
  return [before, after].every((structure) => structure === null || structure.mapping.business !== undefined);
}
