/**
 * Foreign keys as seen from the tables that they refer to, of every table of the server: those that information_schema shows this
 * user, and those that InnoDB's own dictionary knows beside them, of tables that are hidden from it.
 */
import type { ForeignKey } from '../../domain/table';
import { isAccessDenied } from './errors';
import { toForeignKeys } from './introspect';
import type { Session, SqlRow } from './session';
import { quoteText } from './sql';

/** A foreign key, wherever the referring table is. */
export interface IncomingReference {
  schema: string;
  table: string;
  key: ForeignKey;
  /** The referring table, or a column of the key, is hidden from this user: its rows can't be looked at. */
  hidden?: true;
}

export interface IncomingReferences {
  references: IncomingReference[];
  /** False where hidden tables may refer to the tables too: without PROCESS nobody tells. */
  complete: boolean;
}

/** Every foreign key of the server that refers to one of the tables. */
export async function readIncomingReferences(
  session: Session,
  schema: string,
  tables: readonly string[],
): Promise<IncomingReferences> {
  if (tables.length === 0) return { references: [], complete: true };
  const shown = await readShown(session, schema, tables);
  try {
    const all = await readKnown(session, schema, tables);
    const seen = new Set(shown.map(signature));
    const hidden = all.filter((reference) => !seen.has(signature(reference)));
    return {
      references: [...shown, ...hidden.map((reference) => ({ ...reference, hidden: true as const }))],
      complete: true,
    };
  } catch (error) {
    if (!isAccessDenied(error)) throw error;
    return { references: shown, complete: false };
  }
}

/** For each of the tables the others that refer to it, as `Source.referringTables` gives them. */
export async function readReferringTables(session: Session, tables: readonly string[]): Promise<Map<string, string[]>> {
  const { schema } = session.target;
  const { references } = await readIncomingReferences(session, schema, tables);
  const found = new Map<string, string[]>();
  for (const name of tables) {
    const children = references
      .filter(({ key }) => key.referencedTable.toLowerCase() === name.toLowerCase())
      .map((child) => (child.schema === schema ? child.table : `${child.schema}.${child.table}`))
      .filter((child) => child.toLowerCase() !== name.toLowerCase());
    if (children.length > 0) found.set(name, [...new Set(children)].sort());
  }
  return found;
}

/** Both sources of it fold names in their own way. */
function signature({ schema, table, key }: IncomingReference): string {
  return JSON.stringify([schema, table, key.columns, key.referencedTable, key.referencedColumns]).toLowerCase();
}

async function readShown(session: Session, schema: string, tables: readonly string[]): Promise<IncomingReference[]> {
  const rows = await session.rows(
    `SELECT TABLE_SCHEMA AS child_schema, TABLE_NAME AS child, CONSTRAINT_NAME AS name, COLUMN_NAME AS col,
       REFERENCED_TABLE_SCHEMA AS ref_schema, REFERENCED_TABLE_NAME AS ref_table, REFERENCED_COLUMN_NAME AS ref_col
     FROM information_schema.KEY_COLUMN_USAGE
     WHERE REFERENCED_TABLE_SCHEMA = ${quoteText(schema)} AND REFERENCED_TABLE_NAME IN (${tables.map(quoteText).join(', ')})
     ORDER BY TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION`,
  );
  return byChild(rows);
}

function byChild(rows: readonly SqlRow[]): IncomingReference[] {
  const children = new Map<string, SqlRow[]>();
  for (const row of rows) {
    const id = JSON.stringify([row.child_schema, row.child]);
    children.set(id, [...(children.get(id) ?? []), row]);
  }
  return [...children.values()].flatMap((parts) => {
    const [{ child_schema: childSchema, child } = {} as SqlRow] = parts;
    const keys = toForeignKeys(parts, [], String(childSchema));
    return keys.map((key) => ({ schema: String(childSchema), table: String(child), key }));
  });
}

/** As the storage engine knows them; names that it keeps are `schema/table`. Needs PROCESS. */
async function readKnown(session: Session, schema: string, tables: readonly string[]): Promise<IncomingReference[]> {
  const { foreignKeyView, encodesTableNames } = session.dialect;
  const part = (column: string, at: 1 | -1): string => {
    const name = `SUBSTRING_INDEX(${column}, '/', ${at})`;
    return encodesTableNames ? `CONVERT(CONVERT(CAST(${name} AS BINARY) USING filename) USING utf8mb4)` : name;
  };
  const rows = await session.rows(
    `SELECT ${part('k.FOR_NAME', 1)} AS child_schema, ${part('k.FOR_NAME', -1)} AS child, ${part('k.ID', -1)} AS name,
       ${part('k.REF_NAME', 1)} AS ref_schema, ${part('k.REF_NAME', -1)} AS ref_table,
       c.FOR_COL_NAME AS col, c.REF_COL_NAME AS ref_col
     FROM information_schema.${foreignKeyView} k JOIN information_schema.${foreignKeyView}_COLS c ON c.ID = k.ID
     WHERE LOWER(${part('k.REF_NAME', 1)}) = LOWER(${quoteText(schema)}) ORDER BY k.ID, c.POS`,
  );
  const fold = (name: string): string => (session.foldsTableNames ? name.toLowerCase() : name);
  const wanted = new Set(tables.map(fold));
  const isWanted = ({ ref_schema: refSchema, ref_table: refTable }: SqlRow): boolean =>
    fold(String(refSchema)) === fold(schema) && wanted.has(fold(String(refTable)));
  return byChild(rows.filter(isWanted));
}
