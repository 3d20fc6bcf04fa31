/** Global ids: base64url of `Type:uuid`, opaque to clients. Whatever is not exactly that is refused before anything is looked up. */
import { AppError } from '../domain/errors';
import { isUuid, type BackupId } from '../domain/ids';

export const NODE_TYPES = [
  'Backup',
  'Job',
  'Restore',
  'RestorePlan',
  'Export',
  'LegalHold',
  'BackupComparison',
] as const;
export type NodeType = (typeof NODE_TYPES)[number];

export interface GlobalId {
  type: NodeType;
  id: string;
}

const MAX_LENGTH = 100;
const HINT = 'Give an id as this API returned it.';

export function toGlobalId(type: NodeType, id: string): string {
  return Buffer.from(`${type}:${id}`).toString('base64url');
}

/** Throws INVALID_INPUT for anything that `toGlobalId` could not have made. */
export function parseGlobalId(globalId: string, path: readonly string[]): GlobalId {
  const [type, id] = decode(globalId);
  if (isNodeType(type) && id !== undefined && isUuid(id) && toGlobalId(type, id) === globalId) return { type, id };
  throw new AppError('INVALID_INPUT', 'The id is malformed.', { hint: HINT, path });
}

/** The uuid behind an id of one type; INVALID_INPUT for malformed ids and those of another type. */
export function parseIdOf<Uuid extends string>(type: NodeType, globalId: string, path: readonly string[]): Uuid {
  const parsed = parseGlobalId(globalId, path);
  if (parsed.type === type) return parsed.id as Uuid;
  throw new AppError('INVALID_INPUT', `The id is one of a ${parsed.type}, not of a ${type}.`, { hint: HINT, path });
}

/** Of a three-way restore or its plan; null for others. */
export function parseDamagedId({ damagedBackupId }: { damagedBackupId?: string | null }): BackupId | null {
  return damagedBackupId ? parseIdOf('Backup', damagedBackupId, ['input', 'damagedBackupId']) : null;
}

function decode(globalId: string): string[] {
  return globalId.length > MAX_LENGTH ? [] : Buffer.from(globalId, 'base64url').toString('latin1').split(':', 2);
}

function isNodeType(type: string | undefined): type is NodeType {
  return (NODE_TYPES as readonly (string | undefined)[]).includes(type);
}
