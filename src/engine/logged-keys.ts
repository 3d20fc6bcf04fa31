/**
 * Change detection by BINLOG, first half: asks the source's log which keys may have changed since the parent backup, and whether the
 * parent has them. What the log can't tell of a table is said in words, for its rows are compared then. Memory is bounded: a table
 * with more changes than are cheap to look up, or than can be held, is compared too.
 */
import type { Manifest } from '../domain/manifest';
import type { ChangeLogReport, ConsistentRead, LoggedKey, LogPosition, Source } from '../domain/source';
import type { TaskContext } from './ports';
import type { ChangedTable } from './range-changes';

/** Rows looked up one by one cost as much as about five that are read in a row. */
const MAX_LOGGED_SHARE = 0.2;
/** Too few to matter, whatever their share. */
const ALWAYS_LOGGED_KEYS = 1000;
/** Of all tables of a backup. */
const MAX_HELD_BYTES = 64 * 1024 * 1024;
/** What holding a key costs beside its bytes. */
const HELD_BYTES_PER_KEY = 64;

/** By the key's bytes as latin1 text: whether the parent backup has the row. */
export type LoggedKeys = ReadonlyMap<string, boolean>;

export interface LogFindings {
  /** Of tables whose changes the log tells in full. */
  keys: Map<string, LoggedKeys>;
  /** Of the other tables: why not. */
  reasons: Map<string, string>;
}

export interface LogReading {
  source: Source;
  read: ConsistentRead;
  parent: Manifest;
  context: TaskContext;
}

/** While the read is open: it keeps the tables as they are. */
export async function readLoggedKeys(tables: readonly ChangedTable[], reading: LogReading): Promise<LogFindings> {
  const unreadable = unreadableReason(reading);
  if (typeof unreadable === 'string') {
    return { keys: new Map(), reasons: new Map(tables.map(({ structure }) => [structure.table, unreadable])) };
  }
  const { source, context } = reading;
  const collecting = new KeyCollector(tables);
  const report = (await source.readChangeLog?.({
    ...unreadable,
    tables: tables.map(({ structure }) => structure),
    onKeys: (table, keys) => {
      collecting.add(table, keys);
      context.progress.advance({ rows: keys.length, bytes: 0, table });
    },
    signal: context.signal,
  })) as ChangeLogReport;
  for (const [table, reason] of report.unusable) collecting.giveUp(table, reason);
  const { events, bytes } = report;
  context.hooks.onLog(`Read ${events} events (${bytes} bytes) of the log: ${collecting.describe()}.`);
  return collecting.findings();
}

/** In words, why there is nothing to read, else from where to where. */
function unreadableReason({ source, read, parent }: LogReading): string | { from: LogPosition; to: LogPosition } {
  if (!source.readChangeLog) return 'the source keeps no log of changes';
  if (!read.byKey) return 'the source can not put keys in their order';
  if (parent.position === null) return 'where the parent backup stands in the log is not known';
  if (read.position === null) return 'where this backup stands in the log is not known';
  return { from: parent.position, to: read.position };
}

class KeyCollector {
  private readonly tables: Map<string, { keys: Map<string, boolean>; bytes: number; most: number }>;
  private readonly reasons = new Map<string, string>();
  private heldBytes = 0;

  constructor(tables: readonly ChangedTable[]) {
    this.tables = new Map(
      tables.map(({ structure, parent }) => {
        const most = Math.max(ALWAYS_LOGGED_KEYS, Math.floor(MAX_LOGGED_SHARE * parent.rowCount));
        return [structure.table, { keys: new Map<string, boolean>(), bytes: 0, most }];
      }),
    );
  }

  /** A key's first time says what the parent backup has; whatever comes after, the consistent read knows. */
  add(name: string, logged: readonly LoggedKey[]): void {
    const table = this.tables.get(name);
    if (!table) return;
    for (const { key, was } of logged) {
      const text = key.toString('latin1');
      if (table.keys.has(text)) continue;
      table.keys.set(text, was);
      table.bytes += key.length + HELD_BYTES_PER_KEY;
      this.heldBytes += key.length + HELD_BYTES_PER_KEY;
    }
    if (table.keys.size > table.most)
      this.giveUp(name, `more than ${table.most} of its rows changed, which are not faster read one by one`);
    while (this.heldBytes > MAX_HELD_BYTES) this.giveUpLargest();
  }

  giveUp(name: string, reason: string): void {
    const table = this.tables.get(name);
    if (!table) return;
    this.heldBytes -= table.bytes;
    this.tables.delete(name);
    this.reasons.set(name, reason);
  }

  private giveUpLargest(): void {
    const [name] = [...this.tables].reduce((most, next) => (next[1].bytes > most[1].bytes ? next : most));
    this.giveUp(name, 'the keys of all rows that changed are more than a backup holds in memory');
  }

  describe(): string {
    const keys = [...this.tables.values()].reduce((sum, table) => sum + table.keys.size, 0);
    return `it tells ${keys} changed keys of ${this.tables.size} tables, and not enough of ${this.reasons.size}`;
  }

  findings(): LogFindings {
    return { keys: new Map([...this.tables].map(([name, { keys }]) => [name, keys])), reasons: this.reasons };
  }
}
