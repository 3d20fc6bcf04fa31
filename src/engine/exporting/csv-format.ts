/**
 * CSV as RFC 4180 has it, of one table: a line of the column names, then a line for each row. NULL is an empty field, empty text is "". What
 * records show as an object is its JSON text; a document is its own text. Values are not changed for the sake of spreadsheets.
 */
import type { TableManifest } from '../../domain/manifest';
import { rowStart, type RowBatch, type RowCodec } from '../../domain/rows';
import type { ColumnValues, JsonValue } from '../../domain/values';
import { TypedRows } from '../rows/typed-rows';
import type { FormatWriter } from './format-writer';

const LINE_END = '\r\n';

export function csvFormat(codec: RowCodec): FormatWriter {
  return {
    begin: () => [],
    table: (table) => ({
      begin: lineOf(table.structure.columns.map(({ name }) => quoted(name))),
      rows: (batch) => linesOf(table, batch, codec),
      end: '',
    }),
    end: () => '',
  };
}

function* linesOf({ structure }: TableManifest, batch: RowBatch, codec: RowCodec): Generator<string> {
  const typed = new TypedRows(codec, structure);
  for (let row = 0; row < batch.ends.length; row++) {
    const fields = typed.locate(batch.bytes, rowStart(batch, row));
    yield lineOf(typed.values.map((values, column) => cell(values, batch.bytes, { fields, slot: 3 * column })));
  }
}

function lineOf(cells: readonly string[]): string {
  return `${cells.join(',')}${LINE_END}`;
}

function cell(values: ColumnValues, bytes: Buffer, { fields, slot }: { fields: Int32Array; slot: number }): string {
  const value = values.text ? values.text(bytes, fields, slot) : values.toJson(bytes, fields, slot);
  return value === null ? '' : quoted(textOf(value));
}

function textOf(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A single empty field alone on its line would be taken for no line at all: that of a table with one column. */
function quoted(text: string): string {
  return text === '' || /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
