/**
 * Rows that may have changed since the parent backup, by their keys, with what is known of them in it. Memory is bounded: a table with
 * more changes than are cheap to look up, or than can be held, is given up with the reason.
 */
import { hash } from 'node:crypto';
import type { KeyBytes } from '../../domain/rows';
import type { LoggedKey } from '../../domain/source';
import type { FollowSink } from './follow-references';
import type { ChangedTable } from './range-changes';

/** Rows looked up one by one cost as much as about five that are read in a row. */
const MAX_LOGGED_SHARE = 0.2;
/** Too few to matter, whatever their share. */
const ALWAYS_LOGGED_KEYS = 1000;
/** Of all tables of a backup. */
const MAX_HELD_BYTES = 64 * 1024 * 1024;
/** What holding a key costs beside its bytes. */
const HELD_BYTES_PER_KEY = 64;

/** Of the tables that changed; names of keys are their bytes as latin1 text. */
export interface LogFindings {
  /** Of tables whose changes the log tells in full. */
  keys: Map<string, LoggedKeys>;
  /** Of the other tables: why not. */
  reasons: Map<string, string>;
}

/** Of one table. */
export class LoggedKeys {
  /** Whether the parent backup has the row, or, where it was read there, the hash of what it has. */
  private readonly known = new Map<string, boolean | string>();
  heldBytes = 0;

  get size(): number {
    return this.known.size;
  }

  all(): KeyBytes[] {
    return Array.from(this.known.keys(), (name) => Buffer.from(name, 'latin1'));
  }

  /** Whether the parent backup has the row. */
  was(name: string): boolean {
    return this.known.get(name) !== undefined && this.known.get(name) !== false;
  }

  /** Whether these are, for certain, the bytes of the row that the parent backup has. */
  isAsBefore(name: string, row: Buffer): boolean {
    const known = this.known.get(name);
    return typeof known === 'string' && known === hashOf(row);
  }

  /** A key's first time says what the parent backup has; whatever comes after, the consistent read knows. */
  add(name: string, was: boolean): void {
    if (!this.known.has(name)) this.hold(name, was);
  }

  /** A row of the parent backup, whatever the log told of its key. */
  addFound(name: string, row: Buffer): void {
    this.hold(name, hashOf(row));
  }

  private hold(name: string, known: boolean | string): void {
    if (!this.known.has(name)) this.heldBytes += name.length + HELD_BYTES_PER_KEY;
    if (typeof known === 'string' && typeof this.known.get(name) !== 'string') this.heldBytes += known.length;
    this.known.set(name, known);
  }
}

function hashOf(row: Buffer): string {
  return hash('sha256', row, 'base64');
}

export class KeyCollector implements FollowSink {
  private readonly tables: Map<string, { keys: LoggedKeys; most: number }>;
  private readonly reasons = new Map<string, string>();

  constructor(tables: readonly ChangedTable[]) {
    this.tables = new Map(
      tables.map(({ structure, parent }) => {
        const most = Math.max(ALWAYS_LOGGED_KEYS, Math.floor(MAX_LOGGED_SHARE * parent.rowCount));
        return [structure.table, { keys: new LoggedKeys(), most }];
      }),
    );
  }

  add(table: string, logged: readonly LoggedKey[]): void {
    const keys = this.tables.get(table)?.keys;
    for (const { key, was } of logged) keys?.add(key.toString('latin1'), was);
    this.bound(table);
  }

  addFound(table: string, rows: ReadonlyMap<string, Buffer>): void {
    const keys = this.tables.get(table)?.keys;
    for (const [name, row] of rows) keys?.addFound(name, row);
    this.bound(table);
  }

  giveUp(table: string, reason: string): void {
    if (this.tables.delete(table)) this.reasons.set(table, reason);
  }

  describe(): string {
    const keys = [...this.tables.values()].reduce((sum, table) => sum + table.keys.size, 0);
    const told = `${keys} rows may have changed in the ${this.tables.size} tables that it tells of`;
    return this.reasons.size === 0 ? told : `${told}; ${this.reasons.size} more have to be compared`;
  }

  findings(): LogFindings {
    return { keys: new Map([...this.tables].map(([name, { keys }]) => [name, keys])), reasons: this.reasons };
  }

  private bound(name: string): void {
    const table = this.tables.get(name);
    if (table !== undefined && table.keys.size > table.most)
      this.giveUp(name, `more than ${table.most} of its rows changed, which are not faster read one by one`);
    while (this.heldBytes > MAX_HELD_BYTES) this.giveUpLargest();
  }

  private get heldBytes(): number {
    let sum = 0;
    for (const { keys } of this.tables.values()) sum += keys.heldBytes;
    return sum;
  }

  private giveUpLargest(): void {
    const [name] = [...this.tables].reduce((most, next) =>
      next[1].keys.heldBytes > most[1].keys.heldBytes ? next : most,
    );
    this.giveUp(name, 'the keys of all rows that changed are more than a backup holds in memory');
  }
}
