/**
 * The single values that settings are made of. Each says what it was given and what is allowed, in one form for all;
 * a value of a secret setting is never repeated.
 */
import { statSync, type Stats } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { parseDurationMs } from '../../domain/duration';
import { isLoopback } from '../../domain/loopback';

class NotAllowed extends Error {}

interface LeafOptions {
  secret?: boolean;
}

/** `parse` gives the value or throws through `refuse`. */
function leaf<T>(parse: (value: unknown) => T, options: LeafOptions = {}) {
  return z.unknown().transform((value, context): T => {
    try {
      return parse(value);
    } catch (error) {
      if (!(error instanceof NotAllowed)) throw error;
      const given = options.secret ? 'the value' : show(value);
      context.addIssue({ code: 'custom', message: `${given} is not allowed: ${error.message}` });
      return z.NEVER;
    }
  });
}

/**
 * For checks between settings: they run beside problems of single ones, so that all are told in one round. What they are given
 * may then hold values that were refused; they look at a value's type before they use it.
 */
export const besideProblems = {
  when: ({ value }: { value: unknown }): boolean => typeof value === 'object' && value !== null,
};

export function refuse(allowed: string): never {
  throw new NotAllowed(allowed);
}

export function show(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a group of settings';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

export interface IntegerRange {
  min: number;
  max: number;
}

export function integer({ min, max }: IntegerRange) {
  return leaf((value) => {
    const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
    const fits = typeof number === 'number' && Number.isInteger(number) && number >= min && number <= max;
    return fits ? number : refuse(`give a whole number from ${min} to ${max}`);
  });
}

export function port() {
  return leaf((value) => {
    if (typeof value === 'string' && value.startsWith('tcp:')) {
      refuse('give a whole number from 0 to 65535 (Kubernetes set it: turn off enableServiceLinks)');
    }
    const number = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value;
    const fits = typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= 65_535;
    return fits ? number : refuse('give a whole number from 0 to 65535');
  });
}

/** Without authentication the service must not be open to others. */
export function host() {
  return leaf((value) => {
    if (typeof value !== 'string' || value === '') refuse('give a host name or address');
    if (isLoopback(value)) return value;
    return refuse(
      'there is no authentication yet; give 127.0.0.1, and reach it from elsewhere through a tunnel or an authenticating proxy',
    );
  });
}

export function oneOf<const T extends readonly string[]>(allowed: T) {
  return leaf((value): T[number] =>
    typeof value === 'string' && allowed.includes(value) ? value : refuse(`give one of ${allowed.join(', ')}`),
  );
}

export function flag() {
  return leaf((value) => (typeof value === 'boolean' ? value : refuse('give true or false')));
}

export function text(what: string, pattern: RegExp = /^.+$/s) {
  return leaf((value) => (typeof value === 'string' && pattern.test(value) ? value : refuse(`give ${what}`)));
}

export function secretText(what: string) {
  return leaf((value) => (typeof value === 'string' && value !== '' ? value : refuse(`give ${what}`)), {
    secret: true,
  });
}

export function folder(base: string) {
  return leaf((value) => {
    if (typeof value !== 'string' || value === '') return refuse('give a folder');
    const path = resolve(base, value);
    const file = fileOnTheWay(path);
    return file === null ? path : refuse(`${file} is a file; give a folder`);
  });
}

/** The file that stands where a folder would have to be; null where none does. */
function fileOnTheWay(path: string): string | null {
  const found = tryStat(path);
  if (found) return found.isDirectory() ? null : path;
  return dirname(path) === path ? null : fileOnTheWay(dirname(path));
}

function tryStat(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null; // because what can't be looked at is told when it is used
  }
}

/** An ISO 8601 duration, as the API writes them; gives milliseconds. */
export function duration({ min, max }: { min: string; max: string }) {
  const [minMs, maxMs] = [parseDurationMs(min), parseDurationMs(max)] as [number, number];
  return leaf((value) => {
    const ms = typeof value === 'string' ? parseDurationMs(value) : null;
    return ms !== null && ms >= minMs && ms <= maxMs ? ms : refuse(`give a duration from ${min} to ${max}`);
  });
}

/** `sqlite:<path>`, or the URL of a MySQL or MariaDB database; a relative path is made absolute. */
export function databaseUrl(base: string) {
  return leaf((value) => parseDatabaseUrl(value, base), { secret: true });
}

function parseDatabaseUrl(value: unknown, base: string): string {
  const allowed = 'give mysql://user:password@host:3306/database, mariadb://… or sqlite:path/to/file';
  if (typeof value !== 'string') refuse(allowed);
  if (value.startsWith('sqlite:')) return fileUrl(value, 'sqlite:', base);
  if (!/^(mysql|mariadb):\/\//.test(value)) refuse(allowed);
  const url = URL.canParse(value)
    ? new URL(value)
    : refuse(`it can't be read as a URL (percent-encode / ? # @ : in the user and the password); ${allowed}`);
  if (url.hostname === '') refuse(`it names no host; ${allowed}`);
  if (!/^\/[^/]+$/.test(url.pathname)) refuse(`it must name one database after the host; ${allowed}`);
  if (url.hash !== '') refuse(`it holds a #: percent-encode it as %23; ${allowed}`);
  return value;
}

export function repositoryUrl(base: string) {
  return leaf((value) => {
    if (typeof value === 'string' && value.startsWith('s3:'))
      refuse('S3 is not available yet; give file:path/to/folder');
    if (typeof value !== 'string' || !value.startsWith('file:')) refuse('give file:path/to/folder');
    return fileUrl(value, 'file:', base);
  });
}

/** Where browsers find a service; without a slash at its end. */
export function webUrl() {
  return leaf((value) => {
    const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : null;
    const fits = url !== null && /^https?:$/.test(url.protocol) && url.username + url.search + url.hash === '';
    return fits
      ? url.href.replace(/\/+$/, '')
      : refuse('give http://host or https://host, with a port and a path if need be');
  });
}

/** `file:./a`, `file:a`, `file:/a` and `file:///a` alike; in memory is refused, since every thread would see its own. */
function fileUrl(url: string, scheme: string, base: string): string {
  const path = url.slice(scheme.length).replace(/^\/\/(?=\/)/, '');
  if (path === '' || path.startsWith('//')) refuse(`give ${scheme}path`);
  if (path === ':memory:') refuse(`an in-memory database can't be shared; give ${scheme}path`);
  return scheme + resolve(base, path);
}
