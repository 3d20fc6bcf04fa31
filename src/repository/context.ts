/** What every part of an open repository shares. */
import type { Clock, Log, Random } from '../domain/ambient';
import type { RepositorySettings } from '../domain/settings';
import type { ObjectStore } from './object-store';
import type { PackSet } from './pack-set';

export interface RepositoryContext {
  objects: ObjectStore;
  packs: PackSet;
  /** Null in a plain repository. */
  masterKeyId: string | null;
  settings: RepositorySettings;
  clock: Clock;
  random: Random;
  log: Log;
  /** Absent: PACK_TARGET_BYTES. */
  packTargetBytes?: number;
}
