/**
 * The few calls that local storage makes to a file system, as a port: tests put one behind it that stops at any step and
 * forgets what was not synced. `nodeFileSystem` is the real one; errors keep their Node codes (ENOENT, EEXIST, ENOSPC …).
 */
import { constants } from 'node:fs';
import { link, lstat, mkdir, open, readdir, rename, statfs, unlink, type FileHandle } from 'node:fs/promises';

export interface FileStat {
  sizeBytes: number;
  modifiedAt: Date;
  isFolder: boolean;
}

export interface FolderEntry {
  name: string;
  isFolder: boolean;
}

export interface WritableFile {
  /** Appends all of `bytes`. */
  write(bytes: Buffer): Promise<void>;
  /** Content is durable when it resolves; the name is not (see syncFolder). */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface ReadableFile {
  sizeBytes(): Promise<number>;
  /** Up to `length` bytes at `offset`; fewer only at the end of the file. */
  read(offset: number, length: number): Promise<Buffer>;
  close(): Promise<void>;
}

export interface FileSystem {
  /** A new, empty file, mode 0600; EEXIST if the path is taken. */
  create(path: string): Promise<WritableFile>;
  open(path: string): Promise<ReadableFile>;
  /** A second name for a file; EEXIST if `to` is taken. */
  link(from: string, to: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** One folder, mode 0700; EEXIST if the path is taken. */
  makeFolder(path: string): Promise<void>;
  readFolder(path: string): Promise<FolderEntry[]>;
  stat(path: string): Promise<FileStat>;
  /** Makes the names in a folder durable. */
  syncFolder(path: string): Promise<void>;
  freeBytes(path: string): Promise<number>;
}

async function writeAll(handle: FileHandle, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, null);
    done += bytesWritten;
  }
}

async function readUpTo(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(buffer, done, length - done, offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done === length ? buffer : buffer.subarray(0, done);
}

export const nodeFileSystem: FileSystem = {
  async create(path) {
    const handle = await open(path, 'wx', 0o600);
    return { write: (bytes) => writeAll(handle, bytes), sync: () => handle.sync(), close: () => handle.close() };
  },
  async open(path) {
    const handle = await open(path, constants.O_RDONLY);
    return {
      sizeBytes: async () => (await handle.stat()).size,
      read: (offset, length) => readUpTo(handle, offset, length),
      close: () => handle.close(),
    };
  },
  link,
  rename,
  unlink,
  async makeFolder(path) {
    await mkdir(path, { mode: 0o700 });
  },
  async readFolder(path) {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }));
  },
  async stat(path) {
    const found = await lstat(path);
    return { sizeBytes: found.size, modifiedAt: found.mtime, isFolder: found.isDirectory() };
  },
  async syncFolder(path) {
    const handle = await open(path, constants.O_RDONLY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  async freeBytes(path) {
    const found = await statfs(path);
    return found.bavail * found.bsize;
  },
};
