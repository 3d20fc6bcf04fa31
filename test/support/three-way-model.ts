/**
 * What a three-way restore must leave behind, worked out from whole tables as a person would: no keys, no chunks, no bytes. The rows are
 * texts as SQL gives them; the first column is the key.
 */
import type { ConflictPolicy } from '../../src/domain/three-way';
import type { State } from './change-set-scenarios';

type Row = (string | null)[];

export interface Expected {
  state: State;
  /** By table: fields in conflict. */
  conflicts: Record<string, number>;
}

export interface ThreeStates {
  undamaged: State;
  damaged: State;
  live: State;
}

/** Positions of columns that the server sets with each update, by table. */
export type MovingColumns = Record<string, number>;

export function expectedState(
  { undamaged, damaged, live }: ThreeStates,
  policy: ConflictPolicy,
  { tables, moving }: { tables: readonly string[]; moving: MovingColumns },
): Expected {
  const state: State = { ...live };
  const conflicts: Record<string, number> = {};
  for (const table of tables) {
    const sides = [undamaged, damaged, live].map((side) => new Map((side[table] as Row[]).map((row) => [row[0], row])));
    const [was, bad, now] = sides as [Map<string, Row>, Map<string, Row>, Map<string, Row>];
    const kept: Row[] = [];
    for (const key of new Set(sides.flatMap((side) => [...side.keys()] as string[]))) {
      const merged = mergeRow({ was: was.get(key), bad: bad.get(key), now: now.get(key) }, policy, moving[table]);
      if (merged.row) kept.push(merged.row);
      if (merged.conflicts > 0) conflicts[table] = (conflicts[table] ?? 0) + merged.conflicts;
    }
    state[table] = kept;
  }
  return { state: sortState(state), conflicts };
}

interface Versions {
  was: Row | undefined;
  bad: Row | undefined;
  now: Row | undefined;
}

function mergeRow({ was, bad, now }: Versions, policy: ConflictPolicy, moving: number | undefined) {
  const width = (was ?? bad ?? now)!.length;
  const columns = Array.from({ length: width }, (_, column) => column);
  const isDamaged = JSON.stringify(was) !== JSON.stringify(bad);
  if (!isDamaged) return { row: now, conflicts: 0 };
  const count = (test: (column: number) => boolean): number => columns.filter((c) => c !== moving && test(c)).length;
  const settled = (conflicts: number, cases: { none: Row | undefined; live: Row | undefined }) => ({
    conflicts,
    row: conflicts === 0 ? cases.none : policy === 'TAKE_BACKUP' ? was : cases.live,
  });
  if (was && bad && !now)
    return settled(
      count((c) => was[c] !== bad[c]),
      { none: undefined, live: undefined },
    );
  if (was && !bad && now)
    return settled(
      count((c) => was[c] !== now[c]),
      { none: now, live: now },
    );
  if (!was && bad && now)
    return settled(
      count((c) => bad[c] !== now[c]),
      { none: undefined, live: now },
    );
  if (!was || !bad || !now) return { row: was, conflicts: 0 };
  const isInConflict = (c: number): boolean =>
    c !== moving && was[c] !== bad[c] && now[c] !== bad[c] && now[c] !== was[c];
  const field = (c: number): string | null => {
    if (was[c] === bad[c]) return now[c]!;
    if (now[c] === bad[c]) return was[c]!;
    return isInConflict(c) && policy === 'TAKE_BACKUP' ? was[c]! : now[c]!;
  };
  return { row: columns.map(field), conflicts: count(isInConflict) };
}

export function sortState(state: State): State {
  const compare = (a: Row, b: Row): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
  const entries = Object.entries(state).map(([table, rows]) => [table, rows === 'MISSING' ? rows : [...rows].sort(compare)] as const); // prettier-ignore
  return Object.fromEntries(entries);
}

/** Whether the tables' own rules hold: every parent is there, no unique value is there twice. */
export function isLawful(state: State): boolean {
  const rows = (table: string): Row[] => (state[table] === 'MISSING' ? [] : (state[table] as Row[]));
  const column = (table: string, at: number): (string | null)[] => rows(table).map((row) => row[at] ?? null);
  const refers = (child: string, at: number, parent: string): boolean => {
    const parents = new Set(column(parent, 0));
    return column(child, at).every((value) => value === null || parents.has(value));
  };
  const isUnique = (values: (string | null)[]): boolean => {
    const given = values.filter((value) => value !== null);
    return new Set(given).size === given.length;
  };
  return (
    refers('business', 1, 'tenant') &&
    refers('assessment', 1, 'business') &&
    refers('factor', 1, 'assessment') &&
    refers('visit', 1, 'business') &&
    isUnique(column('tenant', 1)) &&
    isUnique(column('config', 2)) &&
    isUnique(rows('factor').map(([, assessment, name]) => JSON.stringify([assessment, name])))
  );
}
