/**
 * The doctor: examines section by section what the service needs, and says for each thing how it is, and what to do where it is
 * not well. A section that throws is a finding, not the end; nothing here changes what it examines.
 */
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '../domain/ambient';
import { toAppError } from '../domain/errors';
import type { MappingProblem, Source, SourceFinding } from '../domain/source';
import { withoutCredentials } from './logger';

export type Finding = SourceFinding;

export interface Section {
  title: string;
  examine(signal: AbortSignal): Promise<Finding[]>;
}

export interface ExaminedSection {
  title: string;
  findings: Finding[];
}

export interface ExamineOptions {
  clock: Clock;
  /** How long one section may take. */
  timeoutMs?: number;
  onSection?(section: ExaminedSection): void;
}

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const LITTLE_SPACE_BYTES = 2 * GIB;
/** Older than this program, so a clock before it is wrong. */
const EARLIEST_SENSIBLE = '2026-01-01T00:00:00Z';

export async function examine(sections: readonly Section[], options: ExamineOptions): Promise<ExaminedSection[]> {
  const examined: ExaminedSection[] = [];
  for (const section of sections) {
    const done = { title: section.title, findings: await examineOne(section, options) };
    options.onSection?.(done);
    examined.push(done);
  }
  return examined;
}

async function examineOne(section: Section, { clock, timeoutMs = 30_000 }: ExamineOptions): Promise<Finding[]> {
  const stop = new AbortController();
  const tooLong = async () => {
    await clock.sleep(timeoutMs, stop.signal);
    throw new Error(`no answer within ${timeoutMs / 1000} s`);
  };
  try {
    return await Promise.race([section.examine(stop.signal), tooLong()]);
  } catch (error) {
    return [failure(error)];
  } finally {
    stop.abort();
  }
}

export function ok(check: string, message: string): Finding {
  return { check, ok: true, severity: 'INFO', message };
}

export function bad(check: string, severity: 'ERROR' | 'WARNING', message: string): Finding {
  return { check, ok: false, severity, message };
}

function failure(error: unknown): Finding {
  const { message, hint } = toAppError(error);
  return bad('reachable', 'ERROR', hint === undefined ? message : `${sentence(message)} ${hint}`);
}

/** Words of others, a driver's at the end of a message, may lack it. */
function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** What the source says of itself, and its mapping against the live schema. */
export function sourceSection(source: Source): Section {
  return {
    title: `Source ${source.name}`,
    async examine(signal) {
      const findings = await source.diagnose(signal);
      const others = findings.filter(({ check }) => check !== 'mapping');
      return [...others, ...(await examineMapping(source, others, signal))];
    },
  };
}

/** What was found before may be why the tables can't be looked at, and says how to mend it. */
async function examineMapping(source: Source, others: readonly Finding[], signal: AbortSignal): Promise<Finding[]> {
  try {
    return mappingFindings(await source.checkMapping(signal));
  } catch (error) {
    if (!others.some(isError)) throw error;
    return [bad('mapping', 'WARNING', 'The mapped tables can only be examined once the errors above are mended.')];
  }
}

function mappingFindings(problems: readonly MappingProblem[]): Finding[] {
  if (problems.length === 0) return [ok('mapping', 'Every mapped table is there and can be backed up.')];
  return problems.map(({ message, hint }) => bad('mapping', 'ERROR', `${sentence(message)} ${hint}`));
}

export function clockSection(clock: Clock): Section {
  return {
    title: 'Clock',
    async examine() {
      const now = clock.now().toISOString();
      if (now < EARLIEST_SENSIBLE) {
        return [
          bad('clock', 'ERROR', `The clock says ${now}, which can't be: expiry and schedules would be wrong. Set it.`),
        ];
      }
      return [ok('clock', `It is ${now}.`)];
    },
  };
}

/** Free space of the file systems that hold these folders; a folder that is not there yet counts as its nearest parent. */
export function spaceSection(folders: Readonly<Record<string, string>>): Section {
  return {
    title: 'Free space',
    examine: () => Promise.all(Object.entries(folders).map(([what, folder]) => spaceFinding(what, folder))),
  };
}

async function spaceFinding(what: string, folder: string): Promise<Finding> {
  const free = await freeBytes(folder);
  const message = `${spaceText(free)} are free for ${what} (${folder}).`;
  return free < LITTLE_SPACE_BYTES ? bad(what, 'WARNING', `Only ${message}`) : ok(what, message);
}

function spaceText(bytes: number): string {
  return bytes < GIB ? `${Math.floor(bytes / MIB)} MiB` : `${(bytes / GIB).toFixed(1)} GiB`;
}

async function freeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (missing && dirname(folder) !== folder) return freeBytes(dirname(folder));
    throw error;
  }
}

export function renderSection({ title, findings }: ExaminedSection): string {
  return [title, ...findings.flatMap(renderFinding), ''].join('\n');
}

function renderFinding({ ok, severity, message, statement }: Finding): string[] {
  const mark = ok ? 'ok     ' : severity === 'INFO' ? 'note   ' : severity.padEnd(7);
  const indented = (statement ?? '').split('\n').filter((line) => line !== '');
  return [`  ${mark} ${withoutCredentials(message)}`, ...(ok ? [] : indented.map((line) => `            ${line}`))];
}

export function renderSummary(examined: readonly ExaminedSection[]): string {
  const found = examined.flatMap((section) => section.findings);
  const errors = found.filter(isError).length;
  const warnings = found.filter((finding) => !finding.ok && finding.severity === 'WARNING').length;
  return `${found.length} checks: ${count(errors, 'error')}, ${count(warnings, 'warning')}`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

export function isError(finding: Finding): boolean {
  return !finding.ok && finding.severity === 'ERROR';
}
