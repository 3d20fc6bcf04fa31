/** Parents come before children, and everything else stays where it was. */
import type { ForeignKey } from '../../../src/domain/table';
import { parentsFirst } from '../../../src/sources/order-tables';

const table = (name: string, ...parents: string[]) => ({
  table: name,
  foreignKeys: parents.map((referencedTable) => ({ referencedTable }) as ForeignKey),
});
const names = (tables: { table: string }[]) => tables.map((each) => each.table).join(' ');

test('parents first, else the given order', () => {
  expect(names(parentsFirst([table('c', 'b'), table('z'), table('b', 'a'), table('a')]))).toBe('z a b c');
});

test('cycles and references to oneself end', () => {
  expect(names(parentsFirst([table('a', 'b'), table('b', 'a'), table('c', 'c', 'elsewhere')]))).toBe('c a b');
});
