/** Follows one record through the backups of a source, oldest first, within a limit of bytes. */
import type { HistoryPlace, HistoryWanted, RecordVersion } from '../../domain/backup-reader';
import type { BackupStore } from '../../domain/backup-store';
import { AppError, isAppError } from '../../domain/errors';
import type { BackupId } from '../../domain/ids';
import type { Manifest, TableManifest } from '../../domain/manifest';
import { sameJson, type JsonRow, type JsonValue } from '../../domain/values';
import type { RecordHistoryResult } from '../../domain/task';
import { throwIfAborted } from '../lanes';
import type { TaskContext } from '../ports';
import { TypedRows } from '../rows/typed-rows';
import { codecOf } from './codec-of';
import { KeyProbe } from './key-probe';
import { KeyedLayers } from './keyed-layers';

/** Of rows, uncompressed, in one answer; one backup is always looked at. */
const MAX_READ_BYTES = 512 * 1024 * 1024;

/** Undefined where a backup does not tell; null where the record was gone. */
type Seen = JsonRow | null | undefined;

export async function findHistory(wanted: HistoryWanted, context: TaskContext): Promise<RecordHistoryResult> {
  const store = await context.deps.store();
  const backups = await backupsOf(wanted, { store, context });
  const record = new FollowedRecord(wanted, { store, context });
  const history = new History(wanted.limit);
  const { from } = wanted;
  if (from !== null) await resume(history, { from, backups, record });
  const start = from === null ? 0 : indexOf(backups, from.seen) + 1;
  for (const backup of backups.slice(start)) {
    throwIfAborted(context.signal);
    const seen = await record.in(backup);
    if (seen !== undefined && !history.add(backup, seen)) return history.result();
    if (record.readBytes() > MAX_READ_BYTES) return history.stopAt(backup);
  }
  record.requireFit();
  return history.finish();
}

/** By the moment that they show. Those whose manifest is damaged tell nothing, which a check of the repository reports. */
async function backupsOf(
  { source, dataType, table, formerly }: HistoryWanted,
  { store, context }: { store: BackupStore; context: TaskContext },
): Promise<Manifest[]> {
  const found: Manifest[] = [];
  const damaged = (name: string): void => context.deps.log.warn('a manifest is damaged', { manifest: name });
  for await (const { manifest } of store.listManifests(damaged)) {
    throwIfAborted(context.signal);
    if (manifest.source.name === source && tableOf(manifest, { dataType, table, formerly }) !== undefined)
      found.push(manifest);
  }
  if (found.length === 0)
    throw new AppError('NOT_FOUND', `No backup of ${source} holds a table ${table} of ${dataType}.`, {
      hint: 'Take a backup of it first, or name another table.',
    });
  const order = (manifest: Manifest): string => `${manifest.readAt} ${manifest.createdAt} ${manifest.backupId}`;
  return found.sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

function tableOf(
  { tables }: Manifest,
  wanted: Pick<HistoryWanted, 'dataType' | 'table' | 'formerly'>,
): TableManifest | undefined {
  const held = tables.filter(({ dataType }) => dataType === wanted.dataType);
  const names = [wanted.table, ...(wanted.formerly ?? [])];
  return names.flatMap((name) => held.find(({ table }) => table === name) ?? [])[0];
}

function indexOf(backups: readonly Manifest[], id: BackupId): number {
  const index = backups.findIndex(({ backupId }) => backupId === id);
  if (index >= 0) return index;
  throw new AppError('CURSOR_EXPIRED', 'A backup that this cursor names was deleted.', {
    hint: 'Start again without a cursor.',
    path: ['after'],
  });
}

async function resume(
  history: History,
  { from, backups, record }: { from: HistoryPlace; backups: readonly Manifest[]; record: FollowedRecord },
): Promise<void> {
  const seenIn = async (id: BackupId | null): Promise<{ backup: Manifest; seen: Seen } | null> => {
    const backup = id === null ? undefined : backups[indexOf(backups, id)];
    return backup === undefined ? null : { backup, seen: await record.in(backup) };
  };
  const last = backups[indexOf(backups, from.seen)] as Manifest;
  history.resume(await seenIn(from.before), await seenIn(from.run), { last, isGiven: from.isGiven });
}

/** The record in one backup after the other; what they share is read once. */
class FollowedRecord {
  private readonly readers = new Map<string, { layers: KeyedLayers; typed: TypedRows } | AppError>();

  constructor(
    private readonly wanted: HistoryWanted,
    private readonly reading: { store: BackupStore; context: TaskContext },
  ) {}

  async in(manifest: Manifest): Promise<Seen> {
    const table = tableOf(manifest, this.wanted) as TableManifest;
    const reader = await this.readerOf(manifest, table);
    if (reader instanceof AppError) return undefined;
    try {
      const row = await reader.layers.rowOf(table);
      if (row !== null) return reader.typed.row(row, 0);
      return manifest.scope.kind === 'ALL' ? null : undefined;
    } catch (error) {
      return this.unlessDeleted(error, manifest);
    }
  }

  readBytes(): number {
    let bytes = 0;
    for (const reader of this.readers.values()) if (!(reader instanceof AppError)) bytes += reader.layers.readBytes;
    return bytes;
  }

  /** Throws where the key is one in no backup. */
  requireFit(): void {
    const all = [...this.readers.values()];
    const [first] = all;
    if (first instanceof AppError && all.every((reader) => reader instanceof AppError)) throw first;
  }

  /** One for each structure that the table had. */
  private async readerOf(manifest: Manifest, table: TableManifest) {
    const { structure } = table;
    const name = JSON.stringify([structure.rowEncoding, structure.columns, structure.key]);
    const known = this.readers.get(name);
    if (known !== undefined) return known;
    const codec = await codecOf(manifest, table, this.reading.context.deps);
    const probe = probeOf(() => new KeyProbe(codec, structure, this.wanted.key));
    const reader =
      probe instanceof AppError
        ? probe
        : { layers: new KeyedLayers({ ...this.reading, probe }), typed: new TypedRows(codec, structure) };
    this.readers.set(name, reader);
    return reader;
  }

  private async unlessDeleted(error: unknown, { backupId }: Manifest): Promise<undefined> {
    if (!isAppError(error) || error.code !== 'INTEGRITY_FAILURE') throw error;
    if ((await this.reading.store.findManifest(backupId)) === null) return undefined;
    const { table } = this.wanted;
    throw new AppError('INTEGRITY_FAILURE', `Table ${table} of backup ${backupId} can't be read: ${error.message}`, {
      hint: 'Verify that backup to learn what is damaged.',
      cause: error,
    });
  }
}

/** A key that fits a table as it was once need not fit it as it was before. */
function probeOf(make: () => KeyProbe): KeyProbe | AppError {
  try {
    return make();
  } catch (error) {
    if (isAppError(error) && error.code === 'INVALID_INPUT') return error;
    throw error;
  }
}

interface Run {
  version: RecordVersion;
  isGiven: boolean;
  before: BackupId | null;
}

/** Backups that show the same, gathered into versions. */
class History {
  private readonly versions: RecordVersion[] = [];
  private run: Run | null = null;

  constructor(private readonly limit: number) {}

  resume(
    before: { backup: Manifest; seen: Seen } | null,
    run: { backup: Manifest; seen: Seen } | null,
    { last, isGiven }: { last: Manifest; isGiven: boolean },
  ): void {
    if (before !== null) this.begin(before.backup, before.seen ?? null);
    if (run === null) return;
    this.begin(run.backup, run.seen ?? null);
    const { version } = this.run as unknown as Run;
    version.lastBackupId = last.backupId;
    version.lastSeenAt = last.readAt;
    (this.run as unknown as Run).isGiven = isGiven;
  }

  /** False where another version begins and no more are wanted. */
  add(backup: Manifest, seen: JsonRow | null): boolean {
    const { run } = this;
    if (run === null && seen === null) return true;
    if (run !== null && isSame(run.version.fields, seen)) {
      run.version.lastBackupId = backup.backupId;
      run.version.lastSeenAt = backup.readAt;
      return true;
    }
    this.give();
    if (this.versions.length === this.limit) return false;
    this.begin(backup, seen);
    return true;
  }

  result(): RecordHistoryResult {
    return { kind: 'RECORD_HISTORY', versions: this.versions, next: placeAfter(this.versions.at(-1) as RecordVersion) };
  }

  stopAt({ backupId }: Manifest): RecordHistoryResult {
    const { run } = this;
    const place = {
      run: run?.version.firstBackupId ?? null,
      before: run?.before ?? null,
      isGiven: run?.isGiven ?? false,
    };
    return { kind: 'RECORD_HISTORY', versions: this.versions, next: { ...place, seen: backupId } };
  }

  finish(): RecordHistoryResult {
    this.give();
    return { kind: 'RECORD_HISTORY', versions: this.versions, next: null };
  }

  private give(): void {
    if (this.run !== null && !this.run.isGiven) this.versions.push(this.run.version);
  }

  private begin(backup: Manifest, fields: JsonRow | null): void {
    const before = this.run?.version ?? null;
    const { backupId, readAt } = backup;
    const version: RecordVersion = {
      fields,
      changedFields: changedFields(before?.fields ?? null, fields),
      ...{ firstBackupId: backupId, lastBackupId: backupId, firstSeenAt: readAt, lastSeenAt: readAt },
    };
    this.run = { version, isGiven: false, before: before?.firstBackupId ?? null };
  }
}

function placeAfter({ firstBackupId, lastBackupId }: RecordVersion): HistoryPlace {
  return { run: firstBackupId, seen: lastBackupId, isGiven: true, before: null };
}

function isSame(a: JsonRow | null, b: JsonRow | null): boolean {
  return a === null || b === null ? a === b : sameJson(a, b);
}

function changedFields(before: JsonRow | null, after: JsonRow | null): string[] {
  if (before === null || after === null) return [];
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => !isSameField(before[name], after[name]));
}

function isSameField(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  return a === undefined || b === undefined ? a === b : sameJson(a, b);
}
