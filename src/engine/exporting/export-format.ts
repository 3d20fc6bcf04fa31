/** The formats of exports. */
import type { ExportFormat } from '../../domain/export';
import type { RowCodec } from '../../domain/rows';
import { csvFormat } from './csv-format';
import type { FormatWriter } from './format-writer';
import { ndjsonFormat } from './ndjson-format';
import { sqlFormat } from './sql-format';

const FORMATS: Record<ExportFormat, (codec: RowCodec) => FormatWriter> = {
  SQL: sqlFormat,
  CSV: csvFormat,
  NDJSON: ndjsonFormat,
};

export function formatWriter(format: ExportFormat, codec: RowCodec): FormatWriter {
  return FORMATS[format](codec);
}
