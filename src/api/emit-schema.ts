/** Prints the schema in a stable order: what `npm run schema` writes to schema/schema.graphql. */
import { lexicographicSortSchema, printSchema } from 'graphql';
import { writeFileSync } from 'node:fs';
import { buildApiSchema } from './schema';

const HEADER = '# Made by `npm run schema` from src/api; not to be edited by hand.\n\n';

export function emitSchema(): string {
  return `${HEADER}${printSchema(lexicographicSortSchema(buildApiSchema()))}\n`;
}

if (require.main === module) {
  const target = process.argv[2];
  if (target) writeFileSync(target, emitSchema());
  else process.stdout.write(emitSchema());
}
