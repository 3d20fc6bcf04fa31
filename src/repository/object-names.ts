/** Names of objects (FORMAT.md, section 2): made and recognised here alone. */
import { BACKUP_TYPES, type BackupType } from '../domain/backup';
import type { BackupId, ChangeSetId, HoldId } from '../domain/ids';

export const CONFIG_NAME = 'config.json';
export const CONFIG_COPY_NAME = 'config.copy.json';
const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const TIME = '\\d{8}T\\d{6}Z';

const PACK = /^packs\/([0-9a-f]{2})\/(\1[0-9a-f]{30})\.pack$/;
const KEY = new RegExp(`^keys/(${UUID})(\\.copy)?\\.json$`);
const LOCK = new RegExp(`^locks/(shared|exclusive)-(${UUID})-(\\d{1,9})\\.json$`);
const MANIFEST = new RegExp(
  `^manifests/\\d{4}/\\d{2}/(${TIME})-(${BACKUP_TYPES.join('|')})-(${UUID})(?:\\.g(\\d{1,6}))?\\.json$`,
);
const CHANGE_SET = new RegExp(`^changes/\\d{4}/\\d{2}/${TIME}-(${UUID})\\.json$`);
const HOLD = new RegExp(`^holds/(${UUID})-(${UUID})\\.json$`);
const MARK = new RegExp(`^marks/${TIME}-(${UUID})\\.json$`);
const ERASURE = new RegExp(`^erasures/${TIME}-(${UUID})\\.json$`);
const PROBE = new RegExp(`^probes/(${UUID})\\.json$`);

export type ObjectClass =
  | { kind: 'CONFIG' }
  | { kind: 'KEY'; keyId: string; copy: boolean }
  | { kind: 'PACK'; packId: string }
  | { kind: 'MANIFEST'; backupId: BackupId; type: BackupType; generation: number }
  | { kind: 'CHANGE_SET'; changeSetId: ChangeSetId }
  | { kind: 'LOCK'; lease: 'SHARED' | 'EXCLUSIVE'; leaseId: string; renewal: number }
  | { kind: 'HOLD'; backupId: BackupId; holdId: HoldId }
  | { kind: 'MARK' }
  | { kind: 'ERASURE' }
  | { kind: 'PROBE' };

/** What an object is by its name; null for one that does not belong here. */
export function classify(name: string): ObjectClass | null {
  if (name === CONFIG_NAME || name === CONFIG_COPY_NAME) return { kind: 'CONFIG' };
  return classifyByFolder[name.slice(0, name.indexOf('/'))]?.(name) ?? null;
}

const classifyByFolder: Record<string, (name: string) => ObjectClass | null> = {
  packs: (name) => matched(PACK, name, ([, , packId]) => ({ kind: 'PACK', packId: packId as string })),
  keys: (name) =>
    matched(KEY, name, ([, keyId, copy]) => ({ kind: 'KEY', keyId: keyId as string, copy: copy !== undefined })),
  manifests: (name) =>
    matched(MANIFEST, name, ([, , type, backupId, generation]) => ({
      kind: 'MANIFEST',
      backupId: backupId as BackupId,
      type: type as BackupType,
      generation: Number(generation ?? 1),
    })),
  changes: (name) => matched(CHANGE_SET, name, ([, id]) => ({ kind: 'CHANGE_SET', changeSetId: id as ChangeSetId })),
  locks: (name) =>
    matched(LOCK, name, ([, kind, leaseId, renewal]) => ({
      kind: 'LOCK',
      lease: kind === 'shared' ? 'SHARED' : 'EXCLUSIVE',
      leaseId: leaseId as string,
      renewal: Number(renewal),
    })),
  holds: (name) =>
    matched(HOLD, name, ([, backupId, holdId]) => ({
      kind: 'HOLD',
      backupId: backupId as BackupId,
      holdId: holdId as HoldId,
    })),
  marks: (name) => matched(MARK, name, () => ({ kind: 'MARK' })),
  erasures: (name) => matched(ERASURE, name, () => ({ kind: 'ERASURE' })),
  probes: (name) => matched(PROBE, name, () => ({ kind: 'PROBE' })),
};

function matched(pattern: RegExp, name: string, build: (match: RegExpExecArray) => ObjectClass): ObjectClass | null {
  const match = pattern.exec(name);
  return match ? build(match) : null;
}

/** Whether the body of such an object is sealed in an encrypted repository. */
export function hasSealedBody(kind: ObjectClass['kind']): boolean {
  return kind === 'MANIFEST' || kind === 'CHANGE_SET' || kind === 'HOLD' || kind === 'ERASURE';
}

export function packName(packId: string): string {
  return `packs/${packId.slice(0, 2)}/${packId}.pack`;
}

export function packIdOf(name: string): Buffer {
  const found = classify(name);
  return Buffer.from(found?.kind === 'PACK' ? found.packId : '', 'hex');
}

export function keyName(keyId: string, copy = false): string {
  return `keys/${keyId}${copy ? '.copy' : ''}.json`;
}

export function lockName(kind: 'SHARED' | 'EXCLUSIVE', leaseId: string, renewal: number): string {
  return `locks/${kind.toLowerCase()}-${leaseId}-${renewal}.json`;
}

/** `2026-11-22T19:45:00.000Z` as `20261122T194500Z`. */
function compactTime(time: string): string {
  return `${new Date(time).toISOString().replace(/\.\d+/, '').replaceAll(/[-:]/g, '')}`;
}

export function manifestName(
  manifest: { createdAt: string; type: BackupType; backupId: BackupId },
  generation = 1,
): string {
  const time = compactTime(manifest.createdAt);
  const suffix = generation === 1 ? '' : `.g${generation}`;
  return `manifests/${time.slice(0, 4)}/${time.slice(4, 6)}/${time}-${manifest.type}-${manifest.backupId}${suffix}.json`;
}

export function changeSetName({ createdAt, changeSetId }: { createdAt: string; changeSetId: ChangeSetId }): string {
  const time = compactTime(createdAt);
  return `changes/${time.slice(0, 4)}/${time.slice(4, 6)}/${time}-${changeSetId}.json`;
}

export function holdName({ backupId, holdId }: { backupId: BackupId; holdId: HoldId }): string {
  return `holds/${backupId}-${holdId}.json`;
}

export function markName(createdAt: string, markId: string): string {
  return `marks/${compactTime(createdAt)}-${markId}.json`;
}
