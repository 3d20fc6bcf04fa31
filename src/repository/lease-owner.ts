/**
 * Which process holds a lease, so that a lease whose process died can be told from one that is held: without it a crash would hold up
 * others until the lease expires. Only a process of this very machine, start of the machine and process namespace is ever judged, by
 * its number and its starting time together, since numbers come back. Where the system does not tell (no /proc), nobody is judged.
 */
import { readFileSync, readlinkSync } from 'node:fs';

/** Field 22 of /proc/<pid>/stat, counted behind the command's name, which may hold anything. */
const START_TIME_FIELD = 19;

/** This process, e.g. `<boot id>/pid:[4026531836]/4711/123456`; null where the system does not tell. */
export function thisOwner(): string | null {
  const place = thisPlace();
  const startedAt = place === null ? null : startTime(process.pid);
  return startedAt === null ? null : `${place}/${process.pid}/${startedAt}`;
}

/** True only where it is certain that the process is no more. */
export function isOwnerGone(owner: unknown): boolean {
  const place = typeof owner === 'string' ? thisPlace() : null;
  if (place === null || !String(owner).startsWith(`${place}/`)) return false;
  const [pid = '', startedAt = ''] = String(owner).slice(place.length + 1).split('/'); // prettier-ignore
  if (!/^[1-9]\d*$/.test(pid) || !/^\d+$/.test(startedAt)) return false;
  if (!exists(Number(pid))) return true;
  const found = startTime(Number(pid));
  return found !== null && found !== startedAt;
}

/** Start of the machine and namespace in which process numbers count. */
function thisPlace(): string | null {
  const boot = told(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  const namespace = told(() => readlinkSync('/proc/self/ns/pid'));
  return boot !== null && namespace !== null ? `${boot}/${namespace}` : null;
}

function startTime(pid: number): string | null {
  const stat = told(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[START_TIME_FIELD] ?? null;
}

/** Asks the kernel itself: /proc may hide the processes of others. */
function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function told<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null; // because a system that does not tell is a common case, and only makes others wait
  }
}
