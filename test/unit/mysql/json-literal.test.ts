/** How MySQL's JSON values are written back: what must be built from its parts, and what its text says well enough. */
import { holdsDecimals, jsonLiteral } from '../../../src/sources/mysql/json-literal';

const MIB = 1024 * 1024;
const holds = (json: string): boolean => holdsDecimals(Buffer.from(json));
const literal = (json: string): string => jsonLiteral(Buffer.from(json));
const text = (value: string): string => `_utf8mb4 X'${Buffer.from(value).toString('hex')}'`;

test.each([
  ['a nought at the end', '1.50'],
  ['a value of nought with two places', '0.00'],
  ['more digits than a floating number has', '647658866434552.71'],
  ['15 digits before the point and one that a floating number rounds to another', '647658866434552.7'],
  ['the same below nought', '-900192196599135.7'],
  ['a whole number that a floating number prints with an exponent', '1691130514883547.0'],
  ['a number so small that a floating number prints with an exponent', '0.0000000000000009'],
  ['an integer beyond 64 bits', '18446744073709551616'],
  ['one below them', '-9223372036854775809'],
  ['one among others', '{"a": [1, 2.5, {"b": 10.10}]}'],
])('a DECIMAL is known by %s', (_, json) => {
  expect(holds(json)).toBe(true);
});

test.each([
  ['what both types print alike', '1.5'],
  ['16 digits that a floating number has', '1691130514883547.5'],
  ['the shortest of two nearest', '647658866434552.8'],
  ['an exponent', '1.2345678901234568e17'],
  ['the largest integer', '18446744073709551615'],
  ['the least', '-9223372036854775808'],
  ['strings', '{"1.50": "1.50", "\\\\\\"1.50": "18446744073709551616"}'],
])('a value is left to its text that holds %s', (_, json) => {
  expect(holds(json)).toBe(false);
  expect(literal(json)).toBe(text(json));
});

test('a value with a DECIMAL is built from its parts', () => {
  expect(literal('{"k\\"": [1.50, "x\\\\", null, 3], "e": {}}')).toBe(
    `JSON_OBJECT(${text('k"')}, JSON_ARRAY(CAST(1.50 AS JSON), CAST(${text('"x\\\\"')} AS JSON), ` +
      `CAST(${text('null')} AS JSON), CAST(${text('3')} AS JSON)), ${text('e')}, JSON_OBJECT())`,
  );
});

test.each([
  ['letters', 'x'],
  ['digits', '1'],
  ['escaped quotes', '\\"'],
  ['escaped backslashes', '\\\\'],
])('strings of many megabytes of %s may stand beside a DECIMAL', (_, unit) => {
  const long = `"0.${unit.repeat((60 * MIB) / unit.length)}"`;
  expect(holds(`[${long}, 1.5]`)).toBe(false);
  expect(holds(`[${long}, 1.50]`)).toBe(true);
  const built = literal(`["${unit.repeat(MIB)}", 1.50]`);
  // Not one expression over all of it: the test's own would overflow.
  expect(built.slice(0, 40)).toMatch(/^JSON_ARRAY\(CAST\(_utf8mb4 X'[0-9a-f]+$/);
  expect(built.slice(-40)).toMatch(/[0-9a-f]' AS JSON\), CAST\(1\.50 AS JSON\)\)$/);
});
