/**
 * The log: one JSON line per entry on standard output, or a line for people where that is a terminal.
 * Guarantees that no secret is written: fields named like one are replaced whole, and credentials, and secrets of links to downloads, are
 * cut out of every URL, in messages, fields and errors alike.
 */
import { pino, type DestinationStream, type Logger } from 'pino';
import type { Log } from '../domain/ambient';
import { isAppError, type AppError } from '../domain/errors';
import type { Settings } from '../domain/settings';

export interface LoggerOptions {
  level: Settings['log']['level'];
  /** True for lines that people read, false for JSON. */
  readable?: boolean;
  destination?: DestinationStream;
}

const SECRET_NAME = /pass(word|phrase)|secret|token|authorization|cookie|api[-_]?key|credential/i;
/** Not the example that hints give. */
const URL_CREDENTIALS = /([a-z][a-z0-9+.-]*:\/\/)(?!user:password@host[:/])[^\s/?#]*@/gi;
/** What opens a download, after its id. */
const DOWNLOAD_SECRET = /(\/exports\/[0-9a-f-]{36}\/)[\w-]+/gi;
const MAX_DEPTH = 6;

export function createLogger(options: LoggerOptions): Log {
  const destination = options.destination ?? pino.destination({ dest: 1, sync: true });
  return wrap(
    pino(
      { level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: levelName } },
      options.readable ? readableLines(destination) : destination,
    ),
  );
}

/** `text` without the credentials of any URL in it, and without secrets of links to downloads. */
export function withoutCredentials(text: string): string {
  return text.replace(URL_CREDENTIALS, '$1***@').replace(DOWNLOAD_SECRET, '$1***');
}

function wrap(logger: Logger): Log {
  const at = (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, fields?: Record<string, unknown>) => {
    if (logger.isLevelEnabled(level)) logger[level](redactFields(fields ?? {}), withoutCredentials(message));
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => wrap(logger.child(redactFields(fields))),
  };
}

function levelName(label: string): object {
  return { level: label };
}

function redactFields(fields: Record<string, unknown>): Record<string, unknown> {
  return redactObject(fields, 0);
}

function redactObject(object: object, depth: number): Record<string, unknown> {
  const entries = Object.entries(object).map(([name, value]) => [
    name,
    SECRET_NAME.test(name) && isSecretValue(value) ? '[redacted]' : redactValue(value, depth + 1),
  ]);
  return Object.fromEntries(entries) as Record<string, unknown>;
}

/** Counts and flags (`tokens: 12`, `hasPassphrase: true`) say nothing secret. */
function isSecretValue(value: unknown): boolean {
  return typeof value !== 'number' && typeof value !== 'boolean' && value !== null && value !== undefined;
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return withoutCredentials(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (depth > MAX_DEPTH) return '[deep]';
  if (value instanceof Error) return describeError(value, depth);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth + 1));
  return redactObject(value, depth);
}

function describeError(error: Error, depth: number): Record<string, unknown> {
  if (isAppError(error) && error.code !== 'INTERNAL') return describeForeseen(error);
  const { name, message, stack, cause, ...own } = error as Error & Record<string, unknown>;
  return {
    name,
    message: withoutCredentials(message),
    ...redactObject(own, depth),
    ...(stack === undefined ? {} : { stack: withoutCredentials(stack) }),
    ...(cause === undefined ? {} : { cause: redactValue(cause, depth + 1) }),
  };
}

/** Its code and message say all there is: stacks and causes are for what nobody foresaw. */
function describeForeseen({ code, message, hint }: AppError): Record<string, unknown> {
  return {
    code,
    message: withoutCredentials(message),
    ...(hint !== undefined && { hint: withoutCredentials(hint) }),
  };
}

/** Turns each JSON line into `12:30:59 WARN  message  name=value`. */
function readableLines(destination: DestinationStream): DestinationStream {
  return { write: (line: string) => destination.write(readableLine(line)) };
}

function readableLine(line: string): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const rest = Object.entries(fields).map(([name, value]) => `  ${name}=${readableValue(value)}`);
  return `${String(time).slice(11, 19)} ${String(level).toUpperCase().padEnd(5)} ${String(msg)}${rest.join('')}\n`;
}

function readableValue(value: unknown): string {
  if (typeof value === 'string') return /^[\w./:@-]+$/.test(value) ? value : JSON.stringify(value);
  if (isDescribedError(value)) return value.stack ?? `${value.code ?? value.name}: ${value.message}`;
  return JSON.stringify(value);
}

interface DescribedError {
  message: string;
  stack?: string;
  name?: string;
  code?: string;
}

function isDescribedError(value: unknown): value is DescribedError {
  return typeof value === 'object' && value !== null && 'message' in value && ('stack' in value || 'code' in value);
}
