/** Sources as the API shows them, and the rules that need to know them. */
import type { Clock } from '../domain/ambient';
import type { DataType } from '../domain/data-type';
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
  /**
   * Rows by table as the database's own statistics tell, without counting; a table that they don't know is absent. Null where the
   * source is away or does not answer within ESTIMATE_PATIENCE_MS.
   */
  estimateRows(principal: Principal, name: string, signal?: AbortSignal): Promise<ReadonlyMap<string, number> | null>;
  /** Every data type that some source maps a table to. */
  mappedDataTypes(): ReadonlySet<DataType>;
}

export const ESTIMATE_PATIENCE_MS = 2_000;

export function createSourcesService(sources: readonly SourcePort[], clock: Clock): SourcesService {
  return {
    async list(principal, signal) {
      authorize(principal, 'source:read');
      return Promise.all(sources.map((source) => view(source, signal)));
    },
    async estimateRows(principal, name, signal) {
      authorize(principal, 'source:read');
      const source = sources.find((candidate) => candidate.name === name);
      return source ? estimateInTime(source, clock, signal) : null;
    },
    mappedDataTypes: () => new Set(sources.flatMap(({ mapping }) => mapping.map(({ dataType }) => dataType))),
  };
}

/** The one that is late ends by its signal, and nobody waits for that. */
async function estimateInTime(
  source: SourcePort,
  clock: Clock,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, number> | null> {
  const over = new AbortController();
  const giveUp = (): void => over.abort();
  signal?.addEventListener('abort', giveUp);
  const nothing = (): null => null; // because: an estimate that can't be had is no failure of what it is shown with
  const timeUp = clock.sleep(ESTIMATE_PATIENCE_MS, over.signal).then(nothing, nothing);
  try {
    return await Promise.race([source.estimateRows(over.signal).catch(nothing), timeUp]);
  } finally {
    signal?.removeEventListener('abort', giveUp);
    over.abort();
  }
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
