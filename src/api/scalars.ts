/** The API's own scalars. Each is lossless on its way through JSON; a malformed value is refused before any resolver runs. */
import { GraphQLError, GraphQLScalarType, Kind, valueFromASTUntyped, type ValueNode } from 'graphql';
import { formatDuration } from '../domain/duration';

const RFC_3339 = /^(\d{4}-\d{2}-\d{2})[Tt]([01]\d|2[0-3]):\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/;
const INTEGER = /^-?\d{1,40}$/;

function refuse(message: string): never {
  throw new GraphQLError(message);
}

function stringOf(node: ValueNode, what: string): string {
  return node.kind === Kind.STRING ? node.value : refuse(`${what} must be a string.`);
}

function parseDateTime(value: unknown): Date {
  const [text, day] = (typeof value === 'string' && RFC_3339.exec(value)) || [];
  const parsed = text && day && isDay(day) ? new Date(text) : null;
  if (parsed && !Number.isNaN(parsed.getTime())) return parsed;
  return refuse('DateTime must be RFC 3339, such as 2026-11-22T19:45:00Z.');
}

/** JavaScript takes the 30th of February for the 2nd of March. */
function isDay(day: string): boolean {
  const moment = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(moment.getTime()) && moment.toISOString().startsWith(day);
}

export const DateTimeScalar = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  description: 'A moment, RFC 3339; always in UTC when the service says it.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339',
  serialize: (value) => (value as Date).toISOString(),
  parseValue: parseDateTime,
  parseLiteral: (node) => parseDateTime(stringOf(node, 'DateTime')),
});

function parseBigInt(value: unknown): bigint {
  if (typeof value === 'string' && INTEGER.test(value)) return BigInt(value);
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  return refuse('BigInt must be an integer, as a string.');
}

export const BigIntScalar = new GraphQLScalarType<bigint, string>({
  name: 'BigInt',
  description: 'An integer of any size; travels as a string, since JSON readers round large numbers.',
  specifiedByURL: 'https://tc39.es/ecma262/#sec-ecmascript-language-types-bigint-type',
  serialize: (value) => String(value),
  parseValue: parseBigInt,
  parseLiteral: (node) => parseBigInt(node.kind === Kind.INT ? node.value : stringOf(node, 'BigInt')),
});

/** In: the text as given; its grammar is checked where it is used, so that a mistake comes back with its path. */
export const DurationScalar = new GraphQLScalarType<string, string>({
  name: 'Duration',
  description: 'A span of time, ISO 8601 without years and months: PT30S, P1DT12H.',
  specifiedByURL: 'https://www.iso.org/standard/70907.html',
  serialize: (milliseconds) => formatDuration(milliseconds as number),
  parseValue: (value) => (typeof value === 'string' ? value : refuse('Duration must be a string, such as PT30S.')),
  parseLiteral: (node) => stringOf(node, 'Duration'),
});

/** In: the text as given; whether there is such a zone is checked where it is used. */
export const TimeZoneScalar = new GraphQLScalarType<string, string>({
  name: 'TimeZone',
  description: 'A time zone by its IANA name: UTC, Europe/Berlin.',
  specifiedByURL: 'https://www.iana.org/time-zones',
  serialize: (name) => String(name),
  parseValue: (value) => (typeof value === 'string' ? value : refuse('TimeZone must be a string, such as UTC.')),
  parseLiteral: (node) => stringOf(node, 'TimeZone'),
});

export const JsonScalar = new GraphQLScalarType<unknown, unknown>({
  name: 'JSON',
  description: 'Any JSON value.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc8259',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node, variables) => valueFromASTUntyped(node, variables),
});
