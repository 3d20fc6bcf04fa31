/**
 * One moment of a SQLite database: a read transaction in WAL mode, on one connection. Writers go on meanwhile. Reads of
 * several tables may be interleaved freely, since each runs page by page.
 */
import type { Clock } from '../../domain/ambient';
import { AppError } from '../../domain/errors';
import type { SourceMapping, TableMapping } from '../../domain/mapping';
import type { ConsistentRead, MappingProblem, OpenReadOptions } from '../../domain/source';
import type { TableStructure } from '../../domain/table';
import { parentsFirst } from '../order-tables';
import { createThrottle } from '../throttle';
import { Database, useWriteAheadLog } from './database';
import { throwIfAborted } from './errors';
import { introspectTable } from './introspect';
import { checkMapping } from './mapping-check';
import { planRanges } from './plan-ranges';
import { readRows, type ReadContext } from './read-rows';

export interface ConsistentReadOptions extends OpenReadOptions {
  path: string;
  mapping: SourceMapping;
  clock: Clock;
  /** Called when the read is closed. */
  onEnd: () => void;
}

export async function openConsistentRead(options: ConsistentReadOptions): Promise<ConsistentRead> {
  const database = Database.open(options.path);
  try {
    await useWriteAheadLog(database, options.clock, options.signal);
    throwIfAborted(options.signal);
    // The first SELECT of the transaction, not BEGIN, fixes the moment.
    database.exec('BEGIN');
    database.value('SELECT count(*) FROM sqlite_schema');
    const readAt = options.clock.now();
    const tables = introspectMapped(database, options);
    const context: ReadContext = { database, tables, mapping: options.mapping, throttle: createThrottle(options) };
    return consistentRead(context, readAt, () => {
      database.close();
      options.onEnd();
    });
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Structures of the mapped tables asked for, parents first. Throws SCHEMA_MISMATCH for a mapping that is wrong. */
function introspectMapped(database: Database, options: ConsistentReadOptions): TableStructure[] {
  const { mapping, dataTypes, tables } = options;
  const wanted = mapping.filter(
    (entry) => dataTypes.includes(entry.dataType) && (tables === undefined || tables.includes(entry.table)),
  );
  const names = neededTables(mapping, wanted);
  const problems = checkMapping(database, mapping).filter((problem) => names.has(problem.table));
  if (problems.length > 0) throw mappingError(problems);
  return parentsFirst(wanted.map((entry) => introspectTable(database, entry)));
}

/** The wanted tables and those that their paths lead through. */
function neededTables(mapping: SourceMapping, wanted: readonly TableMapping[]): Set<string> {
  const names = new Set<string>();
  const visit = (entry: TableMapping | undefined): void => {
    if (!entry || names.has(entry.table)) return;
    names.add(entry.table);
    for (const ownership of [entry.business, entry.tenant]) {
      if (ownership?.kind === 'PATH') visit(mapping.find((other) => other.table === ownership.referencedTable));
    }
  };
  wanted.forEach(visit);
  return names;
}

function mappingError(problems: readonly MappingProblem[]): AppError {
  const message = problems.map((problem) => problem.message).join(' ');
  return new AppError('SCHEMA_MISMATCH', `The mapping does not fit the source. ${message}`, {
    hint: problems[0]?.hint,
  });
}

/** A read on an open transaction of `context.database`; `end` is called once, at the first `close`. */
export function consistentRead(context: ReadContext, readAt: Date, end: () => void): ConsistentRead {
  let open = true;
  return {
    consistency: 'SQLITE_SNAPSHOT',
    lanes: 1,
    readAt,
    position: null,
    tables: context.tables,
    planRanges: async (table, targetBytes) => planRanges(context.database, table, targetBytes),
    readRows: (table, options) => readRows(context, table, options),
    close: async () => {
      if (open) end();
      open = false;
    },
  };
}
