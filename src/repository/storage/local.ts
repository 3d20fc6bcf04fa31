/**
 * Storage in a local folder. An object is written to a temporary file, synced, linked under its name (which fails if the name is
 * taken, so nothing is ever overwritten), and its folder synced: only then does the write resolve. Folders have mode 0700,
 * files 0600.
 */
import { dirname, join, resolve } from 'node:path';
import { nodeFileSystem, type FileSystem, type ReadableFile, type WritableFile } from './file-system';
import {
  assertObjectName, assertPrefix, StorageError,
  type ObjectInfo, type ObjectStat, type ObjectWriter, type Storage, type StorageFault,
} from './storage'; // prettier-ignore

const TEMPORARY = 'tmp';

export interface LocalStorageOptions {
  /** The repository's folder; made if it is missing. */
  path: string;
  /** Random hex for names of temporary files. */
  temporaryName: () => string;
  fileSystem?: FileSystem;
}

const FAULTS: Record<string, StorageFault> = { EEXIST: 'EXISTS', ENOSPC: 'FULL', EDQUOT: 'FULL' };
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

function errorCode(error: unknown): string {
  // no instanceof: an error of another realm (a worker, a test) is none of ours and has a code all the same
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

function translated(error: unknown, name: string, verb: string): StorageError {
  if (error instanceof StorageError) return error;
  const code = errorCode(error);
  const missing = verb === 'read' && code === 'ENOENT'; // elsewhere a missing path means that the repository is gone
  return new StorageError(missing ? 'MISSING' : (FAULTS[code] ?? 'UNAVAILABLE'), name, {
    message: `Cannot ${verb} "${name}": ${String(error)}`,
    cause: error,
  });
}

export class LocalStorage implements Storage {
  readonly location: string;
  private readonly root: string;
  private readonly fs: FileSystem;
  private readonly knownFolders = new Set<string>();

  constructor(private readonly options: LocalStorageOptions) {
    this.root = resolve(options.path);
    this.location = `file:${this.root}`;
    this.fs = options.fileSystem ?? nodeFileSystem;
  }

  async put(name: string, bytes: Buffer): Promise<void> {
    const writer = await this.openWriter(name);
    try {
      await writer.write(bytes);
      await writer.commit();
    } catch (error) {
      await writer.abort();
      throw error;
    }
  }

  async openWriter(name: string): Promise<ObjectWriter> {
    assertObjectName(name);
    const temporary = join(this.root, TEMPORARY, this.options.temporaryName());
    try {
      await this.ensureFolder(dirname(temporary));
      const file = await this.fs.create(temporary);
      return new LocalWriter(
        file,
        { name, temporary },
        {
          fs: this.fs,
          publish: () => this.publish(temporary, name),
        },
      );
    } catch (error) {
      throw translated(error, name, 'write');
    }
  }

  /** Gives the temporary file its name. The name is durable when it resolves, whatever happens to the temporary one. */
  private async publish(temporary: string, name: string): Promise<void> {
    const path = this.path(name);
    await this.ensureFolder(dirname(path));
    try {
      await this.fs.link(temporary, path);
    } catch (error) {
      if (!NO_LINKS.has(errorCode(error))) throw error;
      await this.publishByRename(temporary, path, name);
    }
    await this.fs.syncFolder(dirname(path));
  }

  /** For file systems without hard links; two writers of one name could race here, so names are random or leased. */
  private async publishByRename(temporary: string, path: string, name: string): Promise<void> {
    if (await this.stat(name)) throw new StorageError('EXISTS', name, { message: `"${name}" exists already.` });
    await this.fs.rename(temporary, path);
  }

  async get(name: string): Promise<Buffer> {
    return this.withFile(name, async (file) => file.read(0, await file.sizeBytes()));
  }

  async getRange(name: string, offset: number, length: number): Promise<Buffer> {
    return this.withFile(name, async (file) => {
      const bytes = await file.read(offset, length);
      if (bytes.length === length) return bytes;
      throw new StorageError('TRUNCATED', name, { message: `"${name}" ends before byte ${offset + length}.` });
    });
  }

  private async withFile<T>(name: string, use: (file: ReadableFile) => Promise<T>): Promise<T> {
    assertObjectName(name);
    let file: ReadableFile | undefined;
    try {
      file = await this.fs.open(this.path(name));
      return await use(file);
    } catch (error) {
      throw translated(error, name, 'read');
    } finally {
      await file?.close();
    }
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    assertPrefix(prefix);
    try {
      await this.ensureFolder(this.root);
      const start = prefix.slice(0, -1);
      if (start !== '' && !(await this.folderExists(start))) return;
      yield* this.walk(start);
    } catch (error) {
      throw translated(error, prefix, 'list');
    }
  }

  private async folderExists(folder: string): Promise<boolean> {
    try {
      return (await this.fs.stat(join(this.root, folder))).isFolder;
    } catch (error) {
      if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return false;
      throw error;
    }
  }

  private async *walk(folder: string): AsyncIterable<ObjectInfo> {
    for (const entry of await this.fs.readFolder(join(this.root, folder))) {
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (folder === '' && entry.name === TEMPORARY) continue;
      if (entry.isFolder) {
        yield* this.walk(name);
        continue;
      }
      const found = await this.statFile(name);
      if (found) yield { name, sizeBytes: found.sizeBytes };
    }
  }

  async stat(name: string): Promise<ObjectStat | null> {
    assertObjectName(name);
    return this.statFile(name);
  }

  private async statFile(name: string): Promise<ObjectStat | null> {
    try {
      const { sizeBytes, modifiedAt, isFolder } = await this.fs.stat(join(this.root, name));
      return isFolder ? null : { name, sizeBytes, modifiedAt };
    } catch (error) {
      if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return null;
      throw translated(error, name, 'look up');
    }
  }

  async delete(name: string): Promise<void> {
    assertObjectName(name);
    const path = this.path(name);
    try {
      await this.fs.unlink(path);
      await this.fs.syncFolder(dirname(path));
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw translated(error, name, 'delete');
    }
  }

  async removeAbandoned(before: Date): Promise<void> {
    const folder = join(this.root, TEMPORARY);
    try {
      await this.ensureFolder(folder);
      for (const entry of await this.fs.readFolder(folder)) await this.removeIfOld(join(folder, entry.name), before);
    } catch (error) {
      throw translated(error, `${TEMPORARY}/`, 'clean');
    }
  }

  private async removeIfOld(path: string, before: Date): Promise<void> {
    try {
      const { modifiedAt } = await this.fs.stat(path);
      if (modifiedAt < before) await this.fs.unlink(path);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error; // because its writer may have finished meanwhile
    }
  }

  async freeBytes(): Promise<number | null> {
    try {
      await this.ensureFolder(this.root);
      return await this.fs.freeBytes(this.root);
    } catch (error) {
      throw translated(error, this.root, 'measure');
    }
  }

  private path(name: string): string {
    return join(this.root, ...name.split('/'));
  }

  /** Makes a folder and its parents; each new name is durable before anything is put inside. */
  private async ensureFolder(path: string): Promise<void> {
    if (this.knownFolders.has(path)) return;
    const parent = dirname(path);
    try {
      await this.fs.makeFolder(path);
    } catch (error) {
      if (errorCode(error) === 'ENOENT' && parent !== path) {
        await this.ensureFolder(parent);
        return this.ensureFolder(path);
      }
      if (errorCode(error) !== 'EEXIST') throw error;
    }
    if (path.startsWith(this.root)) await this.fs.syncFolder(parent).catch(ignoreUnreadableParent);
    this.knownFolders.add(path);
  }
}

/** The folder above the repository may belong to somebody else; its sync is a courtesy then. */
function ignoreUnreadableParent(error: unknown): void {
  if (!['EACCES', 'EPERM'].includes(errorCode(error))) throw error;
}

class LocalWriter implements ObjectWriter {
  private open = true;
  private removed = false;

  private readonly name: string;
  private readonly temporary: string;

  constructor(
    private readonly file: WritableFile,
    names: { name: string; temporary: string },
    private readonly deps: { fs: FileSystem; publish: () => Promise<void> },
  ) {
    this.name = names.name;
    this.temporary = names.temporary;
  }

  async write(bytes: Buffer): Promise<void> {
    try {
      await this.file.write(bytes);
    } catch (error) {
      throw translated(error, this.name, 'write');
    }
  }

  async commit(): Promise<void> {
    try {
      await this.file.sync();
      await this.close();
      await this.deps.publish();
    } catch (error) {
      throw translated(error, this.name, 'write');
    }
    await this.removeTemporary();
  }

  async abort(): Promise<void> {
    await this.close().catch((error: unknown) => void error); // because a failed close leaves nothing more to release
    await this.removeTemporary();
  }

  private async close(): Promise<void> {
    if (!this.open) return;
    this.open = false;
    await this.file.close();
  }

  /** What stays here is found by removeAbandoned, so a failure must not hide whether the object was written. */
  private async removeTemporary(): Promise<void> {
    if (this.removed) return;
    this.removed = true;
    await this.deps.fs.unlink(this.temporary).catch((error: unknown) => void error);
  }
}
