/** INSERT statements of a script: as many rows in each as make it moderately long. Pure. */

/** Longer statements gain nothing, and cost memory on both sides. */
const STATEMENT_LENGTH = 256 * 1024;

/** A row in parentheses. */
export interface Tuple {
  sql: string;
  /** Rows that need to be inserted otherwise stand in statements of their own. */
  isOdd: boolean;
}

/** Runs of tuples that fit one statement, in their order. */
export function* runsOf(tuples: Iterable<Tuple>): Generator<{ rows: string; isOdd: boolean }> {
  let [taken, length, isOdd]: [string[], number, boolean] = [[], 0, false];
  for (const tuple of tuples) {
    if (taken.length > 0 && (tuple.isOdd !== isOdd || length + tuple.sql.length > STATEMENT_LENGTH)) {
      yield { rows: taken.join(',\n'), isOdd };
      [taken, length] = [[], 0];
    }
    isOdd = tuple.isOdd;
    taken.push(tuple.sql);
    length += tuple.sql.length;
  }
  if (taken.length > 0) yield { rows: taken.join(',\n'), isOdd };
}
