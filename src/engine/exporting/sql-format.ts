/** SQL as the source's own kind of database takes it. Its last line says how many rows there are: what lacks it is not whole. */
import type { RowCodec } from '../../domain/rows';
import type { FormatWriter } from './format-writer';

export function sqlFormat({ sqlScript }: RowCodec): FormatWriter {
  return {
    *begin(tables) {
      yield sqlScript.begin();
      for (const { structure } of tables) yield sqlScript.createTable(structure);
    },
    table: ({ structure }) => ({
      begin: sqlScript.beforeRows(structure),
      rows: (batch) => sqlScript.inserts(structure, batch),
      end: sqlScript.afterRows(structure),
    }),
    end(counts) {
      const rows = counts.reduce((sum, { rowCount }) => sum + rowCount, 0);
      return `${sqlScript.end()}-- End of the export: ${rows} rows of ${counts.length} tables.\n`;
    },
  };
}
