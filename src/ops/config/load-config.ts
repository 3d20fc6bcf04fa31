/**
 * The settings, from the file that RISKVAULT_CONFIG names and from environment variables over it: checked whole, so that
 * every problem is reported at once, and nothing starts on settings that are half right.
 * This is the one file that reads the process's environment.
 */
import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import type { z } from 'zod';
import type { Settings } from '../../domain/settings';
import {
  CONFIG_FILE_VARIABLE,
  createLookup,
  ENVIRONMENT_SETTINGS,
  expandVariables,
  unknownVariables,
  type Environment,
  type EnvironmentSetting,
} from './environment';
import { configInvalid, type Problem } from './problem';
import { settingsSchema, toSettings } from './schema';

export interface LoadedConfig {
  settings: Settings;
  /** The settings file, if there is one. */
  file: string | undefined;
  /** What is probably not meant so; for the log. */
  warnings: string[];
}

export interface LoadConfigOptions {
  environment?: Environment;
  /** Relative paths start here; default: the working folder. */
  base?: string;
  /** Given on a command line: over the file and the environment. */
  repositoryUrl?: string;
}

/** Throws CONFIG_INVALID, whose message lists every problem. */
export function loadConfig(options: LoadConfigOptions = {}): LoadedConfig {
  return load(options, () => true);
}

/** All other settings may be wrong, or missing. Throws CONFIG_INVALID. */
export function loadRepositorySettings(options: LoadConfigOptions = {}): Settings['repository'] {
  return load(options, (group) => REPOSITORY_GROUPS.includes(group)).settings.repository;
}

/** The data folder is where the repository is by default. */
const REPOSITORY_GROUPS = ['repository', 'dataFolder'];

/** `wanted`: which of the settings' outermost names are read; the rest stays as by default. */
function load(options: LoadConfigOptions, wanted: (group: string) => boolean): LoadedConfig {
  const environment = withRepository(options.environment ?? process.env, options.repositoryUrl);
  const problems: Problem[] = [];
  const used = new Set<string>();
  const lookup = createLookup(environment, problems);
  const lookupUsed = (name: string) => (used.add(name), lookup(name));

  const file = lookup(CONFIG_FILE_VARIABLE);
  const document = file === undefined ? {} : readFile(file, problems);
  const written = expandVariables(pick(document, wanted), {
    lookup: lookupUsed,
    report: (problem) => problems.push(problem),
  });
  const origins = new Map<string, string>();
  const variables = ENVIRONMENT_SETTINGS.filter(({ path: [group] }) => wanted(group ?? ''));
  const overlaid = overlay(written, { variables, lookup, origins });

  const parsed = settingsSchema(options.base ?? process.cwd()).safeParse(overlaid);
  const found = parsed.success ? [] : parsed.error.issues.flatMap((issue) => toProblems(issue, origins));
  if (!parsed.success || problems.length > 0) throw configInvalid(together(problems, found), file);
  const settings = toSettings(parsed.data);
  return { settings, file, warnings: warningsOf(settings, unknownVariables(environment, used)) };
}

function withRepository(environment: Environment, url: string | undefined): Environment {
  if (url === undefined) return environment;
  return { ...environment, RISKVAULT_REPOSITORY_URL: url, RISKVAULT_REPOSITORY_URL_FILE: undefined };
}

/** A variable that is no setting, or what the file that its `_FILE` variant names holds; undefined where neither is set. */
export function readVariable(name: string, environment: Environment = process.env): string | undefined {
  const problems: Problem[] = [];
  const value = createLookup(environment, problems)(name);
  if (problems.length > 0) throw configInvalid(problems, undefined);
  return value;
}

function readFile(file: string, problems: Problem[]): unknown {
  try {
    const document = parseDocument(readFileSync(file, 'utf8'));
    problems.push(...document.errors.map(({ message }) => ({ where: file, message: message.split('\n')[0]! })));
    return document.errors.length > 0 ? {} : ((document.toJS() as unknown) ?? {});
  } catch (error) {
    problems.push({
      where: CONFIG_FILE_VARIABLE,
      message: `names a file that can't be read (${(error as Error).message})`,
    });
    return {};
  }
}

function pick(document: unknown, wanted: (group: string) => boolean): unknown {
  if (!isGroup(document)) return document;
  return Object.fromEntries(Object.entries(document).filter(([group]) => wanted(group)));
}

/** Lays the variables that are set over the file's settings, and notes for each where it came from. */
function overlay(
  written: unknown,
  {
    variables,
    lookup,
    origins,
  }: {
    variables: readonly EnvironmentSetting[];
    lookup: (name: string) => string | undefined;
    origins: Map<string, string>;
  },
): unknown {
  if (!isGroup(written)) return written;
  const result = structuredClone(written);
  for (const { name, path } of variables) {
    const value = lookup(name);
    if (value === undefined) continue;
    const place = path[0] === 'sources' ? defaultSourcePath(result) : path;
    if (place && setAt(result, place, value)) origins.set(place.join('.'), name);
  }
  return result;
}

/** Where the source named `default` has its URL, adding that source if there is none; undefined where `sources` is no list. */
function defaultSourcePath(settings: Record<string, unknown>): string[] | undefined {
  const sources = (settings.sources ??= []);
  if (!Array.isArray(sources)) return undefined;
  const at = sources.findIndex((source) => isGroup(source) && (source.name ?? 'default') === 'default');
  if (at >= 0) return ['sources', String(at), 'url'];
  return ['sources', String(sources.push({ name: 'default' }) - 1), 'url'];
}

/** False where something on the way is no group; the check that follows says so. */
function setAt(target: object, path: readonly string[], value: string): boolean {
  const [key, ...rest] = path as [string, ...string[]];
  const group = target as Record<string, unknown>;
  if (rest.length === 0) {
    group[key] = value;
    return true;
  }
  const next = (group[key] ??= {});
  return typeof next === 'object' && next !== null && setAt(next, rest, value);
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function toProblems(issue: z.core.$ZodIssue, origins: ReadonlyMap<string, string>): Problem[] {
  const path = issue.path.map(String).join('.');
  const origin = origins.get(path);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      where: path === '' ? key : `${path}.${key}`,
      message: 'is no setting (see README.md)',
    }));
  }
  const message =
    issue.code === 'invalid_type'
      ? `is not allowed: give ${EXPECTED[issue.expected] ?? issue.expected}`
      : issue.message;
  return [{ where: origin === undefined ? path : `${origin} (${path})`, message }];
}

const EXPECTED: Partial<Record<string, string>> = { object: 'a group of settings', array: 'a list' };

/** An unset `${NAME}` is reported as such, and not once more for the text that it left behind. */
function together(ofReading: readonly Problem[], ofValues: readonly Problem[]): Problem[] {
  const values = ofValues.filter(({ where }) => !ofReading.some((other) => other.where === where));
  const all = [...ofReading, ...values];
  const same = (a: Problem, b: Problem): boolean => a.where === b.where && a.message === b.message;
  return all.filter((problem, at) => all.findIndex((other) => same(other, problem)) === at);
}

function warningsOf(settings: Settings, unknown: readonly string[]): string[] {
  const warnings = unknown.map((name) => `${name} is no setting of Riskvault and was ignored.`);
  const { passphrase } = settings.repository;
  if (passphrase !== undefined && passphrase.length < SHORT_PASSPHRASE) {
    warnings.push(`The repository's passphrase is shorter than ${SHORT_PASSPHRASE} characters.`);
  }
  return warnings;
}

const SHORT_PASSPHRASE = 12;
