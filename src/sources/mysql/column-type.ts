/** Takes a column's declared type apart: `decimal(10,2) unsigned` is the base `decimal` with the arguments 10 and 2. Pure. */
import type { ColumnStructure } from '../../domain/table';

export interface ColumnType {
  /** In lower case. */
  base: string;
  /** Numbers between the parentheses; none of `enum('a')`. */
  args: number[];
  isUnsigned: boolean;
  isZerofill: boolean;
}

export function columnType({ type }: Pick<ColumnStructure, 'type'>): ColumnType {
  const [, base = '', list = '', rest = ''] = /^\s*(\w+)\s*(?:\(([\d\s,]*)\))?(.*)$/s.exec(type.toLowerCase()) ?? [];
  return {
    base,
    args: list.trim() === '' ? [] : list.split(',').map(Number),
    isUnsigned: /\bunsigned\b/.test(rest),
    isZerofill: /\bzerofill\b/.test(rest),
  };
}
