/** `list`: the backups of the repository, newest first. Manifests that can't be read are named, and end it as damage. */
import type { StoredManifest } from '../../domain/manifest';
import type { Repository } from '../../repository/repository';
import { describeHold, readHoldsByBackup, type HoldsByBackup } from './legal-holds';
import { readBackups } from './stored-backups';
import { EXIT_FAILED, EXIT_OK, type OfflineDeps } from './terminal';
import { formatBytes, formatTime, textTable, type Column } from './text-table';

const COLUMNS: Column[] = [
  { title: 'ID' },
  { title: 'TYPE' },
  { title: 'SHOWS' },
  { title: 'SOURCE' },
  { title: 'ROWS', right: true },
  { title: 'STORED', right: true },
  { title: 'EXPIRES' },
  { title: 'HOLD' },
  { title: 'PARENT' },
];

export async function listBackups(
  repository: Repository,
  { json }: { json: boolean },
  { terminal, clock }: OfflineDeps,
): Promise<number> {
  const { backups, damaged } = await readBackups(repository);
  const holds = await readHoldsByBackup(repository);
  const entries = backups.map((stored) => entryOf(stored, holds));
  if (json) terminal.out(JSON.stringify(entries, null, 2));
  else if (entries.length === 0) terminal.out('The repository holds no backup.');
  else textTable(COLUMNS, entries.map((entry) => cells(entry, clock.now()))).forEach((line) => terminal.out(line)); // prettier-ignore
  if (!json) for (const line of entries.flatMap(holdLines)) terminal.out(line);
  for (const name of damaged) terminal.err(`${name} can't be read: run verify --all to see what it hurts.`);
  return damaged.length === 0 ? EXIT_OK : EXIT_FAILED;
}

type Entry = ReturnType<typeof entryOf>;

function holdLines({ id, holds }: Entry): string[] {
  return holds.map((hold) => `${id} is held ${describeHold(hold)}`);
}

function entryOf({ manifest, checksum }: StoredManifest, holds: HoldsByBackup) {
  const { backupId, type, source, scope, dataTypes, readAt, completedAt, expiresAt, parentId, rowCount, storedBytes } =
    manifest;
  return {
    id: backupId,
    type,
    readAt,
    completedAt,
    source: source.name,
    sourceKind: source.kind,
    businessId: scope.kind === 'BUSINESS' ? scope.businessId : null,
    dataTypes,
    rowCount,
    storedBytes,
    expiresAt,
    parentId,
    held: holds.has(backupId),
    holds: holds.get(backupId) ?? [],
    labels: manifest.labels,
    checksum,
  };
}

function cells(entry: Entry, now: Date): string[] {
  const { id, type, businessId, readAt, source, rowCount, storedBytes, expiresAt, held, parentId } = entry;
  const kind = businessId === null ? type : `${type} ${businessId}`;
  const expired = expiresAt !== null && Date.parse(expiresAt) <= now.getTime();
  const expires = expiresAt === null ? 'never' : `${formatTime(expiresAt)}${expired ? ' (expired)' : ''}`;
  const numbers = [String(rowCount), formatBytes(storedBytes)];
  return [id, kind, formatTime(readAt), source, ...numbers, expires, held ? 'held' : '-', parentId ?? '-'];
}
