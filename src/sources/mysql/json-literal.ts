/**
 * MySQL's JSON values as literals. They may hold exact decimals, as JSON_OBJECT makes them of DECIMAL columns, whose text reads
 * back as a floating number that prints otherwise: 1.50 as 1.5. Where the text tells that a number is one, the value is built
 * from its parts; everything else reads back from its text as it was.
 */

/**
 * What every one of them has: looked for first, since most values have none. A floating number keeps 15 digits of any kind, and
 * never ends in a nought that says nothing. A DECIMAL has 30 digits after its point at most; a longer match could overflow.
 */
const MAYBE_DECIMAL = /\.\d{1,29}0(?!\d)|\d(?:\.?\d){15}/;
const INTEGERS: readonly [bigint, bigint] = [-(2n ** 63n), 2n ** 64n - 1n];
/** From here on the server prints whole floating numbers with an exponent, and below the other all of them. */
const [LARGEST_PLAIN, SMALLEST_PLAIN] = [1e15, 1e-15];

/** True where JSON text of the server's own making holds a number that is certainly a DECIMAL. */
export function holdsDecimals(json: Buffer): boolean {
  const text = json.toString('latin1');
  if (!MAYBE_DECIMAL.test(text)) return false;
  for (const token of tokensOf(text)) if (isDecimal(token)) return true;
  return false;
}

/** An expression that gives the very value whose text this is. */
export function jsonLiteral(json: Buffer): string {
  if (!holdsDecimals(json)) return textLiteral(json);
  const tokens = [...tokensOf(json.toString('utf8'))];
  return tokens.map((token, i) => tokenSql(token, tokens[i + 1])).join('');
}

/** Strings with their quotes, numbers, words and single marks. By hand: strings of megabytes overflow a regular expression. */
function* tokensOf(json: string): Generator<string> {
  for (let at = 0; at < json.length;) {
    const end = endOfToken(json, at);
    if (json[at] !== ' ') yield json.slice(at, end);
    at = end;
  }
}

const WORD = /[^\s{}[\],:"]+/y;

function endOfToken(json: string, start: number): number {
  if (json[start] === '"') return endOfString(json, start);
  WORD.lastIndex = start;
  return WORD.test(json) ? WORD.lastIndex : start + 1;
}

function endOfString(json: string, start: number): number {
  let quote = json.indexOf('"', start + 1);
  while (isEscaped(json, quote)) quote = json.indexOf('"', quote + 1);
  return quote < 0 ? json.length : quote + 1;
}

function isEscaped(json: string, quote: number): boolean {
  let backslash = quote;
  while (json[backslash - 1] === '\\') backslash--;
  return (quote - backslash) % 2 === 1;
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
  if (size >= LARGEST_PLAIN && Number.isInteger(size)) return true;
  if (size > 0 && size < SMALLEST_PLAIN) return true;
  return digitsOf(String(Number(token))) !== digitsOf(token);
}

/** The digits that count, whatever the notation. */
function digitsOf(number: string): string {
  return number
    .replace(/e.*$/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+|0+$/g, '');
}
