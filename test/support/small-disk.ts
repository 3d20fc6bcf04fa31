/** A disk that is soon full: a file system of a few megabytes, and what fills it. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SmallDisk {
  path: string;
  unmount(): void;
}

/** Null where this user may not mount one. */
export function mountSmallDisk(sizeMib: number): SmallDisk | null {
  const path = mkdtempSync(join(tmpdir(), 'riskvault-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMib}m`, 'tmpfs', path], { stdio: 'ignore' });
  } catch {
    // Mounting is for root, and often not even for root in a container; the repository's own suite tells of full disks too.
    rmSync(path, { recursive: true });
    return null;
  }
  const unmount = (): void => {
    execFileSync('umount', [path]);
    rmSync(path, { recursive: true });
  };
  return { path, unmount };
}

/** Writes zeros into the file until fewer bytes are left than `leftBytes`. */
export function fillDisk(path: string, leftBytes: number): void {
  for (let size = 1 << 20; size >= leftBytes; size >>= 1) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(size), { flag: 'a' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }
}
