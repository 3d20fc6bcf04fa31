/**
 * A file system in memory behind local storage's port. It fails at any step in the ways that disks and processes do, and it knows what
 * a power loss takes: content that was not synced, names whose folder was not.
 */
import type {
  FileStat,
  FileSystem,
  FolderEntry,
  ReadableFile,
  WritableFile,
} from '../../src/repository/storage/file-system';

class MemoryFile {
  data: Buffer = Buffer.alloc(0);
  synced: Buffer | null = null;
  modifiedAt: Date;

  constructor(modifiedAt: Date) {
    this.modifiedAt = modifiedAt;
  }
}

class MemoryFolder {
  entries = new Map<string, MemoryFile | MemoryFolder>();
  synced = new Map<string, MemoryFile | MemoryFolder>();
}

/** The process was stopped here. */
export class Stopped extends Error {
  readonly code = 'STOPPED';
}

/**
 * What happens at the step after `stopAfter`. STOP: that call and all later ones fail, as if the process were gone; a write is torn in
 * half. HANG: they never return, so that nothing of the process runs on. FULL: from then on there is no room for anything new.
 * ERROR: that one call fails.
 */
export type DiskFault = 'STOP' | 'HANG' | 'FULL' | 'ERROR';

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

export class MemoryFileSystem implements FileSystem {
  /** Calls so far that touched the disk. */
  steps = 0;
  /** The call after this many meets the fault. */
  stopAfter = Infinity;
  fault: DiskFault = 'STOP';
  private tellHung: () => void = () => undefined;
  /** Resolves when a call came that never returns. */
  readonly hung = new Promise<void>((resolve) => (this.tellHung = resolve));
  /** Bytes that may still be written; then ENOSPC. */
  room = Infinity;

  constructor(
    private readonly now: () => Date,
    private readonly root = new MemoryFolder(),
  ) {}

  /** What a new process finds: everything (`KILL`), or what was made durable (`POWER_LOSS`). */
  restart(after: 'KILL' | 'POWER_LOSS', now = this.now): MemoryFileSystem {
    return new MemoryFileSystem(now, copyFolder(this.root, after));
  }

  /** `needsRoom`: the call makes something new. */
  private async step(needsRoom = false): Promise<void> {
    const over = this.steps - this.stopAfter;
    if (over < 0) return void this.steps++;
    if (this.fault === 'STOP') throw new Stopped('The process was stopped.');
    if (this.fault === 'HANG') {
      this.tellHung();
      await new Promise(() => undefined);
    }
    this.steps++;
    if (this.fault === 'FULL' && needsRoom) throw failure('ENOSPC', 'no space left on device');
    if (this.fault === 'ERROR' && over === 0) throw failure('EIO', 'input/output error');
  }

  private find(path: string): MemoryFile | MemoryFolder {
    let found: MemoryFile | MemoryFolder | undefined = this.root;
    for (const segment of path.split('/').filter(Boolean)) {
      found = found instanceof MemoryFolder ? found.entries.get(segment) : undefined;
      if (!found) throw failure('ENOENT', path);
    }
    return found;
  }

  private folderOf(path: string): { folder: MemoryFolder; name: string } {
    const cut = path.lastIndexOf('/');
    const folder = this.find(path.slice(0, cut));
    if (!(folder instanceof MemoryFolder)) throw failure('ENOTDIR', path);
    return { folder, name: path.slice(cut + 1) };
  }

  private place(path: string, node: MemoryFile | MemoryFolder): void {
    const { folder, name } = this.folderOf(path);
    if (folder.entries.has(name)) throw failure('EEXIST', path);
    folder.entries.set(name, node);
  }

  private file(path: string): MemoryFile {
    const found = this.find(path);
    if (found instanceof MemoryFile) return found;
    throw failure('EISDIR', path);
  }

  async create(path: string): Promise<WritableFile> {
    await this.step(true);
    const file = new MemoryFile(this.now());
    this.place(path, file);
    return {
      write: (bytes) => this.append(file, bytes),
      sync: async () => {
        await this.step();
        file.synced = file.data;
      },
      close: () => this.step(),
    };
  }

  private async append(file: MemoryFile, bytes: Buffer): Promise<void> {
    if (this.steps === this.stopAfter) file.data = Buffer.concat([file.data, bytes.subarray(0, bytes.length >> 1)]);
    await this.step(true);
    if (bytes.length > this.room) throw failure('ENOSPC', 'no space left on device');
    this.room -= bytes.length;
    file.data = Buffer.concat([file.data, bytes]);
    file.modifiedAt = this.now();
  }

  async open(path: string): Promise<ReadableFile> {
    await this.step();
    const file = this.file(path);
    return {
      sizeBytes: async () => file.data.length,
      read: async (offset, length) => Buffer.from(file.data.subarray(offset, offset + length)),
      close: async () => undefined,
    };
  }

  async link(from: string, to: string): Promise<void> {
    await this.step(true);
    this.place(to, this.file(from));
  }

  async rename(from: string, to: string): Promise<void> {
    await this.step();
    const node = this.find(from);
    const target = this.folderOf(to);
    const source = this.folderOf(from);
    source.folder.entries.delete(source.name);
    target.folder.entries.set(target.name, node);
  }

  async unlink(path: string): Promise<void> {
    await this.step();
    this.file(path);
    const { folder, name } = this.folderOf(path);
    folder.entries.delete(name);
  }

  async makeFolder(path: string): Promise<void> {
    await this.step(true);
    this.place(path, new MemoryFolder());
  }

  async readFolder(path: string): Promise<FolderEntry[]> {
    await this.step();
    const folder = this.find(path);
    if (!(folder instanceof MemoryFolder)) throw failure('ENOTDIR', path);
    return [...folder.entries].map(([name, node]) => ({ name, isFolder: node instanceof MemoryFolder }));
  }

  async stat(path: string): Promise<FileStat> {
    await this.step();
    const node = this.find(path);
    if (node instanceof MemoryFolder) return { sizeBytes: 0, modifiedAt: this.now(), isFolder: true };
    return { sizeBytes: node.data.length, modifiedAt: node.modifiedAt, isFolder: false };
  }

  async syncFolder(path: string): Promise<void> {
    await this.step();
    const folder = this.find(path);
    if (folder instanceof MemoryFolder) folder.synced = new Map(folder.entries);
  }

  async freeBytes(): Promise<number> {
    return this.room === Infinity ? 2 ** 40 : this.room;
  }

  /** Paths of all files below a folder, for tests that look at everything. */
  files(path: string): string[] {
    const found = this.find(path);
    if (found instanceof MemoryFile) return [path];
    return [...found.entries.keys()].flatMap((name) => this.files(`${path}/${name}`));
  }

  contentOf(path: string): Buffer {
    return this.file(path).data;
  }

  /** Damages a file as a bad disk would: no write-once rule holds here. */
  overwrite(path: string, bytes: Buffer): void {
    const file = this.file(path);
    file.data = bytes;
    file.synced = bytes;
  }

  remove(path: string): void {
    const { folder, name } = this.folderOf(path);
    folder.entries.delete(name);
    folder.synced.delete(name);
  }
}

function copyFolder(folder: MemoryFolder, after: 'KILL' | 'POWER_LOSS'): MemoryFolder {
  const copy = new MemoryFolder();
  for (const [name, node] of after === 'KILL' ? folder.entries : folder.synced) {
    copy.entries.set(name, node instanceof MemoryFolder ? copyFolder(node, after) : copyFile(node, after));
  }
  copy.synced = new Map(copy.entries);
  return copy;
}

/** Content that was never synced is half there: the worst that a reader could meet. */
function copyFile(file: MemoryFile, after: 'KILL' | 'POWER_LOSS'): MemoryFile {
  const copy = new MemoryFile(file.modifiedAt);
  copy.data = after === 'KILL' ? file.data : (file.synced ?? file.data.subarray(0, file.data.length >> 1));
  copy.synced = copy.data;
  return copy;
}
