/**
 * The rules that many inputs share. Each reports to `InputProblems` what is wrong, or gives the value in the form that the
 * domain uses; nothing is looked up here.
 */
import type { Labels } from '../domain/backup';
import { MAX_RETENTION_DAYS, MIN_RETENTION_DAYS } from '../domain/backup';
import type { RequestedDataType } from '../domain/data-type';
import { parseDurationMs } from '../domain/duration';
import { MAX_HOLD_REASON_LENGTH } from '../domain/legal-hold';
import type { InputProblems } from './input-problems';

export const MAX_WAIT_MS = 60_000;
export const MAX_IDEMPOTENCY_KEY_LENGTH = 128;
export const MAX_LABELS = 32;
export const MAX_LABEL_KEY_LENGTH = 63;
export const MAX_LABEL_VALUE_LENGTH = 255;
export const MAX_BUSINESS_ID_LENGTH = 255;

/** GraphQL gives null for an explicit null and undefined for a field left out; both mean "not given". */
export type Given<Value> = Value | null | undefined;

export function isGiven<Value>(value: Given<Value>): value is Value {
  return value !== null && value !== undefined;
}

const CONTROL = /\p{Cc}/u;
const LABEL_KEY = /^[A-Za-z0-9][A-Za-z0-9_./-]*$/;

/** How long to hold the answer, ms; 0 when it was not asked for. */
export function checkWaitFor(waitFor: Given<string>, problems: InputProblems): number {
  if (waitFor === null || waitFor === undefined) return 0;
  const ms = parseDurationMs(waitFor);
  if (ms === null) problems.add('waitFor', `waitFor is no ISO 8601 duration.`, 'Write it like PT30S.');
  else if (ms > MAX_WAIT_MS) {
    problems.add('waitFor', 'waitFor is longer than PT60S.', 'Wait at most PT60S, then watch jobEvents.');
  }
  return ms ?? 0;
}

export function checkIdempotencyKey(key: Given<string>, problems: InputProblems): void {
  if (key === null || key === undefined) return;
  if (key.length >= 1 && key.length <= MAX_IDEMPOTENCY_KEY_LENGTH && !CONTROL.test(key)) return;
  const hint = `Give 1 to ${MAX_IDEMPOTENCY_KEY_LENGTH} characters without control characters, such as a UUID.`;
  problems.add('idempotencyKey', 'idempotencyKey is empty, too long or holds control characters.', hint);
}

export function checkRetentionDays(days: Given<number>, problems: InputProblems): void {
  if (days === null || days === undefined) return;
  if (Number.isInteger(days) && days >= MIN_RETENTION_DAYS && days <= MAX_RETENTION_DAYS) return;
  const hint = `Give ${MIN_RETENTION_DAYS} to ${MAX_RETENTION_DAYS} days.`;
  problems.add('retentionDays', `retentionDays ${days} is out of range.`, hint);
}

/** Labels as flat strings; an empty record when something is wrong with them. */
export function checkLabels(labels: unknown, problems: InputProblems): Labels {
  if (labels === null || labels === undefined) return {};
  const message = typeof labels !== 'object' || Array.isArray(labels) ? 'labels is no object.' : labelProblem(labels);
  if (message === null) return { ...(labels as Labels) };
  problems.add(
    'labels',
    message,
    `Give at most ${MAX_LABELS} flat strings: keys of up to ${MAX_LABEL_KEY_LENGTH} letters, digits and . _ - /, ` +
      `values of up to ${MAX_LABEL_VALUE_LENGTH} characters.`,
  );
  return {};
}

function labelProblem(labels: object): string | null {
  const entries = Object.entries(labels) as [string, unknown][];
  if (entries.length > MAX_LABELS) return `There are ${entries.length} labels.`;
  for (const [key, value] of entries) {
    if (!LABEL_KEY.test(key) || key.length > MAX_LABEL_KEY_LENGTH) return `A label's key is malformed: ${quote(key)}.`;
    if (typeof value !== 'string') return `The label ${quote(key)} is no string.`;
    if (value.length > MAX_LABEL_VALUE_LENGTH || CONTROL.test(value)) {
      return `The label ${quote(key)} is too long or holds control characters.`;
    }
  }
  return null;
}

/** What is said of a hold, without spaces around it; empty where something is wrong with it. */
export function checkHoldReason(reason: string, problems: InputProblems): string {
  const text = reason.trim();
  if (text !== '' && text.length <= MAX_HOLD_REASON_LENGTH && !CONTROL.test(text.replaceAll(/[\n\r\t]/g, '')))
    return text;
  const hint = `Say in 1 to ${MAX_HOLD_REASON_LENGTH} characters why it must be kept, such as the case's number.`;
  problems.add('reason', 'reason is empty, too long or holds control characters.', hint);
  return '';
}

/** The business id, required or refused as `wanted` says; null when it is not given or malformed. */
export function checkBusinessId(
  businessId: Given<string>,
  wanted: { required: boolean; type: string },
  problems: InputProblems,
): string | null {
  if (businessId === null || businessId === undefined) {
    if (wanted.required)
      problems.add('businessId', 'BUSINESS needs a businessId.', "Give the platform's own id of it.");
    return null;
  }
  if (!wanted.required) {
    problems.add('businessId', `${wanted.type} takes no businessId.`, 'Leave it out, or use the type BUSINESS.');
    return null;
  }
  if (businessId !== '' && businessId.length <= MAX_BUSINESS_ID_LENGTH && !CONTROL.test(businessId)) return businessId;
  const hint = `Give the platform's own id, 1 to ${MAX_BUSINESS_ID_LENGTH} characters.`;
  problems.add('businessId', 'businessId is empty, too long or holds control characters.', hint);
  return null;
}

/** Data types as given, each once; null when none were given or they contradict each other. */
export function checkDataTypes(
  dataTypes: Given<readonly RequestedDataType[]>,
  problems: InputProblems,
): RequestedDataType[] | null {
  if (dataTypes === null || dataTypes === undefined) return null;
  const distinct = [...new Set(dataTypes)];
  if (distinct.length === 0) problems.add('dataTypes', 'dataTypes is empty.', 'Leave it out, or name at least one.');
  else if (distinct.includes('ALL') && distinct.length > 1) {
    problems.add(
      'dataTypes',
      'dataTypes names ALL and others beside it.',
      'Give ALL alone, or name the ones you want.',
    );
  } else return distinct;
  return null;
}

/** A caller's text for an error message: short, on one line. */
export function quote(text: string): string {
  const clean = text.replace(/\p{Cc}/gu, '?');
  return JSON.stringify(clean.length > 60 ? `${clean.slice(0, 60)}…` : clean);
}
