/** What becomes of a live row whose key was damaged: told field by field against a model that knows nothing of bytes. */
import * as fc from 'fast-check';
import type { ConflictPolicy } from '../../../src/domain/three-way';
import type { RowSlice } from '../../../src/engine/rows/compare-rows';
import { RowMerger } from '../../../src/engine/rows/merge-row';
import { sqliteCodec } from '../../../src/sources/sqlite/row-encoding';
import { decodeRow, encodeRow, tableOf, type Row } from '../../support/engine-rows';

const COLUMNS = ['id', 'name', 'score', 'moved_at'];
const plain = tableOf({ dataType: 'CONFIG', table: 'config' }, COLUMNS);
const structure = {
  ...plain,
  columns: plain.columns.map((column) =>
    column.name === 'moved_at' ? { ...column, selfUpdating: true as const } : column,
  ),
};

type Sides = { undamaged: Row | null; damaged: Row | null; live: Row | null };

/** With bytes of others before and behind it, as rows stand in a batch. */
function slice(row: Row | null): RowSlice | null {
  if (row === null) return null;
  const bytes = encodeRow(row);
  const padded = Buffer.concat([Buffer.from([3, 1, 65]), bytes, Buffer.from([0])]);
  return { bytes: padded, start: 3, end: 3 + bytes.length };
}

function merge({ undamaged, damaged, live }: Sides, policy: ConflictPolicy) {
  const images = { undamaged: slice(undamaged), damaged: slice(damaged), live: slice(live) };
  const { row, conflicts, keepsEdit } = new RowMerger(sqliteCodec, structure, policy).merge(images);
  return {
    row: row && decodeRow(Buffer.from(row.bytes.subarray(row.start, row.end)), COLUMNS.length),
    stays: row === images.live,
    conflicts: conflicts.map((column) => COLUMNS[column]),
    keepsEdit,
  };
}

const UNDAMAGED: Row = [1, 'a', 10, 100];
const DAMAGED: Row = [1, 'x', 10, 200];

describe('a damaged row', () => {
  const changed = { undamaged: UNDAMAGED, damaged: DAMAGED };
  it('goes back to what it was where nobody touched it since', () => {
    expect(merge({ ...changed, live: DAMAGED }, 'FAIL')).toMatchObject({
      row: UNDAMAGED,
      conflicts: [],
      keepsEdit: false,
    });
  });

  it('keeps what was changed in other fields, and when that was', () => {
    const live: Row = [1, 'x', 77, 300];
    expect(merge({ ...changed, live }, 'FAIL')).toMatchObject({
      row: [1, 'a', 77, 300],
      conflicts: [],
      keepsEdit: true,
    });
  });

  it('stays where somebody had put it right by hand', () => {
    const live: Row = [1, 'a', 10, 300];
    expect(merge({ ...changed, live }, 'FAIL')).toMatchObject({ row: live, stays: true, conflicts: [] });
  });

  it.each([
    ['KEEP_LIVE', [1, 'b', 77, 300]],
    ['FAIL', [1, 'b', 77, 300]],
    ['TAKE_BACKUP', [1, 'a', 77, 300]],
  ] as const)('in conflict in a field that was changed again is settled by %s', (policy, row) => {
    expect(merge({ ...changed, live: [1, 'b', 77, 300] }, policy)).toMatchObject({ row, conflicts: ['name'] });
  });

  it.each([
    ['KEEP_LIVE', null],
    ['TAKE_BACKUP', UNDAMAGED],
  ] as const)('that was deleted since is in conflict in what was damaged, settled by %s', (policy, row) => {
    expect(merge({ ...changed, live: null }, policy)).toMatchObject({ row, conflicts: ['name'] });
  });
});

describe('a row that the damage deleted', () => {
  const deleted = { undamaged: UNDAMAGED, damaged: null };
  it('comes back', () => {
    expect(merge({ ...deleted, live: null }, 'FAIL')).toMatchObject({
      row: UNDAMAGED,
      conflicts: [],
      keepsEdit: false,
    });
  });

  it('stays as it is where it was made anew with the same values', () => {
    const live: Row = [1, 'a', 10, 300];
    expect(merge({ ...deleted, live }, 'FAIL')).toMatchObject({ stays: true, conflicts: [] });
  });

  it.each([
    ['KEEP_LIVE', [1, 'b', 11, 300]],
    ['TAKE_BACKUP', UNDAMAGED],
  ] as const)('made anew with other values is in conflict in those, settled by %s', (policy, row) => {
    const live: Row = [1, 'b', 11, 300];
    expect(merge({ ...deleted, live }, policy)).toMatchObject({ row, conflicts: ['name', 'score'] });
  });
});

describe('a row that the damage added', () => {
  const added = { undamaged: null, damaged: DAMAGED };
  it('goes', () => {
    expect(merge({ ...added, live: DAMAGED }, 'FAIL')).toMatchObject({ row: null, conflicts: [], keepsEdit: false });
    expect(merge({ ...added, live: null }, 'FAIL')).toMatchObject({ row: null, stays: true, conflicts: [] });
  });

  it.each([
    ['KEEP_LIVE', [1, 'x', 11, 300]],
    ['TAKE_BACKUP', null],
  ] as const)('and that was changed since is in conflict in that, settled by %s', (policy, row) => {
    expect(merge({ ...added, live: [1, 'x', 11, 300] }, policy)).toMatchObject({ row, conflicts: ['score'] });
  });
});

const value = fc.constantFrom<Row[number]>(null, 0, 1, '', 'a', 'long '.repeat(60));
const someRow = fc.option(fc.tuple(fc.constant(1), value, value, value), { nil: null });
const sides = fc
  .record({ undamaged: someRow, damaged: someRow, live: someRow })
  .filter(({ undamaged, damaged }) => JSON.stringify(undamaged) !== JSON.stringify(damaged));

describe('any three rows of a key', () => {
  it('come out as a model has it, field by field, and a second merge changes nothing', () => {
    fc.assert(
      fc.property(sides, fc.constantFrom<ConflictPolicy>('KEEP_LIVE', 'TAKE_BACKUP', 'FAIL'), (three, policy) => {
        const merged = merge(three, policy);
        const conflicts = ['name', 'score'].filter((name) => isInConflict(three, COLUMNS.indexOf(name)));
        expect(merged.conflicts).toEqual(conflicts);
        expect(merged.row).toEqual(modelOf(three, { policy, hasConflicts: conflicts.length > 0 }));
        if (JSON.stringify(merged.row) === JSON.stringify(three.live)) expect(merged.stays).toBe(true);
        expect(merge({ ...three, live: merged.row }, policy).row).toEqual(merged.row);
      }),
      { numRuns: 3000 },
    );
  });
});

function isInConflict({ undamaged, damaged, live }: Sides, column: number): boolean {
  const [was, bad, now] = [undamaged?.[column], damaged?.[column], live?.[column]];
  if (undamaged && damaged) return was !== bad && (live === null || (now !== bad && now !== was));
  return live !== null && now !== (undamaged ?? damaged)?.[column];
}

function modelOf(
  three: Sides,
  { policy, hasConflicts }: { policy: ConflictPolicy; hasConflicts: boolean },
): Row | null {
  const { undamaged, damaged, live } = three;
  const takes = policy === 'TAKE_BACKUP';
  if (live === null) return damaged === null || (takes && hasConflicts) ? undamaged : null;
  if (undamaged === null) return hasConflicts && !takes ? live : null;
  if (damaged === null) return hasConflicts && takes ? undamaged : live;
  return live.map((now, column) => {
    const isBack = now === damaged[column] || (takes && column !== 3 && isInConflict(three, column));
    return isBack ? (undamaged[column] as Row[number]) : now;
  });
}
