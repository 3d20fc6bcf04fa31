/** Sources as the API shows them, and the rules that need to know them. */
import { AppError, toErrorData, type ErrorData } from '../domain/errors';
import type { SourceMapping } from '../domain/mapping';
import type { MappingProblem, SourceInfo } from '../domain/source';
import { authorize } from './authorize';
import type { InputProblems } from './input-problems';
import { quote } from './input-rules';
import type { SourcePort } from './ports';
import type { Principal } from './principal';

export interface SourceView {
  name: string;
  mapping: SourceMapping;
  /** Null where the source can't be reached; `problem` says why. */
  info: SourceInfo | null;
  mappingProblems: MappingProblem[];
  problem: ErrorData | null;
}

export interface SourcesService {
  list(principal: Principal, signal?: AbortSignal): Promise<SourceView[]>;
}

export function createSourcesService(sources: readonly SourcePort[]): SourcesService {
  return {
    async list(principal, signal) {
      authorize(principal, 'source:read');
      return Promise.all(sources.map((source) => view(source, signal)));
    },
  };
}

async function view(source: SourcePort, signal?: AbortSignal): Promise<SourceView> {
  const { name, mapping } = source;
  try {
    const info = await source.info(signal);
    return { name, mapping, info, mappingProblems: await source.checkMapping(signal), problem: null };
  } catch (error) {
    // because: a list of sources must show the one that is down, not fail with it
    return { name, mapping, info: null, mappingProblems: [], problem: toErrorData(error) };
  }
}

/** The source of that name; null, and a problem that lists the known ones, when there is none. */
export function checkSource(sources: readonly SourcePort[], name: string, problems: InputProblems): SourcePort | null {
  const source = sources.find((candidate) => candidate.name === name);
  if (source) return source;
  const known = sources.map((candidate) => candidate.name).join(', ');
  problems.add('source', `There is no source ${quote(name)}.`, `Use one of: ${known}.`);
  return null;
}

/** The source that a backup was taken from; BACKUP_NOT_RESTORABLE where it is no longer configured. */
export function sourceOfBackup(sources: readonly SourcePort[], name: string): SourcePort {
  const source = sources.find((candidate) => candidate.name === name);
  if (source) return source;
  throw new AppError('BACKUP_NOT_RESTORABLE', `The backup's source ${quote(name)} is no longer configured.`, {
    hint: `Add a source named ${quote(name)} to the settings.`,
    path: ['input', 'backupId'],
  });
}
