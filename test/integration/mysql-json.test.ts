/** Numbers inside JSON, of the digits at which DECIMAL and DOUBLE print differently: each comes back as it was printed. */
import fc from 'fast-check';
import { stopMariadb } from '../support/mariadb';
import { describeMariadb } from '../support/mysql-source';
import { MysqlStand } from '../support/mysql-stand';

const ROWS = process.env.LONG === '1' ? 20_000 : 2000;
const SEED = 20261123;

const digits = (most: number): fc.Arbitrary<string> =>
  fc
    .nat(most)
    .chain((length) => fc.array(fc.nat(9), { minLength: length, maxLength: length }))
    .map((list) => list.join(''));
const number = (whole: number, fraction: number): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom('', '-'), digits(whole), digits(fraction))
    .map(([sign, before, after]) => `${sign}${BigInt(before)}${after === '' ? '' : `.${after}`}`);
const decimal = fc.oneof(number(18, 3), number(3, 30));
const double = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), decimal.map(Number));

describeMariadb('numbers in JSON', () => {
  let stand: MysqlStand;
  beforeEach(async () => {
    stand = await MysqlStand.open(['CREATE TABLE doc (id INT PRIMARY KEY, n JSON, d JSON)'], ['doc']);
  });
  afterEach(() => stand.close());
  afterAll(() => stopMariadb());

  test('come back as they were printed, floating numbers as such', async () => {
    const decimals = fc.sample(decimal, { numRuns: ROWS, seed: SEED });
    const doubles = fc.sample(double, { numRuns: ROWS, seed: SEED });
    const rows = decimals.map((n, i) => `(${i}, JSON_ARRAY(${n}), JSON_ARRAY(${doubles[i]?.toExponential()}))`);
    await stand.exec(`INSERT INTO doc VALUES ${rows.join(', ')}`);
    const kept = "SELECT id, HEX(n), HEX(d), JSON_TYPE(JSON_EXTRACT(d, '$[0]')) FROM doc ORDER BY id";
    const before = await stand.rows(kept);
    const backupId = await stand.backup();
    await stand.exec('DROP TABLE doc');
    await stand.restore(backupId);
    expect(await stand.rows(kept)).toEqual(before);
  });
});
