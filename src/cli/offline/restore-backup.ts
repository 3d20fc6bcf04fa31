/**
 * `restore`: the engine's own restore, with its promises, into a database that the command line names. Which table belongs to
 * whom is taken from the backup's manifest.
 */
import type { ChangeSetId, JobId, RestoreId } from '../../domain/ids';
import type { RestoreJobSpec } from '../../domain/job';
import type { Manifest, StoredManifest } from '../../domain/manifest';
import type { RestoreResult } from '../../domain/task';
import { AppError } from '../../domain/errors';
import type { Source } from '../../domain/source';
import { runTask } from '../../engine/engine';
import type { EngineDeps } from '../../engine/ports';
import { restoreScope } from '../../engine/restoring/restore-scope';
import type { Repository } from '../../repository/repository';
import type { RestoreCommand } from './command';
import { progressText } from './progress-line';
import {
  createMissingFile,
  onlyIfEmpty,
  requireNoUnfinished,
  requireSameKind,
  settling,
  targetSettings,
  TARGET_CONNECTIONS,
  type Target,
} from './restore-target';
import { requireBackup } from './stored-backups';
import { EXIT_OK, type OfflineDeps } from './terminal';
import { formatTime, textTable, type Column } from './text-table';

export async function restoreOffline(
  repository: Repository,
  command: RestoreCommand,
  deps: OfflineDeps,
): Promise<number> {
  const url = targetUrl(command, deps);
  const stored = await requireBackup(repository, command.backupId);
  const settings = targetSettings(stored.manifest, url);
  const removeFile = isIntoEmpty(command) ? createMissingFile(settings.url) : () => undefined;
  const target = deps.openSource(settings);
  try {
    const { result, done } = await restoreInto(target, { repository, stored, command }, deps);
    deps.terminal.status?.('');
    tell(result, { done, stored, url, deps });
    return EXIT_OK;
  } catch (error) {
    deps.terminal.status?.('');
    await target.close();
    removeFile();
    throw error;
  } finally {
    await target.close();
  }
}

function targetUrl({ to }: RestoreCommand, deps: OfflineDeps): string {
  const url = deps.targetUrl(to);
  if (url !== undefined) return url;
  throw new AppError('INVALID_INPUT', 'Where to restore is not said.', {
    hint: 'Set RISKVAULT_TARGET_URL, or give --to: mysql://user:password@host:3306/database or sqlite:path/to/file.',
  });
}

/** Whether rows that are there forbid the restore. */
function isIntoEmpty({ inPlace, dryRun, scratch }: RestoreCommand): boolean {
  return !inPlace && !dryRun && scratch === undefined;
}

interface Plan {
  repository: Repository;
  stored: StoredManifest;
  command: RestoreCommand;
}

async function restoreInto(source: Source, plan: Plan, deps: OfflineDeps): Promise<Restored> {
  const { command, stored } = plan;
  requireSameKind(stored.manifest, source);
  const jobId = command.takeUp ?? (deps.random.uuid() as JobId);
  const { random } = deps;
  const spec = specOf(plan, { restoreId: random.uuid() as RestoreId, changeSetId: random.uuid() as ChangeSetId });
  const watched = settling(source, (line) => deps.terminal.err(line));
  const target = isIntoEmpty(command) ? onlyIfEmpty(watched) : watched;
  if (command.takeUp === undefined) await requireReady(target, { spec, stored });
  if (!command.dryRun) deps.terminal.err(`Restore ${jobId}; if it is killed, run the command again with --take-up ${jobId}`); // prettier-ignore
  const attempt = command.takeUp === undefined ? 1 : 2;
  const task = { kind: 'RESTORE', jobId, spec, attempt } as const;
  const hooks = {
    signal: deps.signal,
    onProgress: (progress: Parameters<typeof progressText>[0]) => deps.terminal.status?.(progressText(progress)),
    onLog: (message: string) => deps.terminal.err(message),
  };
  const result = (await runTask(task, engineDeps(target.source, plan, deps), hooks)) as RestoreResult;
  // A scratch schema that was whole is made anew.
  const wasDone = target.recovery() === 'COMMITTED' && spec.target.kind === 'IN_PLACE';
  return { result, done: wasDone ? ALREADY_DONE : DONE[result.mode] };
}

interface Restored {
  result: RestoreResult;
  /** What happened, in a few words. */
  done: string;
}

/** Known before hours of proving. A restore that is taken up has to be settled before anybody looks. */
async function requireReady(
  target: Target,
  { spec, stored }: { spec: RestoreJobSpec; stored: StoredManifest },
): Promise<void> {
  const { tables } = restoreScope(spec, stored.manifest);
  if (!spec.dryRun && spec.target.kind === 'IN_PLACE') await requireNoUnfinished(target);
  await target.source.tableStates(tables.map(({ manifest }) => manifest.table));
}

function engineDeps(target: Source, { repository }: Plan, deps: OfflineDeps): EngineDeps {
  return {
    source: async () => target,
    limits: () => ({ connections: TARGET_CONNECTIONS }),
    store: async () => repository,
    clock: deps.clock,
    random: deps.random,
    log: deps.log,
    tempDir: deps.tempDir,
    writtenBy: deps.program,
  };
}

function specOf({ command, stored }: Plan, ids: Pick<RestoreJobSpec, 'restoreId' | 'changeSetId'>): RestoreJobSpec {
  const { types, business, scratch, dryRun, allowUnchecked, backupId } = command;
  return {
    kind: 'RESTORE',
    ...ids,
    backupId,
    source: stored.manifest.source.name,
    type: business !== undefined ? 'BUSINESS' : types ? 'PARTIAL' : 'FULL',
    dataTypes: types ?? [...stored.manifest.dataTypes],
    businessId: business ?? null,
    target: scratch === undefined ? { kind: 'IN_PLACE' } : { kind: 'SCRATCH', schema: scratch },
    dryRun,
    allowUnchecked,
    undoableForMs: 0, // because no command undoes
  };
}

const COLUMNS: Column[] = [
  { title: 'TABLE' },
  { title: 'INSERTED', right: true },
  { title: 'UPDATED', right: true },
  { title: 'DELETED', right: true },
  { title: 'UNCHANGED', right: true },
];

const DONE: Record<RestoreResult['mode'], string> = {
  BULK: 'Restored into missing or empty tables',
  IN_PLACE: 'Restored in place',
  DRY_RUN: 'Nothing was written. What a restore in place would do',
};

const ALREADY_DONE = 'Restored already by the restore that is taken up; nothing was written now';

function tell(
  { mode, tables, verifiedRows, notes }: RestoreResult,
  { done, stored, url, deps }: { done: string; stored: StoredManifest; url: string; deps: OfflineDeps },
): void {
  const { terminal } = deps;
  terminal.out(`${done}: ${describe(stored.manifest)} -> ${url}`);
  const rows = tables.map(({ table, inserts, updates, deletes, unchanged }) => [
    table,
    ...[inserts, updates, deletes, unchanged].map(String),
  ]);
  textTable(COLUMNS, rows).forEach((line) => terminal.out(line));
  for (const { table, warnings } of tables)
    for (const warning of warnings) terminal.out(`warning: ${table}: ${warning}`);
  for (const note of notes) terminal.out(`note: ${note}`);
  if (mode !== 'DRY_RUN') terminal.out(`${verifiedRows} rows were read back after writing and equal the backup.`);
}

function describe({ type, backupId, readAt }: Manifest): string {
  return `${type} backup ${backupId} of ${formatTime(readAt)}`;
}
