/**
 * Change detection by BINLOG, first half: asks the source's log which keys may have changed since the parent backup, and whether the
 * parent has them. What the log can't tell of a table is said in words, for its rows are compared then.
 */
import type { Manifest } from '../../domain/manifest';
import type { ChangeLogReport, ConsistentRead, LogPosition, Source } from '../../domain/source';
import type { EngineStore, TaskContext } from '../ports';
import { followReferences, ToldReferences } from './follow-references';
import { KeyCollector, type LogFindings } from './logged-keys';
import type { ChangedTable } from './range-changes';

export interface LogReading {
  source: Source;
  read: ConsistentRead;
  store: EngineStore;
  parent: Manifest;
  context: TaskContext;
}

/** While the read is open: it keeps the tables as they are. */
export async function readLoggedKeys(tables: readonly ChangedTable[], reading: LogReading): Promise<LogFindings> {
  const unreadable = unreadableReason(reading);
  if (typeof unreadable === 'string') {
    return { keys: new Map(), reasons: new Map(tables.map(({ structure }) => [structure.table, unreadable])) };
  }
  const { source, store, context } = reading;
  const collecting = new KeyCollector(tables);
  const references = new ToldReferences();
  const report = (await source.readChangeLog?.({
    ...unreadable,
    tables: tables.map(({ structure }) => structure),
    onKeys: (table, keys) => {
      collecting.add(table, keys);
      context.progress.advance({ rows: keys.length, bytes: 0, table });
    },
    onReferences: (told) => references.add(told),
    signal: context.signal,
  })) as ChangeLogReport;
  for (const [table, reason] of report.unusable) collecting.giveUp(table, reason);
  const { events, bytes, cascades } = report;
  await followReferences(references, { tables, cascades, store, codec: source.codec, sink: collecting });
  context.hooks.onLog(`Read ${events} events (${bytes} bytes) of the log: ${collecting.describe()}.`);
  return collecting.findings();
}

const NO_POSITION = 'the source kept no log, or its user was not granted to see it (`npm run doctor` tells)';

/** In words, why there is nothing to read, else from where to where. */
function unreadableReason({ source, read, parent }: LogReading): string | { from: LogPosition; to: LogPosition } {
  if (!source.readChangeLog) return 'the source keeps no log of changes';
  if (!read.byKey) return 'the source can not put keys in their order';
  if (parent.position === null) return `where the parent backup stands in the log is not known: ${NO_POSITION}`;
  if (read.position === null) return `where this backup stands in the log is not known: ${NO_POSITION}`;
  return { from: parent.position, to: read.position };
}
