/** Takes a CREATE TABLE statement apart, as far as what SQLite tells nowhere else needs: what is said of a column. Pure. */

/** The expression of the generated column, or '' where the statement is not understood; for showing only. */
export function generatedExpression(createStatement: string, column: string): string {
  const definition = columnDefinition(createStatement, column) ?? [];
  const as = definition.findIndex((token, i) => /^as$/i.test(token) && definition[i + 1]?.startsWith('('));
  return as < 0 ? '' : (definition[as + 1] as string).slice(1, -1).trim();
}

/** The tokens that define the column, its name first; a parenthesis and its content is one. Undefined where there is none. */
export function columnDefinition(createStatement: string, column: string): string[] | undefined {
  return definitions(createStatement).find((tokens) => tokens[0] && sameName(tokens[0], column));
}

/** Whether the table takes only values of its columns' declared types. */
export function isStrict(createStatement: string): boolean {
  const found = tokens(createStatement);
  const body = found.findIndex((token) => token.startsWith('('));
  return found.slice(body + 1).some((token) => /^strict$/i.test(token));
}

/** The comma-separated parts between the outermost parentheses, each as tokens; a parenthesis and its content is one. */
function definitions(sql: string): string[][] {
  const body = tokens(sql).find((token) => token.startsWith('('));
  const parts: string[][] = [[]];
  for (const token of tokens(body?.slice(1, -1) ?? '')) {
    if (token === ',') parts.push([]);
    else parts[parts.length - 1]?.push(token);
  }
  return parts;
}

const PIECE =
  /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|[\p{L}\p{N}_$.]+|\s+|[\s\S]/gu;

function tokens(sql: string): string[] {
  const found: string[] = [];
  let open = '';
  let depth = 0;
  for (const [piece] of sql.matchAll(PIECE)) {
    if (piece === '(') depth += 1;
    const nested = depth > 0;
    if (piece === ')') depth -= 1;
    if (nested) open += piece;
    else if (!/^(--|\/\*|\s)/.test(piece)) found.push(piece);
    if (nested && depth === 0) {
      found.push(open);
      open = '';
    }
  }
  return found;
}

function sameName(token: string, name: string): boolean {
  const quote = token[0] as string;
  const plain = '"`\''.includes(quote) ? token.slice(1, -1).replaceAll(quote + quote, quote) : token;
  const bare = quote === '[' ? token.slice(1, -1) : plain;
  return bare.toLowerCase() === name.toLowerCase();
}
