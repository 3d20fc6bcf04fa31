/**
 * Pages in terms of the API (first/after, last/before) on the catalog's keyset lists. The same for every kind of record.
 */
import type { KeysetPosition, Order, RecordList } from '../catalog/catalog';
import { AppError } from '../domain/errors';

export const MAX_PAGE_SIZE = 100;

/** Exactly one direction: `first` walks on from `after`, `last` walks back from `before`. */
export type PageArguments =
  | { size: number; direction: 'FORWARD'; from: KeysetPosition | null }
  | { size: number; direction: 'BACKWARD'; from: KeysetPosition | null };

export interface ListPage<Item> {
  items: { record: Item; position: KeysetPosition }[];
  hasNextPage: boolean;
  hasPreviousPage: boolean;
}

export interface ListRequest<Filter, Field extends string> {
  page: PageArguments;
  filter?: Filter;
  order: Order<Field>;
}

/** What was walked from is taken to lie behind: a page after a cursor has a previous one. */
export async function listPage<Item, Filter, Field extends string>(
  list: Pick<RecordList<Item, Filter, Field>, 'list' | 'positionOf'>,
  { page, filter, order }: ListRequest<Filter, Field>,
): Promise<ListPage<Item>> {
  const { size, direction, from } = page;
  const { items, hasMore } = await list.list({ filter, order, limit: size, after: from, direction });
  const behind = from !== null;
  return {
    items: items.map((record) => ({ record, position: list.positionOf(record, order.field) })),
    hasNextPage: direction === 'FORWARD' ? hasMore : behind,
    hasPreviousPage: direction === 'FORWARD' ? behind : hasMore,
  };
}

/** The size asked for; throws INVALID_INPUT unless exactly one of first and last is given, 1 to MAX_PAGE_SIZE. */
export function checkPageSize(first: number | null | undefined, last: number | null | undefined): number {
  const given = [first, last].filter((size): size is number => size !== null && size !== undefined);
  const [size] = given;
  if (given.length === 1 && size !== undefined && size >= 1 && size <= MAX_PAGE_SIZE) return size;
  const message = given.length === 1 ? `A page of ${size} is out of range.` : 'A page needs either first or last.';
  const path = last === null || last === undefined ? ['first'] : ['last'];
  throw new AppError('INVALID_INPUT', message, { hint: `Give first or last, 1 to ${MAX_PAGE_SIZE}.`, path });
}
