/**
 * Proves, before COMMIT, what a restore wrote in place: inside the transaction the rows must be what the backup holds. Rows that nobody
 * listed are newer than the comparison, and stay.
 */
import { AppError } from '../../domain/errors';
import type { ChangeWriter } from '../../domain/source';
import type { RestoredTable } from '../../domain/task';
import type { TaskContext } from '../ports';
import type { ScopedTable } from '../reading/scoped-table';
import type { DifferenceSink } from '../rows/compare-rows';
import { comparingWith, type FiringTriggers, type ScopeComparing } from './compare-scope';
import { compareStretch } from './compare-tables';
import { isTouched, type TableDifferences } from './differences';
import { proveTable, type Proving } from './prove-changes';
import { firingWarning, newerRowsWarning, UNPROVEN_REFERENCES } from './restore-warnings';

export interface InPlaceResult {
  tables: RestoredTable[];
  verifiedRows: number;
}

type Writing = ScopeComparing & { triggers: FiringTriggers };

interface ReadingBack {
  writer: ChangeWriter;
  differences: TableDifferences[];
  context: TaskContext;
}

/**
 * Compares every touched stretch once more, inside the transaction: what was written must be what the backup holds. Where triggers
 * ran they may have written anywhere, so then every stretch is compared, and nothing may differ.
 */
export async function proveWrites(
  restore: Writing,
  { writer, differences, context }: ReadingBack,
): Promise<InPlaceResult> {
  const comparing = comparingWith(restore, writer);
  context.progress.begin({ name: 'checking', from: 85, to: 98 });
  const result: InPlaceResult = { tables: [], verifiedRows: 0 };
  const ran = differences.flatMap(({ table, touched }) =>
    touched.size > 0 ? (restore.triggers.get(table.manifest.table) ?? []) : [],
  );
  for (const of of differences) {
    const proof = new WriteProof(of.table);
    for await (const stretch of restore.rows.stretches(of.table.manifest)) {
      const touched = of.touched.get(stretch.index) ?? (ran.length > 0 ? UNTOUCHED : undefined);
      if (touched === undefined) continue;
      const sink = proof.sink(touched);
      await compareStretch({ table: of.table, stretch, sink, signal: context.signal }, comparing);
      context.progress.advance({
        rows: stretch.rowCount,
        bytes: stretch.rawBytes,
        table: of.table.manifest.table,
      });
    }
    if (ran.length > 0 && proof.newerRows > 0) throw writtenByTriggers(of.table, ran);
    await proveKept(of, { writer, codec: restore.source.codec, context });
    result.verifiedRows += proof.equalRows;
    const unproven = writer.unproven?.has(of.table.manifest.table);
    result.tables.push(describe(of, { triggers: restore.triggers, newerRows: proof.newerRows, unproven }));
  }
  return result;
}

/** What the backup does not know of rows, no comparison with it shows: these must be as they were listed, column by column. */
async function proveKept(differences: TableDifferences, proving: Proving): Promise<void> {
  if ((differences.table.adaptation?.added.length ?? 0) > 0) await proveTable(differences, proving);
}

const UNTOUCHED = new Uint8Array(0);

/** Inside the transaction a trigger's rows can't be told from rows that others committed meanwhile: neither is kept. */
function writtenByTriggers({ manifest: { table } }: ScopedTable, triggers: readonly string[]): AppError {
  return new AppError(
    'CONFLICT',
    `Table ${table} got other rows than the backup holds while triggers ran (${triggers.join(', ')}); nothing was changed.`,
    {
      hint: 'Drop these triggers for the time of the restore, or restore into a scratch schema. If others wrote, try again.',
    },
  );
}

/** Rows that were written must be there as written; rows nobody listed are newer than the comparison, and stay. */
class WriteProof {
  equalRows = 0;
  newerRows = 0;

  constructor(private readonly table: ScopedTable) {}

  sink(touched: Uint8Array): DifferenceSink {
    const differs = (index: number): void => {
      if (isTouched(touched, index)) throw this.notAsWritten();
      this.newerRows++;
    };
    return {
      equal: (rows) => {
        this.equalRows += rows;
      },
      // A parent that is there is left as it is, whatever it holds.
      changed: ({ index, isParent }) => {
        const isLeft = isParent ?? this.table.role === 'PARENT';
        if (!isLeft || isTouched(touched, index)) differs(index);
      },
      missing: (_, index) => differs(index),
      extra: () => {
        if (this.table.role === 'WHOLE') this.newerRows++;
      },
      settle: () => Promise.resolve(),
    };
  }

  private notAsWritten(): AppError {
    const { table } = this.table.manifest;
    return new AppError(
      'CONFLICT',
      `A row written to ${table} did not read back as the backup holds it; nothing was changed.`,
      {
        hint: `Look for triggers on ${table} that change what is written, and restore into a scratch schema meanwhile.`,
      },
    );
  }
}

export function describe(
  { table, counts }: TableDifferences,
  { triggers, newerRows = 0, unproven }: { triggers: FiringTriggers; newerRows?: number; unproven?: boolean },
): RestoredTable {
  const { manifest } = table;
  const warnings: string[] = [];
  const firing = triggers.get(manifest.table) ?? [];
  if (firing.length > 0) warnings.push(firingWarning(firing));
  if (newerRows > 0) warnings.push(newerRowsWarning(newerRows));
  if (unproven) warnings.push(UNPROVEN_REFERENCES);
  return { dataType: manifest.dataType, table: manifest.table, ...counts, warnings };
}
