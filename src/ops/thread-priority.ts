/**
 * The data path yields the processor to the API: where cores are scarce, a thread of the same priority makes the event loop wait behind
 * it in the system's queue (55 ms were seen on 2 cores; 24 at most with this). It costs a job nothing while others idle.
 */
import { readlinkSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

/** Beside 0 of everyone else it counts as a third of a thread. */
const LESS_URGENT = 5;

/** Of the calling thread alone, and those it starts. Linux; elsewhere priorities are of whole processes, and nothing is done. */
export function lowerThreadPriority(): void {
  const thread = threadId();
  if (thread === null) return;
  try {
    setPriority(thread, Math.max(LESS_URGENT, getPriority(thread)));
  } catch {
    // because a system that forbids it serves all the same, only less evenly
  }
}

function threadId(): number | null {
  try {
    return Number(/\d+$/.exec(readlinkSync('/proc/thread-self'))?.[0] ?? NaN) || null;
  } catch {
    return null; // because only Linux tells
  }
}
