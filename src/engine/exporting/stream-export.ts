/**
 * A download: the export as bytes, row after row, in constant memory, at the pace of whoever takes them. It ends well only with exactly the
 * rows that its job counted. No lease is held: whoever takes long must hold up no cleanup, and a backup that goes meanwhile ends it.
 */
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { AppError } from '../../domain/errors';
import type { ExportedTable, TakeBytes } from '../../domain/export';
import type { EngineTask, ExportStreamResult } from '../../domain/task';
import { throwIfAborted } from '../lanes';
import type { TaskContext } from '../ports';
import { readInOrder } from '../reading/read-in-order';
import { asReadFailure } from '../reading/stored-backup';
import { RowFilter } from '../rows/row-filter';
import { formatWriter } from './export-format';
import type { FormatWriter } from './format-writer';
import { openExport, type OpenedExport, type TableRows } from './open-export';

type StreamTask = Extract<EngineTask, { kind: 'EXPORT_STREAM' }>;

/** Text is handed on in parts of about this length. */
const PART_LENGTH = 64 * 1024;
/** Twice as fast as the default, for a seventh more bytes. */
const GZIP_LEVEL = 3;

export async function streamExport(task: StreamTask, context: TaskContext): Promise<ExportStreamResult> {
  const { wanted, expected } = task;
  const take = context.hooks.onBytes;
  if (take === undefined) throw new AppError('INTERNAL', 'Nobody takes what is streamed.');
  const counts: ExportedTable[] = [];
  try {
    const opened = await openExport(wanted, context);
    const text = inParts(
      textOf(opened, { format: formatWriter(wanted.format, opened.codec), counts, expected, context }),
    );
    await (wanted.compression === 'GZIP' ? passCompressed(text, take, context.signal) : pass(text, take));
  } catch (error) {
    throw await asReadFailure(error, { ...wanted, what: 'What is exported' }, await context.deps.store());
  }
  return { kind: 'EXPORT_STREAM', rowCount: counts.reduce((sum, { rowCount }) => sum + rowCount, 0) };
}

interface Writing {
  format: FormatWriter;
  counts: ExportedTable[];
  expected: readonly ExportedTable[];
  context: TaskContext;
}

async function* textOf(opened: OpenedExport, writing: Writing): AsyncGenerator<string> {
  const { format, counts, expected } = writing;
  yield* format.begin(opened.tables.map(({ table }) => table));
  for (const rows of opened.tables) yield* tableText(rows, opened, writing);
  requireSame(counts, expected);
  yield format.end(counts);
}

async function* tableText(rows: TableRows, opened: OpenedExport, writing: Writing): AsyncGenerator<string> {
  const { format, counts, context } = writing;
  const { dataType, table } = rows.table;
  const writer = format.table(rows.table);
  const filter = rows.accepts && new RowFilter(rows.accepts);
  let rowCount = 0;
  yield writer.begin;
  for await (const span of rows.spans()) {
    throwIfAborted(context.signal);
    const all = await readInOrder(rows.table, span, opened);
    const batch = filter?.apply(all) ?? all;
    rowCount += batch.ends.length;
    yield* writer.rows(batch);
  }
  yield writer.end;
  counts.push({ dataType, table, rowCount });
}

/** Whoever reads the end of it must not have got less than was counted, nor more. */
function requireSame(counts: readonly ExportedTable[], expected: readonly ExportedTable[]): void {
  const spell = (tables: readonly ExportedTable[]): string =>
    tables.map(({ table, rowCount }) => `${table} ${rowCount}`).join();
  if (spell(counts) === spell(expected)) return;
  throw new AppError('INTEGRITY_FAILURE', 'The backup holds other rows than were counted for the export.', {
    hint: 'Verify the backup, then export it again.',
  });
}

async function* inParts(text: AsyncIterable<string>): AsyncGenerator<Buffer> {
  let pieces: string[] = [];
  let length = 0;
  for await (const piece of text) {
    pieces.push(piece);
    length += piece.length;
    if (length < PART_LENGTH) continue;
    yield Buffer.from(pieces.join(''));
    [pieces, length] = [[], 0];
  }
  if (length > 0) yield Buffer.from(pieces.join(''));
}

async function pass(parts: AsyncIterable<Buffer>, take: TakeBytes): Promise<void> {
  for await (const part of parts) await take(part);
}

async function passCompressed(parts: AsyncIterable<Buffer>, take: TakeBytes, signal: AbortSignal): Promise<void> {
  const passOn = (compressed: AsyncIterable<Buffer>): Promise<void> => pass(compressed, take);
  await pipeline(parts, createGzip({ level: GZIP_LEVEL }), passOn, { signal });
}
