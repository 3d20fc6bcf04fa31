/** Rows of a backup as rows of a table that changed since: against a model in plain values, whatever columns came, went and moved. */
import type { TableStructure } from '../../../src/domain/table';
import { fitTable, requireInsertable, type Adaptation } from '../../../src/engine/reading/adaptation';
import { compareRows } from '../../../src/engine/rows/compare-rows';
import { RowAdapter } from '../../../src/engine/rows/row-adapter';
import { createSeededRandom, type SeededRandom } from '../../../src/sources/seeded-random';
import { sqliteCodec } from '../../../src/sources/sqlite/row-encoding';
import {
  batchOf,
  batchesOf,
  decodeRow,
  encodeRow,
  rowsOf,
  tableOf,
  type Row,
  type Value,
} from '../../support/engine-rows';

const MAPPING = { dataType: 'CONFIG', table: 't' } as const;
const FRESH = ['x', 'y', 'z'];

type Record = { [column: string]: Value };

function structure(columns: readonly string[]): TableStructure {
  const definitions = columns.map((name) => (FRESH.includes(name) ? `${name} TEXT DEFAULT 'new ${name}'` : name));
  return { ...tableOf(MAPPING, columns), createStatement: `CREATE TABLE t (${definitions.join(', ')})`, key: ['id'] };
}

function shuffled(names: readonly string[], random: SeededRandom): string[] {
  return names.map((name) => ({ name, at: random.int(0, 1000) })).sort((a, b) => a.at - b.at).map(({ name }) => name); // prettier-ignore
}

function adapted(before: TableStructure, now: TableStructure): Adaptation {
  const fit = fitTable(before, now, sqliteCodec);
  if (fit.kind !== 'ADAPTED') throw new Error(fit.kind);
  return fit.adaptation;
}

const rowOf = (columns: readonly string[], record: Record): Row => columns.map((name) => record[name] ?? null);
const recordOf = (columns: readonly string[], row: Buffer): Record => {
  const values = decodeRow(row, columns.length);
  return Object.fromEntries(columns.map((name, i) => [name, values[i] ?? null]));
};

function someRecord(id: number, random: SeededRandom): Record {
  const value = (): Value => random.pick([null, 7, 'a', 'b', '']);
  return { id, a: value(), b: value(), c: value(), d: value(), x: value(), y: value(), z: value() };
}

describe('rows of a table that changed', () => {
  it.each(Array.from({ length: 60 }, (_, seed) => seed))('are what a model makes of them: %i', async (seed) => {
    const random = createSeededRandom(seed);
    const columns = shuffled(['id', 'a', 'b', 'c', 'd'], random);
    const kept = shuffled(columns.filter((name) => name === 'id' || random.chance(0.7)), random); // prettier-ignore
    const fresh = FRESH.filter(() => random.chance(0.6));
    const [before, now] = [structure(columns), structure(shuffled([...kept, ...fresh], random))];
    if (kept.length === 5 && fresh.length === 0) return;
    const adaptation = adapted(before, now);
    const names = adaptation.structure.columns.map(({ name }) => name);
    expect([...names].sort()).toEqual([...kept, ...fresh].sort());

    const backup = Array.from({ length: 30 }, (_, id) => someRecord(id, random));
    const inserted = backup.map((record) => ({ ...record, ...Object.fromEntries(fresh.map((name) => [name, `new ${name}`])) })); // prettier-ignore
    const rows = new RowAdapter(adaptation, 5, sqliteCodec).apply(batchOf(backup.map((record) => encodeRow(rowOf(columns, record))))); // prettier-ignore
    expect(rowsOf(rows).map((row) => decodeRow(row, names.length))).toEqual(inserted.map((record) => rowOf(names, record))); // prettier-ignore

    const live = backup.flatMap((record, id): Record[] => {
      if (random.chance(0.2)) return [];
      return [random.chance(0.5) ? { ...someRecord(id, random), ...record, x: 'own', y: null, z: 1 } : someRecord(id, random)]; // prettier-ignore
    });
    const found = { changed: new Map<Value, Record>(), missing: [] as Record[], equal: 0, extra: 0 };
    await compareRows({
      codec: sqliteCodec,
      keyColumns: [names.indexOf('id')],
      knownColumns: adaptation.fields.length,
      backup: rows,
      live: batchesOf(live.map((record) => encodeRow(rowOf(names, record))), 7), // prettier-ignore
      sink: {
        equal: (count) => void (found.equal += count),
        changed: ({ live: old, backup: next }) => {
          const record = recordOf(names, next.bytes.subarray(next.start, next.end));
          expect(recordOf(names, old.bytes.subarray(old.start, old.end)).id).toBe(record.id);
          found.changed.set(record.id ?? null, record);
        },
        missing: ({ bytes, start, end }) => void found.missing.push(recordOf(names, bytes.subarray(start, end))),
        extra: () => void found.extra++,
        settle: () => Promise.resolve(),
      },
    });
    const wanted = new Map(live.map((record) => [record.id, { ...record, ...pick(backup[Number(record.id)]!, kept) }]));
    const differing = live.filter((record) => kept.some((name) => record[name] !== wanted.get(record.id)![name]));
    expect([...found.changed.keys()].sort()).toEqual(differing.map(({ id }) => id).sort());
    for (const [id, record] of found.changed) expect(record).toEqual(pick(wanted.get(id)!, names));
    expect(found.missing).toEqual(inserted.filter(({ id }) => !wanted.has(id)).map((record) => pick(record, names)));
    expect([found.equal, found.extra]).toEqual([live.length - differing.length, 0]);
  });

  it('can be inserted only where each new column has a certain default', () => {
    const before = structure(['id', 'a']);
    const now = structure(['id', 'a', 'when', 'x']);
    now.createStatement = `CREATE TABLE t (id, a, "when" DEFAULT CURRENT_TIMESTAMP, x DEFAULT 5)`;
    const expected = { code: 'SCHEMA_MISMATCH', message: expect.stringMatching(/t\.when\.$/) };
    expect(() => requireInsertable(adapted(before, now))).toThrow(expect.objectContaining(expected));
    now.createStatement = now.createStatement.replace('CURRENT_TIMESTAMP', "'never'");
    expect(() => requireInsertable(adapted(before, now))).not.toThrow();
  });

  it('know a column whose name changed its case alone', () => {
    const {
      structure: table,
      added,
      dropped,
    } = adapted(structure(['id', 'a']), { ...structure(['A', 'ID']), key: ['ID'] });
    expect([table.columns.map(({ name }) => name), added, dropped]).toEqual([['ID', 'A'], [], []]);
  });

  it('name every column that stands in the way', () => {
    const before = structure(['id', 'a', 'b']);
    const now = { ...structure(['id', 'a', 'b']), key: ['a'] };
    now.columns = now.columns.map((column) => (column.name === 'b' ? { ...column, type: 'TEXT' } : column));
    before.columns = before.columns.map((column) => (column.name === 'b' ? { ...column, type: 'REAL' } : column));
    expect(fitTable(before, now, sqliteCodec)).toEqual({
      kind: 'UNFIT',
      problems: [expect.stringMatching(/^t\.b is TEXT instead of REAL/), 't has the key (a) instead of (id)'],
    });
  });

  it('whose keys would stand in another order are refused', () => {
    const before = structure(['id', 'a']);
    const now = structure(['id', 'a']);
    now.columns = now.columns.map((column) => ({ ...column, collation: 'NOCASE' }));
    const problems = [expect.stringMatching(/^t\.id is part of the key/)];
    expect(fitTable(before, now, sqliteCodec)).toEqual({ kind: 'UNFIT', problems });
  });
});

function pick(record: Record, names: readonly string[]): Record {
  return Object.fromEntries(names.map((name) => [name, record[name] ?? null]));
}
