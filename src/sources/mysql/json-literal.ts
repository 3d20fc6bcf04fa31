/**
 * MySQL's JSON values as literals. They may hold exact decimals, as JSON_OBJECT makes them of DECIMAL columns, whose text reads
 * back as a floating number that prints otherwise: 1.50 as 1.5. Where the text tells that a number is one, the value is built
 * from its parts; everything else reads back from its text as it was.
 */

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|[{}[\],:]|true|false|null/g;
/** What every one of them has: looked for first, since most values have none. */
const MAYBE_DECIMAL = /\d\.\d\d|\d{16}/;
const INTEGERS: readonly [bigint, bigint] = [-(2n ** 63n), 2n ** 64n - 1n];
/** From here on, and below the other, the server prints floating numbers with an exponent. */
const [LARGEST_PLAIN, SMALLEST_PLAIN] = [1e15, 1e-15];

/** True where JSON text of the server's own making holds a number that is certainly a DECIMAL. */
export function holdsDecimals(json: Buffer): boolean {
  const text = json.toString('latin1');
  return MAYBE_DECIMAL.test(text) && (text.match(TOKEN) ?? []).some(isDecimal);
}

/** An expression that gives the very value whose text this is. */
export function jsonLiteral(json: Buffer): string {
  if (!holdsDecimals(json)) return textLiteral(json);
  const tokens = json.toString('utf8').match(TOKEN) ?? [];
  return tokens.map((token, i) => tokenSql(token, tokens[i + 1])).join('');
}

const STRUCTURE: Readonly<Record<string, string>> = {
  '{': 'JSON_OBJECT(',
  '[': 'JSON_ARRAY(',
  '}': ')',
  ']': ')',
  ',': ', ',
  ':': ', ',
};

function tokenSql(token: string, next: string | undefined): string {
  if (STRUCTURE[token] !== undefined) return STRUCTURE[token];
  if (next === ':') return textLiteral(Buffer.from(String(JSON.parse(token))));
  return `CAST(${isDecimal(token) ? token : textLiteral(Buffer.from(token))} AS JSON)`;
}

function textLiteral(text: Buffer): string {
  return `_utf8mb4 X'${text.toString('hex')}'`;
}

function isDecimal(token: string): boolean {
  if (!/^-?\d+(\.\d+)?$/.test(token)) return false;
  if (!token.includes('.')) return BigInt(token) < INTEGERS[0] || BigInt(token) > INTEGERS[1];
  if (/\.\d+0$/.test(token)) return true;
  const size = Math.abs(Number(token));
  if (size >= LARGEST_PLAIN || (size > 0 && size < SMALLEST_PLAIN)) return true;
  return digitsOf(String(Number(token))) !== digitsOf(token);
}

/** The digits that count, whatever the notation. */
function digitsOf(number: string): string {
  return number
    .replace(/e.*$/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+|0+$/g, '');
}
