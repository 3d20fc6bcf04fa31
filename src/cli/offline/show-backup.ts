/** `show`: all that the repository says of one backup, the service's settings that a SYSTEM backup keeps included. */
import { decodeDocument } from '../../engine/rows/document-chunk';
import type { LayerRef, Manifest, StoredManifest, TableManifest } from '../../domain/manifest';
import type { BackupId } from '../../domain/ids';
import type { LegalHold } from '../../domain/legal-hold';
import type { Repository } from '../../repository/repository';
import { describeHold, readHoldsByBackup } from './legal-holds';
import { requireBackup } from './stored-backups';
import { EXIT_OK, type OfflineDeps } from './terminal';
import { count, formatBytes, formatTime, textTable, type Column } from './text-table';

export async function showBackup(
  repository: Repository,
  { backupId, json }: { backupId: BackupId; json: boolean },
  { terminal }: OfflineDeps,
): Promise<number> {
  const stored = await requireBackup(repository, backupId);
  const settings = await serviceSettings(repository, stored.manifest);
  const holds = (await readHoldsByBackup(repository)).get(backupId) ?? [];
  if (json) {
    terminal.out(JSON.stringify({ ...stored, holds, serviceSettings: settings }, null, 2));
    return EXIT_OK;
  }
  for (const [name, value] of facts(stored, holds)) terminal.out(`${name.padEnd(12)}${value}`);
  terminal.out('');
  textTable(COLUMNS, stored.manifest.tables.map(cells)).forEach((line) => terminal.out(line));
  if (settings) terminal.out(`\nThe service's settings at that time:\n${JSON.stringify(settings, null, 2)}`);
  return EXIT_OK;
}

async function serviceSettings(repository: Repository, { serviceSettings }: Manifest): Promise<unknown> {
  return serviceSettings === null ? null : decodeDocument(await repository.readChunk(serviceSettings));
}

function facts({ manifest, checksum, name }: StoredManifest, holds: readonly LegalHold[]): [string, string][] {
  const { source, scope, position, labels } = manifest;
  const rows = scope.kind === 'BUSINESS' ? `of business ${scope.businessId}` : 'all';
  const log = position === null ? 'none' : [position.file, position.offset, position.gtid ?? ''].join(' ').trim();
  return [
    ['backup', manifest.backupId],
    ['type', manifest.type],
    ['shows', `${formatTime(manifest.readAt)} (${manifest.consistency})`],
    ['source', `${source.name}: ${source.kind} ${source.version}, ${source.schema}`],
    ['rows', `${rows}, ${manifest.rowCount} in ${manifest.tables.length} tables`],
    ['stored', `${formatBytes(manifest.storedBytes)} of ${formatBytes(manifest.rawBytes)}`],
    ['log', log],
    ['parent', manifest.parentId ?? 'none'],
    ['expires', manifest.expiresAt === null ? 'never' : formatTime(manifest.expiresAt)],
    ...(holds.length === 0 ? ['none'] : holds.map(describeHold)).map((hold): [string, string] => ['hold', hold]),
    ['labels', Object.entries(labels).map(([key, value]) => `${key}=${value}`).join(', ') || 'none'], // prettier-ignore
    ['completed', `${formatTime(manifest.completedAt)} by ${manifest.writtenBy}`],
    ['manifest', name],
    ['checksum', checksum],
  ];
}

const COLUMNS: Column[] = [
  { title: 'DATA TYPE' },
  { title: 'TABLE' },
  { title: 'ROWS', right: true },
  { title: 'BYTES', right: true },
  { title: 'LAYERS' },
  { title: 'CHANGES FOUND BY' },
];

function cells({ dataType, table, rowCount, rawBytes, layers, changeDetection }: TableManifest): string[] {
  return [dataType, table, String(rowCount), formatBytes(rawBytes), layersText(layers), changeDetection];
}

function layersText(layers: readonly LayerRef[]): string {
  const chunks = layers.reduce((sum, { chunkCount }) => sum + chunkCount, 0);
  const deltas = layers.filter(({ kind }) => kind === 'DELTA').length;
  return `base${deltas > 0 ? ` and ${deltas} of changes` : ''}, ${count(chunks, 'chunk')}`;
}
