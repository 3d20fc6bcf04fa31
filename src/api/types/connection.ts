/** Relay connections: edges and nodes, page facts, and a count that is made only when it is asked for. */
import { Field, Int, ObjectType, type ClassType } from 'type-graphql';
import type { ListPage } from '../../services/paging';
import { toListCursor } from '../cursors';

const NODES = 'The nodes of the edges, for who needs no cursors.';

@ObjectType({ description: 'Where a page lies in its list.' })
export class PageInfo {
  @Field(() => Boolean)
  readonly hasNextPage!: boolean;

  @Field(() => Boolean)
  readonly hasPreviousPage!: boolean;

  @Field(() => String, { nullable: true })
  readonly startCursor!: string | null;

  @Field(() => String, { nullable: true })
  readonly endCursor!: string | null;
}

/** A page as the connection types show it. */
export interface ConnectionView<Item> {
  edges: { node: Item; cursor: string }[];
  nodes: Item[];
  pageInfo: PageInfo;
}

export interface CountedConnectionView<Item> extends ConnectionView<Item> {
  countAll(): Promise<number>;
}

/** Defines `<Name>Edge`. */
function edgeType<Item extends object>(itemType: ClassType<Item>, name: string) {
  @ObjectType(`${name}Edge`)
  class Edge {
    @Field(() => itemType)
    readonly node!: Item;

    @Field(() => String)
    readonly cursor!: string;
  }
  return Edge;
}

/** Defines `<Name>Edge` and `<Name>Connection` without a count. */
export function connectionType<Item extends object>(itemType: ClassType<Item>, name: string) {
  const Edge = edgeType(itemType, name);

  @ObjectType(`${name}Connection`)
  class Connection {
    @Field(() => [Edge])
    readonly edges!: ConnectionView<Item>['edges'];

    @Field(() => [itemType], { description: NODES })
    readonly nodes!: Item[];

    @Field(() => PageInfo)
    readonly pageInfo!: PageInfo;
  }
  return Connection;
}

/** Defines `<Name>Edge` and `<Name>Connection` with `totalCount`. */
export function countedConnectionType<Item extends object>(itemType: ClassType<Item>, name: string) {
  const Edge = edgeType(itemType, name);

  @ObjectType(`${name}Connection`)
  class Connection {
    readonly countAll!: () => Promise<number>;

    @Field(() => [Edge])
    readonly edges!: ConnectionView<Item>['edges'];

    @Field(() => [itemType], { description: NODES })
    readonly nodes!: Item[];

    @Field(() => PageInfo)
    readonly pageInfo!: PageInfo;

    @Field(() => Int, { description: 'Of the whole list, counted only when asked for.' })
    totalCount(): Promise<number> {
      return this.countAll();
    }
  }
  return Connection;
}

export function toConnection<Item>(
  edges: { node: Item; cursor: string }[],
  { hasNextPage, hasPreviousPage }: Pick<PageInfo, 'hasNextPage' | 'hasPreviousPage'>,
): ConnectionView<Item> {
  const startCursor = edges[0]?.cursor ?? null;
  const endCursor = edges.at(-1)?.cursor ?? null;
  const pageInfo = { hasNextPage, hasPreviousPage, startCursor, endCursor };
  return { edges, nodes: edges.map((edge) => edge.node), pageInfo };
}

/** A service's page of records as a connection of views. */
export function pageToConnection<Record, View>(
  page: ListPage<Record>,
  fingerprint: string,
  toView: (record: Record) => View,
): ConnectionView<View> {
  const edges = page.items.map(({ record, position }) => ({
    node: toView(record),
    cursor: toListCursor(fingerprint, position),
  }));
  return toConnection(edges, page);
}
