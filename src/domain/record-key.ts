/** Single records as callers name them: by table and key. */
import type { DataType } from './data-type';

export interface RecordKey {
  dataType: DataType;
  table: string;
  /** JSON: the key's fields by column, or the value alone where the key is one column. */
  key: string | number | boolean | object;
}

/** In one restore: each is looked for by itself. */
export const MAX_RECORD_KEYS = 1_000;
