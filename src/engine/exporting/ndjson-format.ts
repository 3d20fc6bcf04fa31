/** One JSON object a line for each row; its fields are what records show. */
import type { TableManifest } from '../../domain/manifest';
import { rowStart, type RowBatch, type RowCodec } from '../../domain/rows';
import { TypedRows } from '../rows/typed-rows';
import type { FormatWriter } from './format-writer';

export function ndjsonFormat(codec: RowCodec): FormatWriter {
  return {
    begin: () => [],
    table: (table) => ({ begin: '', rows: (batch) => linesOf(table, batch, codec), end: '' }),
    end: () => '',
  };
}

function* linesOf({ dataType, table, structure }: TableManifest, batch: RowBatch, codec: RowCodec): Generator<string> {
  const typed = new TypedRows(codec, structure);
  for (let row = 0; row < batch.ends.length; row++) {
    const fields = typed.row(batch.bytes, rowStart(batch, row));
    yield `${JSON.stringify({ dataType, table, fields })}\n`;
  }
}
