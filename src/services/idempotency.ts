/** What makes two calls the same deed: principal, mutation, key, and a hash of the input without `waitFor`. */
import { createHash } from 'node:crypto';
import type { IdempotencyClaim } from '../catalog/catalog';
import type { Principal } from './principal';

export interface KeyedInput {
  idempotencyKey?: string | null;
  waitFor?: string | null;
}

/** Null when the caller gave no key. */
export function idempotencyClaim(principal: Principal, mutation: string, input: KeyedInput): IdempotencyClaim | null {
  const { idempotencyKey, waitFor, ...deed } = input;
  void waitFor; // because: how long a caller waits is no part of what it asks for
  if (idempotencyKey === null || idempotencyKey === undefined) return null;
  const inputHash = createHash('sha256').update(canonicalJson(deed)).digest('hex');
  return { principal: principal.id, mutation, key: idempotencyKey, inputHash };
}

/** JSON with sorted keys; a field that is null reads as one that is left out. */
export function canonicalJson(value: unknown): string {
  return (
    JSON.stringify(value, (_key, inner: unknown) => (isPlainObject(inner) ? sortedFields(inner) : inner)) ?? 'null'
  );
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sortedFields(object: Record<string, unknown>): Record<string, unknown> {
  const given = Object.entries(object).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(given.sort(([a], [b]) => (a < b ? -1 : 1)));
}
