/**
 * Settings from the environment: which variables there are, their `_FILE` variants, and `${NAME}` inside the settings file.
 * Nothing here reads the process's own environment; `load-config` hands it in. An empty variable counts as not set.
 */
import { readFileSync } from 'node:fs';
import type { Problem } from './problem';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface EnvironmentSetting {
  name: string;
  /** Where it lands in the settings file's shape. A source's URL lands in the source named `default`. */
  path: readonly string[];
  purpose: string;
}

export const CONFIG_FILE_VARIABLE = 'RISKVAULT_CONFIG';
const PREFIX = 'RISKVAULT_';
/** Kubernetes sets such variables for every service of a namespace; for one called `riskvault` they look like ours. */
const SERVICE_LINK = /^RISKVAULT_(SERVICE_(HOST|PORT)|PORT)(_|$)/;

export const ENVIRONMENT_SETTINGS: readonly EnvironmentSetting[] = [
  { name: 'RISKVAULT_SOURCE_URL', path: ['sources', 'default', 'url'], purpose: 'the source named `default`' },
  { name: 'RISKVAULT_CATALOG_URL', path: ['catalog', 'url'], purpose: 'the catalog' },
  { name: 'RISKVAULT_REPOSITORY_URL', path: ['repository', 'url'], purpose: 'the repository' },
  { name: 'RISKVAULT_PASSPHRASE', path: ['repository', 'passphrase'], purpose: 'the passphrase that encrypts it' },
  { name: 'RISKVAULT_COMPRESSION', path: ['repository', 'compression'], purpose: 'compression of what is stored' },
  {
    name: 'RISKVAULT_DATA_FOLDER',
    path: ['dataFolder'],
    purpose: 'the folder of everything without a place of its own',
  },
  { name: 'RISKVAULT_HOST', path: ['server', 'host'], purpose: 'the address to listen on' },
  { name: 'RISKVAULT_PORT', path: ['server', 'port'], purpose: 'the port to listen on' },
  { name: 'RISKVAULT_CONCURRENCY', path: ['runner', 'concurrency'], purpose: 'jobs at once' },
  { name: 'RISKVAULT_RETENTION_DAYS', path: ['retention', 'defaultDays'], purpose: 'days that a backup is kept' },
  { name: 'RISKVAULT_LOG_LEVEL', path: ['log', 'level'], purpose: 'the log level' },
];

/** Read by the offline command alone; no setting of the service. */
export const NEW_PASSPHRASE_VARIABLE = 'RISKVAULT_NEW_PASSPHRASE';
export const TARGET_URL_VARIABLE = 'RISKVAULT_TARGET_URL';
/** Variables of ours that are no setting. */
export const OTHER_VARIABLES = [CONFIG_FILE_VARIABLE, NEW_PASSPHRASE_VARIABLE, TARGET_URL_VARIABLE];

/** A variable's value, from itself or from the file that `<name>_FILE` names; undefined where neither is set. */
export function createLookup(environment: Environment, problems: Problem[]): (name: string) => string | undefined {
  const seen = new Map<string, string | undefined>();
  return (name) => {
    if (!seen.has(name)) seen.set(name, lookUp(name, environment, problems));
    return seen.get(name);
  };
}

function lookUp(name: string, environment: Environment, problems: Problem[]): string | undefined {
  const value = environment[name] || undefined;
  const file = environment[`${name}_FILE`] || undefined;
  if (file === undefined) return value;
  if (value !== undefined) {
    problems.push({ where: name, message: `is set, and so is ${name}_FILE: set one of them` });
    return undefined;
  }
  return readSecretFile(`${name}_FILE`, file, problems);
}

/** The file's text without its last line break, as `echo secret > file` leaves one. */
function readSecretFile(name: string, file: string, problems: Problem[]): string | undefined {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '') || undefined;
  } catch (error) {
    problems.push({ where: name, message: `names a file that can't be read (${(error as Error).message})` });
    return undefined;
  }
}

export interface ExpandOptions {
  lookup: (name: string) => string | undefined;
  report: (problem: Problem) => void;
}

/** Replaces `${NAME}` in every string of a parsed document; `$${` stands for a literal `${`. */
export function expandVariables(value: unknown, options: ExpandOptions, path: readonly string[] = []): unknown {
  if (typeof value === 'string') return expandText(value, options, path.join('.'));
  if (typeof value !== 'object' || value === null) return value;
  const expand = ([key, item]: [string, unknown]) => expandVariables(item, options, [...path, key]);
  if (Array.isArray(value)) return Object.entries(value).map(expand);
  return Object.fromEntries(Object.entries(value).map((entry) => [entry[0], expand(entry)]));
}

function expandText(text: string, { lookup, report }: ExpandOptions, where: string): string {
  return text.replace(/\$\$\{|\$\{([^}]*)\}/g, (whole, name: string | undefined) => {
    if (name === undefined) return '${';
    const value = lookup(name);
    if (value === undefined) report({ where, message: `names \${${name}}, which is not set (nor is ${name}_FILE)` });
    return value ?? whole;
  });
}

/** RISKVAULT_ variables that no setting has: most likely a typing error. */
export function unknownVariables(environment: Environment, used: ReadonlySet<string>): string[] {
  const known = new Set([...OTHER_VARIABLES, ...ENVIRONMENT_SETTINGS.map((setting) => setting.name), ...used]);
  return Object.keys(environment).filter(
    (name) => name.startsWith(PREFIX) && !known.has(name.replace(/_FILE$/, '')) && !SERVICE_LINK.test(name),
  );
}
