/** A set that keeps hashes of values answers as one that keeps the values. */
import { ValueHashes } from '../../../src/engine/rows/value-hashes';

it('tells what was added from what was not, however many there are', () => {
  const values = new ValueHashes();
  for (let n = 0; n < 200_000; n += 2) {
    values.add(`value ${n}`);
    values.add(`value ${n}`);
  }
  const wrong = Array.from({ length: 200_000 }, (_, n) => n).filter((n) => values.has(`value ${n}`) !== (n % 2 === 0));
  expect(wrong).toEqual([]);
});
