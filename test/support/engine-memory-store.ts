/** A store in memory that keeps the store port's promises, for engine tests that need no disk. */
import { createHash } from 'node:crypto';
import type { BackupWriteSession, ChangeSetWriteSession, ChunkEntry } from '../../src/domain/backup-store';
import type { StoredChangeSet } from '../../src/domain/change-set';
import { AppError } from '../../src/domain/errors';
import type { BackupId } from '../../src/domain/ids';
import type { LayerRef, StoredManifest } from '../../src/domain/manifest';
import type { EngineStore } from '../../src/engine/ports';
import { ValueTreeBuilder, lookUpValues } from '../../src/repository/value-tree';

export interface MemoryStore extends EngineStore {
  readonly chunks: Map<string, Buffer>;
  readonly manifests: Map<string, StoredManifest>;
  readonly changeSets: Map<string, StoredChangeSet>;
  /** Purposes of the read leases ever taken; the first one has to wait. */
  readonly reads: readonly string[];
  /** Sessions that were begun and neither committed nor aborted, and read leases not released. */
  openSessions(): number;
}

/** Few, so that layers have pages above pages. */
const PAGE_ENTRIES = 3;

export function memoryStore(seed = 7): MemoryStore {
  const chunks = new Map<string, Buffer>();
  const manifests = new Map<string, StoredManifest>();
  const changeSets = new Map<string, StoredChangeSet>();
  const indexes = new Map<string, ChunkEntry[]>();
  const reads: string[] = [];
  let open = 0;
  const chunkId = (payload: Buffer): string => createHash('sha256').update(payload).digest('hex');

  const session = (backupId: BackupId): BackupWriteSession => {
    open++;
    let ended = false;
    let storedBytes = 0;
    const written: string[] = [];
    const end = (): void => {
      if (!ended) open--;
      ended = true;
    };
    return {
      putChunk: async (payload) => {
        await Promise.resolve();
        const id = chunkId(payload);
        if (chunks.has(id)) return { id, storedBytes: 0 };
        chunks.set(id, Buffer.from(payload));
        written.push(id);
        storedBytes += payload.length;
        return { id, storedBytes: payload.length };
      },
      buildLayer: (kind) => {
        const entries: ChunkEntry[] = [];
        return {
          add: async (entry) => void entries.push(entry),
          finish: async (): Promise<LayerRef> => {
            const root = chunkId(Buffer.from(JSON.stringify(entries)));
            indexes.set(root, entries);
            const total = (of: 'rowCount' | 'rawBytes'): number => entries.reduce((sum, entry) => sum + entry[of], 0);
            return {
              kind,
              root: entries.length === 0 ? null : root,
              chunkCount: entries.length,
              rowCount: total('rowCount'),
              rawBytes: total('rawBytes'),
            };
          },
        };
      },
      buildValueIndex: () =>
        new ValueTreeBuilder(async (payload) => {
          const id = chunkId(payload);
          chunks.set(id, payload);
          return Buffer.from(id, 'hex');
        }),
      storedBytes: () => storedBytes,
      commit: async (facts) => {
        const manifest = { ...facts, storedBytes };
        const stored = {
          name: `manifests/${backupId}.json`,
          checksum: chunkId(Buffer.from(JSON.stringify(manifest))),
          manifest,
        };
        manifests.set(backupId, stored);
        end();
        return stored;
      },
      commitNext: async (facts, current) => {
        if (manifests.get(backupId) !== current)
          throw new AppError('CONFLICT', 'It was replaced.', { retryable: true });
        const manifest = { ...facts, storedBytes: current.manifest.storedBytes + storedBytes };
        const stored = {
          name: current.name.replace('.json', '.g2.json'),
          checksum: chunkId(Buffer.from(JSON.stringify(manifest))),
          manifest,
        };
        manifests.set(backupId, stored);
        end();
        return stored;
      },
      abort: async () => {
        if (!ended) for (const id of written) chunks.delete(id);
        end();
      },
    };
  };

  const changeSession = (): ChangeSetWriteSession => {
    const writing = session('' as BackupId);
    let committed = false;
    return {
      putChunk: (payload) => writing.putChunk(payload),
      abort: async () => (committed ? undefined : writing.abort()),
      buildRowList: () => {
        const list = writing.buildLayer('BASE');
        const [firstKey, lastKey] = [Buffer.alloc(0), Buffer.alloc(0)];
        return {
          add: (chunk) => list.add({ ...chunk, firstKey, lastKey }),
          finish: async () => {
            const { root, chunkCount, rowCount, rawBytes } = await list.finish();
            return { root, chunkCount, rowCount, rawBytes };
          },
        };
      },
      commitChangeSet: async (changeSet) => {
        const { changeSetId } = changeSet;
        if (changeSets.has(changeSetId)) throw new AppError('CONFLICT', 'It is there already.');
        const hash = chunkId(Buffer.from(JSON.stringify(changeSet)));
        const stored = { name: `changes/${changeSetId}.json`, hash, changeSet };
        changeSets.set(changeSetId, stored);
        committed = true;
        open--;
        return stored;
      },
    };
  };

  return {
    chunks,
    manifests,
    changeSets,
    reads,
    openSessions: () => open,
    chunkSeed: seed,
    beginWrite: async (backupId) => session(backupId),
    beginChangeSet: async () => changeSession(),
    findChangeSet: async (id) => changeSets.get(id) ?? null,
    deleteChangeSet: async (id) => void changeSets.delete(id),
    beginRead: async (purpose, wait) => {
      reads.push(purpose);
      open++;
      if (reads.length === 1) wait?.onWaiting?.();
      return { release: async () => void open-- };
    },
    async *listManifests() {
      yield* manifests.values();
    },
    findManifest: async (backupId) => manifests.get(backupId) ?? null,
    async *layerEntries(layer) {
      if (layer.root !== null) yield* indexes.get(layer.root) ?? [];
    },
    listedChunks: async (root, numbers, limit) => {
      const read = async (id: Buffer): Promise<Buffer> => chunks.get(id.toString('hex'))!;
      return lookUpValues({ read, root: Buffer.from(root, 'hex'), numbers, limit });
    },
    layerPage: async (id) => {
      const [root = '', number] = id.split('/');
      const entries = indexes.get(root) ?? [];
      if (number !== undefined) return { level: 0, entries: entries.slice(+number, +number + PAGE_ENTRIES) };
      if (entries.length <= PAGE_ENTRIES) return { level: 0, entries };
      const rowCountFrom = (first: number): number =>
        entries.slice(first, first + PAGE_ENTRIES).reduce((sum, { rowCount }) => sum + rowCount, 0);
      const pages = entries.flatMap((entry, i) =>
        i % PAGE_ENTRIES === 0 ? [{ ...entry, id: `${root}/${i}`, rowCount: rowCountFrom(i) }] : [],
      );
      return { level: 1, entries: pages.map((page) => ({ ...page, rawBytes: Infinity })) };
    },
    readChunk: async (id) => {
      const payload = chunks.get(id);
      if (payload === undefined) throw new AppError('NOT_FOUND', `There is no chunk ${id}.`);
      if (chunkId(payload) !== id) throw new AppError('INTEGRITY_FAILURE', `Chunk ${id} is damaged.`);
      return payload;
    },
    chunkId,
    check: async () => ({ findings: [], neededPacks: new Set(), checkedChunks: chunks.size, checkedBytes: 0 }),
    storedBackupIds: async () => new Set([...manifests.values()].map(({ manifest }) => manifest.backupId)),
    heldBackupIds: async () => new Set(),
    freedBy: async () => ({ freedBytes: 0, deadBytes: 0 }),
    beginDeletion: async () => ({ delete: async (backupId) => void manifests.delete(backupId) }),
    collectGarbage: async () => ({ freedBytes: 0, rewrittenPacks: 0, rewrittenBytes: 0, damagedPacks: [] }),
    removeSuperseded: async () => undefined,
  };
}
