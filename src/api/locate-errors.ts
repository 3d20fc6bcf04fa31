/**
 * GraphQL takes any error with a `path` array for one it has located itself, and would then neither say where ours arose nor, in
 * a subscription, answer it at all. So an AppError that leaves a resolver is wrapped. Only fields that can throw one are touched:
 * those of the root types, those with arguments, and those that lead to another node.
 */
import {
  getNamedType, GraphQLError, isObjectType, type GraphQLField, type GraphQLFieldResolver, type GraphQLSchema,
} from 'graphql'; // prettier-ignore
import { isAppError } from '../domain/errors';
import type { RequestContext } from './context';

type Field = GraphQLField<unknown, RequestContext>;
type Resolve = GraphQLFieldResolver<unknown, RequestContext>;

export function locateAppErrors(schema: GraphQLSchema): void {
  const roots: unknown[] = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields()) as Field[]) {
      if (roots.includes(type) || field.args.length > 0 || leadsToNode(field)) wrapField(field);
    }
  }
}

function leadsToNode({ type }: Field): boolean {
  const named = getNamedType(type);
  return isObjectType(named) && named.getInterfaces().some(({ name }) => name === 'Node');
}

function wrapField(field: Field): void {
  if (field.resolve) field.resolve = wrapped(field.resolve);
  if (field.subscribe) field.subscribe = wrapped(field.subscribe);
}

function wrapped(resolve: Resolve): Resolve {
  return (...call) => {
    try {
      const result: unknown = resolve(...call);
      return result instanceof Promise ? result.catch(rethrow) : result;
    } catch (error) {
      return rethrow(error);
    }
  };
}

function rethrow(error: unknown): never {
  throw isAppError(error) ? new GraphQLError(error.message, { originalError: error }) : error;
}
