/**
 * Keyset lists over one table: pages by (order value, id), never by offset, so that a page stays right while rows come and go.
 * Nulls sort lowest on both engines.
 */
import type { EntityManager, EntityTarget, ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import { AppError } from '../domain/errors';
import type { KeysetPosition, Order, Page, PageRequest, RecordList } from './catalog';
import type { Database } from './database';

const MAX_PAGE = 1000;
const MAX_BATCH = 1000;
/** Below every order value there is. */
const NULL_RANK = -1;

export interface ListDefinition<Row extends ObjectLiteral, Item, Filter, Field extends string> {
  entity: EntityTarget<Row>;
  toItem(row: Row, now: Date): Item;
  idOf(row: Row): string;
  /** Adds the filter's conditions; the table's alias is `row`. False: nothing can match. */
  applyFilter(query: SelectQueryBuilder<Row>, filter: Filter, now: Date): boolean;
  /** The property behind each order field, and whether it can be null. */
  fields: Record<Field, { property: string; nullable: boolean }>;
  defaultField: Field;
  valueOf(item: Item, field: Field): Date | number | null;
}

export class KeysetList<
  Row extends ObjectLiteral,
  Item extends { id: string },
  Filter,
  Field extends string,
> implements RecordList<Item, Filter, Field> {
  constructor(
    protected readonly database: Database,
    protected readonly definition: ListDefinition<Row, Item, Filter, Field>,
  ) {}

  async find(id: string): Promise<Item | null> {
    const [item] = await this.findMany([id]);
    return item ?? null;
  }

  async findMany(ids: readonly string[]): Promise<(Item | null)[]> {
    if (ids.length === 0) return [];
    if (ids.length > MAX_BATCH)
      throw new AppError('INVALID_INPUT', `At most ${MAX_BATCH} records can be loaded at once.`);
    const rows = await this.database.read((manager) =>
      this.query(manager)
        .where('row.id IN (:...ids)', { ids: [...new Set(ids)] })
        .getMany(),
    );
    const now = this.database.clock.now();
    const byId = new Map(rows.map((row) => [this.definition.idOf(row), this.definition.toItem(row, now)]));
    return ids.map((id) => byId.get(id) ?? null);
  }

  async list(request: PageRequest<Filter, Field>): Promise<Page<Item>> {
    if (!Number.isInteger(request.limit) || request.limit < 1 || request.limit > MAX_PAGE) {
      throw new AppError('INVALID_INPUT', `A page has 1 to ${MAX_PAGE} records.`, { path: ['limit'] });
    }
    const now = this.database.clock.now();
    const rows = await this.database.read((manager) => this.readPage(manager, request, now));
    const items = rows.slice(0, request.limit).map((row) => this.definition.toItem(row, now));
    if (request.direction === 'BACKWARD') items.reverse();
    return { items, hasMore: rows.length > request.limit };
  }

  async count(filter?: Filter): Promise<number> {
    const now = this.database.clock.now();
    return this.database.read(async (manager) => {
      const query = this.query(manager);
      return this.filter(query, filter, now) ? query.getCount() : 0;
    });
  }

  positionOf(item: Item, field: Field = this.definition.defaultField): KeysetPosition {
    const value = this.definition.valueOf(item, field);
    return { value: value instanceof Date ? value.getTime() : value, id: item.id };
  }

  protected query(manager: EntityManager): SelectQueryBuilder<Row> {
    return manager.createQueryBuilder(this.definition.entity, 'row');
  }

  protected filter(query: SelectQueryBuilder<Row>, filter: Filter | undefined, now: Date): boolean {
    return filter === undefined || this.definition.applyFilter(query, filter, now);
  }

  private async readPage(manager: EntityManager, request: PageRequest<Filter, Field>, now: Date): Promise<Row[]> {
    const query = this.query(manager);
    if (!this.filter(query, request.filter, now)) return [];
    const order = request.order ?? { field: this.definition.defaultField, direction: 'DESC' };
    const direction = request.direction === 'BACKWARD' ? opposite(order.direction) : order.direction;
    const expression = this.orderExpression(query, order, direction);
    if (request.after) seek(query, { expression, direction, after: request.after });
    return query.limit(request.limit + 1).getMany();
  }

  /** Orders the query and returns the SQL expression it is ordered by. */
  private orderExpression(query: SelectQueryBuilder<Row>, order: Order<Field>, direction: 'ASC' | 'DESC'): string {
    const { property, nullable } = this.definition.fields[order.field];
    if (!nullable) {
      query.orderBy(`row.${property}`, direction).addOrderBy('row.id', direction);
      return `row.${property}`;
    }
    const expression = `COALESCE(row.${property}, ${NULL_RANK})`;
    query.addSelect(expression, 'order_value').orderBy('order_value', direction).addOrderBy('row.id', direction);
    return expression;
  }
}

function opposite(direction: 'ASC' | 'DESC'): 'ASC' | 'DESC' {
  return direction === 'ASC' ? 'DESC' : 'ASC';
}

interface Seek {
  expression: string;
  direction: 'ASC' | 'DESC';
  after: KeysetPosition;
}

/** The first comparison alone bounds the index range; the second settles ties. */
function seek<Row extends ObjectLiteral>(query: SelectQueryBuilder<Row>, { expression, direction, after }: Seek): void {
  const beyond = direction === 'ASC' ? '>' : '<';
  query.andWhere(
    `${expression} ${beyond}= :afterValue AND (${expression} ${beyond} :afterValue OR row.id ${beyond} :afterId)`,
    { afterValue: after.value ?? NULL_RANK, afterId: after.id },
  );
}

/** Adds `property IN (values)`; false where the list is empty, since nothing can match it. */
export function whereIn<Row extends ObjectLiteral>(
  query: SelectQueryBuilder<Row>,
  property: string,
  values: readonly string[] | undefined,
): boolean {
  if (values === undefined) return true;
  if (values.length === 0) return false;
  query.andWhere(`row.${property} IN (:...${property}In)`, { [`${property}In`]: values });
  return true;
}

export function whereCreated<Row extends ObjectLiteral>(
  query: SelectQueryBuilder<Row>,
  filter: { createdFrom?: Date; createdBefore?: Date },
): void {
  const { createdFrom, createdBefore } = filter;
  if (createdFrom) query.andWhere('row.createdAt >= :createdFrom', { createdFrom: createdFrom.getTime() });
  if (createdBefore) query.andWhere('row.createdAt < :createdBefore', { createdBefore: createdBefore.getTime() });
}
