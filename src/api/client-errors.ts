/**
 * What a client may see of an error, the same over HTTP and WebSocket. Mistakes of the caller keep their words; AppErrors with a
 * public code keep message, code, hint and path; everything else is logged with a reference and shown as that reference alone.
 */
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import type { Log, Random } from '../domain/ambient';
import { tokenLimitOf } from './limits';
import { isAppError, isPublicErrorCode, type AppError } from '../domain/errors';

export type ErrorMask = (error: unknown) => GraphQLFormattedError;

export interface ErrorMaskOptions {
  log: Log;
  random: Random;
}

export function createErrorMask({ log, random }: ErrorMaskOptions): ErrorMask {
  return (error) => {
    const cause = rootCause(error);
    const { locations, path } = error instanceof GraphQLError ? error.toJSON() : {};
    if (isAppError(cause) && (isPublicErrorCode(cause.code) || cause.code === 'CATALOG_UNAVAILABLE')) {
      if (cause.code === 'CATALOG_UNAVAILABLE') log.error('catalog unavailable', { error: cause });
      return { message: cause.message, locations, path, extensions: extensionsOf(cause) };
    }
    // because: an error of GraphQL with a path arose while resolving, and so from our own code
    if (cause instanceof GraphQLError && path === undefined)
      return ofCaller(cause, error instanceof GraphQLError ? error : cause);
    const reference = random.uuid();
    log.error('request failed', { reference, error: cause, path: path?.join('.') });
    const message = `Internal error. The service's log has it as ${reference}.`;
    return { message, locations, path, extensions: { code: 'INTERNAL_SERVER_ERROR', reference } };
  };
}

function extensionsOf({ code, hint, retryable, path }: AppError): Record<string, unknown> {
  return { code, ...(hint ? { hint } : {}), ...(path ? { argument: path.join('.') } : {}), retryable };
}

/** A mistake that GraphQL itself found: its words without suggestions, its code without a stack. */
function ofCaller(cause: GraphQLError, outer: GraphQLError): GraphQLFormattedError {
  const { locations, path } = outer.toJSON();
  // because: Apollo gives every validation error its own code
  const limit = outer.extensions.limit ?? cause.extensions.limit;
  if (limit !== undefined)
    return { message: outer.message, locations, path, extensions: { code: 'LIMIT_EXCEEDED', limit } };
  const tokens = tokenLimitOf(outer);
  if (tokens !== null) {
    const message = `The operation has over ${tokens} tokens, at most ${tokens} are allowed.`;
    return { message, extensions: { code: 'LIMIT_EXCEEDED', limit: tokens } };
  }
  const code = outer.extensions.code ?? cause.extensions.code ?? 'BAD_USER_INPUT';
  return { message: withoutSuggestion(outer.message), locations, path, extensions: { code } };
}

/** "Did you mean" would tell the schema to those who may not ask for it. */
function withoutSuggestion(message: string): string {
  return message.replace(/ ?Did you mean (.+?)\?$/u, '');
}

/** The first error that is no GraphQLError; a GraphQLError when there is none. */
function rootCause(error: unknown): unknown {
  let current = error;
  while (current instanceof GraphQLError && current.originalError) current = current.originalError;
  return current;
}
