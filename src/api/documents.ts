/**
 * Query texts parsed and validated, under the same rules and limits on every transport. Lately used ones are remembered, so that a
 * thousand subscribers with the same words cost one parse.
 */
import { GraphQLError, parse, specifiedRules, validate, type DocumentNode, type GraphQLSchema } from 'graphql';
import { limitRules, type OperationLimits } from './limits';

export type CheckedDocument = { document: DocumentNode } | { errors: readonly GraphQLError[] };
export type CheckDocument = (query: string) => CheckedDocument;

const REMEMBERED = 200;
const MAX_REMEMBERED_LENGTH = 20_000;

export function createDocumentChecker(schema: GraphQLSchema, limits: OperationLimits): CheckDocument {
  const rules = [...specifiedRules, ...limitRules(limits)];
  const remembered = new Map<string, CheckedDocument>();

  const check = (query: string): CheckedDocument => {
    try {
      const document = parse(query, { maxTokens: limits.maxQueryTokens });
      const errors = validate(schema, document, rules);
      return errors.length > 0 ? { errors: withCode(errors, 'GRAPHQL_VALIDATION_FAILED') } : { document };
    } catch (error) {
      if (error instanceof GraphQLError) return { errors: withCode([error], 'GRAPHQL_PARSE_FAILED') };
      throw error;
    }
  };
  const remember = (query: string, checked: CheckedDocument) => {
    if (query.length > MAX_REMEMBERED_LENGTH) return;
    remembered.set(query, checked);
    const [oldest] = remembered.keys();
    if (remembered.size > REMEMBERED && oldest !== undefined) remembered.delete(oldest);
  };

  return (query) => {
    const checked = remembered.get(query) ?? check(query);
    remembered.delete(query);
    remember(query, checked);
    return checked;
  };
}

function withCode(errors: readonly GraphQLError[], code: string): readonly GraphQLError[] {
  for (const error of errors) error.extensions.code ??= code;
  return errors;
}
