/**
 * Helps the server find a business's rows where its column stands second in an index, after the tenant's: with the first column
 * said to be one of all the values it has, the condition selects the same rows as before, whoever's they are, and the index serves.
 */
import type { ColumnStructure, TableStructure } from '../../domain/table';
import type { Session } from './session';
import { quoteName, quoteText } from './sql';

/** With more first values than this, looking each of them up is no help any more. */
const MAX_VALUES = 2000;

/** Extra conditions by table; each holds for every row of its table. */
export type Narrowing = ReadonlyMap<string, (alias: string) => string>;

export async function businessNarrowing(session: Session, tables: readonly TableStructure[]): Promise<Narrowing> {
  const found = new Map<string, (alias: string) => string>();
  for (const table of tables) {
    const leading = leadingColumn(table);
    const values = leading && (await distinctValues(session, table, leading));
    if (!leading || !values) continue;
    found.set(table.table, (alias) => {
      const column = `${alias}.${quoteName(leading.name)}`;
      const known = values.length > 0 ? `${column} IN (${values.join(', ')})` : 'FALSE';
      return leading.nullable ? `(${known} OR ${column} IS NULL)` : known;
    });
  }
  return found;
}

/** The text column before the business's in an index, where no index begins with the business's own. */
function leadingColumn({ mapping, indexes, columns, key }: TableStructure): ColumnStructure | undefined {
  const owner = mapping.business?.kind === 'COLUMN' ? mapping.business.column : undefined;
  const all = [key, ...indexes.map((index) => index.columns)];
  if (owner === undefined || all.some(([first]) => first === owner)) return undefined;
  const [name] = all.find(([, second]) => second === owner) ?? [];
  return columns.find((column) => column.name === name && column.kind === 'TEXT' && column.charset !== undefined);
}

/** Their literals, found by jumping through the index; null where they are too many. */
async function distinctValues(
  session: Session,
  { table }: TableStructure,
  { name }: ColumnStructure,
): Promise<string[] | null> {
  const text = `CONVERT(${quoteName(name)} USING utf8mb4)`;
  const distinct = `SELECT DISTINCT ${quoteName(name)} FROM ${quoteName(table)} LIMIT ${MAX_VALUES + 1}`;
  const rows = await session.values(`SELECT HEX(${text}) FROM (${distinct}) d WHERE ${quoteName(name)} IS NOT NULL`);
  if (rows.length > MAX_VALUES) return null;
  return rows.map(([hex]) => quoteText(Buffer.from(String(hex), 'hex').toString('utf8')));
}
