/** Prints the schema in a stable order; `npm run schema` writes it to schema/schema.graphql (or to the file it is given). */
import { lexicographicSortSchema, printSchema } from 'graphql';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { buildApiSchema } from './schema';

const HEADER = '# Made by `npm run schema` from src/api; not to be edited by hand.\n\n';
const COMMITTED = resolve(__dirname, '../../schema/schema.graphql');

export function emitSchema(): string {
  return `${HEADER}${printSchema(lexicographicSortSchema(buildApiSchema()))}\n`;
}

if (require.main === module) writeFileSync(process.argv[2] ?? COMMITTED, emitSchema());
