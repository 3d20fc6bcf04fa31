/** Data types: the words in which the risk platform speaks of its tables. ALL is their union. */

export const DATA_TYPES = ['BUSINESSES', 'ASSESSMENTS', 'FACTORS', 'TRENDS', 'ALERTS', 'HISTORY', 'CONFIG'] as const;
export type DataType = (typeof DATA_TYPES)[number];
export type RequestedDataType = DataType | 'ALL';

/** Each once, in DATA_TYPES order. */
export function distinctDataTypes(dataTypes: Iterable<DataType>): DataType[] {
  const found = new Set(dataTypes);
  return DATA_TYPES.filter((type) => found.has(type));
}

/** The concrete data types, each once and in DATA_TYPES order, that a request names. */
export function expandDataTypes(requested: readonly RequestedDataType[]): DataType[] {
  return DATA_TYPES.filter((type) => requested.includes('ALL') || requested.includes(type));
}
