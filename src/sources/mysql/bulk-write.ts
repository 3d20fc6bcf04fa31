/**
 * The bulk writer: builds whole tables beside the live ones, or in a scratch schema, and publishes them at the end. Rows go in
 * first, by several connections; then secondary indexes, foreign keys, and the proof of every reference, of other tables' rows too.
 *
 * Until `publish` began, nothing of it is visible under a table's own name; from then on `recoverWrite` carries it through.
 */
import { AppError } from '../../domain/errors';
import type { Clock, Log } from '../../domain/ambient';
import { isWhole, type RowBatch } from '../../domain/rows';
import type { BulkWriteOptions, BulkWriter, ConsistentRead } from '../../domain/source';
import type { SourceMapping } from '../../domain/mapping';
import type { ForeignKey, TableStructure } from '../../domain/table';
import { loadRows, localInfileAllowed, prepareForWriting } from './bulk-load';
import { LaneReader } from './consistent-read';
import { noMarker } from './create-missing';
import { cancelled, toSourceError } from './errors';
import { Lanes } from './lanes';
import { endThreads, undoBeginning, undoStaged } from './recover-write';
import { createScratch, dropScratch, finishScratch } from './scratch';
import { openSession, type ConnectionTarget, type Session } from './session';
import {
  addIndexes,
  carryThrough,
  createForLoading,
  planScratch,
  planStaging,
  type BuildPlan,
  type StagedTable,
} from './staging';
import { StagedReferences } from './staged-references';
import { qualified, quoteName } from './sql';
import { markStatement, prepareMarkers } from './write-marker';

export interface WriteContext {
  target: ConnectionTarget;
  mapping: SourceMapping;
  clock: Clock;
  log: Log;
  /** Called once when the writer is done, whatever way. */
  onEnd: () => void;
}

export async function openBulkWriter(context: WriteContext, options: BulkWriteOptions): Promise<BulkWriter> {
  const { target } = context;
  const opened: Session[] = [];
  let makes = false;
  try {
    for (let i = 0; i <= Math.max(1, options.connections); i++) {
      const session = await openSession(target, { signal: options.signal });
      opened.push(session);
      await prepareForWriting(session);
      await session.run('SET SESSION unique_checks = 0, innodb_lock_wait_timeout = 3600');
    }
    const [control, ...lanes] = opened as [Session, ...Session[]];
    makes = true;
    const plans = await prepareTables(control, lanes, options);
    const localInfile = await localInfileAllowed(control);
    return new MysqlBulkWriter({ ...context, options, control, lanes: new Lanes(lanes), plans, localInfile });
  } catch (error) {
    for (const session of opened) session.destroy();
    if (makes) await undoBeginning(target, options.jobId, opened);
    throw toSourceError(error, 'preparing to load tables');
  }
}

async function prepareTables(
  control: Session,
  lanes: readonly Session[],
  options: BulkWriteOptions,
): Promise<BuildPlan[]> {
  const { jobId, scratchSchema, tables } = options;
  if (scratchSchema !== undefined) {
    const plans = planScratch(scratchSchema, tables);
    await makeScratch(control, scratchSchema, jobId);
    // Else the binary log would show definitions of tables with these names being changed within the source's own schema.
    for (const session of [control, ...lanes]) await session.run(`USE ${quoteName(scratchSchema)}`);
    return createAll(control, plans);
  }
  const plans = await planStaging(control, jobId, tables);
  if (!(await prepareMarkers(control))) throw noMarker();
  await control.run(markStatement(jobId, 'LOADING', JSON.stringify(stagedOf(plans))));
  return createAll(control, plans);
}

/** On a session that no signal cuts: a schema that is there already but not marked as ours would have to stay. */
async function makeScratch({ target }: Session, schema: string, jobId: string): Promise<void> {
  const session = await openSession(target);
  try {
    await createScratch(session, schema, jobId);
  } finally {
    await session.close();
  }
}

async function createAll(control: Session, plans: BuildPlan[]): Promise<BuildPlan[]> {
  for (const plan of plans) await createForLoading(control, plan);
  return plans;
}

function stagedOf(plans: readonly BuildPlan[]): StagedTable[] {
  return plans.flatMap(({ staged }) => (staged ? [staged] : []));
}

interface BulkState extends WriteContext {
  options: BulkWriteOptions;
  control: Session;
  lanes: Lanes;
  plans: BuildPlan[];
  localInfile: boolean;
}

class MysqlBulkWriter implements BulkWriter {
  private over = false;
  unproven: ReadonlySet<string> = new Set();
  private readonly references: StagedReferences;

  constructor(private readonly state: BulkState) {
    this.references = new StagedReferences(state.control, state.plans);
  }

  get lanes(): number {
    return this.state.lanes.sessions.length;
  }

  async load(table: TableStructure, rows: AsyncIterable<RowBatch>): Promise<number> {
    const { lanes, localInfile, options } = this.state;
    const name = this.nameOf(table.table);
    return this.translating(`loading table ${table.table}`, () =>
      lanes.use((session) => loadRows({ session, table, name, rows, localInfile }), options.signal),
    );
  }

  async finishLoading(table: TableStructure): Promise<void> {
    await this.translating(`building the indexes of table ${table.table}`, () =>
      this.state.lanes.use((session) => addIndexes(session, this.planOf(table.table))),
    );
  }

  async finishTables(): Promise<void> {
    const { lanes, plans, control } = this.state;
    await this.translating('proving references', () =>
      Promise.all(
        plans.flatMap((plan) =>
          plan.foreignKeys.map((key) => lanes.use((session) => this.proveOwn(session, plan, key))),
        ),
      ),
    );
    if (this.provesIncoming) {
      const complete = await this.translating('proving references', () => this.references.proveIncoming(control));
      if (!complete) this.unproven = new Set(plans.map(({ structure }) => structure.table));
    }
    await this.translating('adding foreign keys', async () => {
      for (const plan of plans) if (plan.staged?.was !== 'EMPTY') await this.references.add(control, plan);
    });
  }

  private async proveOwn(session: Session, plan: BuildPlan, key: ForeignKey): Promise<void> {
    const { onBrokenReference } = this.state.options;
    if (onBrokenReference === undefined) return this.references.proveOwn(session, plan, key);
    const broken = await this.references.findBroken(session, plan, key);
    if (broken !== null) onBrokenReference(broken);
  }

  private get provesIncoming(): boolean {
    const { scratchSchema, scope } = this.state.options;
    return scratchSchema === undefined && isWhole(scope);
  }

  private planOf(table: string): BuildPlan {
    const plan = this.references.findPlan(table);
    if (!plan) throw new AppError('INTERNAL', `Table ${table} is no part of this restore.`);
    return plan;
  }

  private nameOf(table: string): string {
    const { location } = this.planOf(table);
    return qualified(location.schema, location.table);
  }

  async openReadBack(): Promise<ConsistentRead> {
    const { lanes, mapping, options, target } = this.state;
    const tables = options.tables;
    const reader = new LaneReader({
      target,
      lanes,
      tables,
      mapping,
      locate: (table) => this.planOf(table).location,
      signal: options.signal,
    });
    return {
      consistency: 'SINGLE_CONNECTION',
      lanes: this.lanes,
      readAt: this.state.clock.now(),
      position: null,
      tables,
      planRanges: (table, targetBytes) => reader.planRanges(table, targetBytes),
      readRows: (table, read) => reader.readRows(table, read),
      // The connections stay with the writer.
      close: async () => undefined,
    };
  }

  async publish(): Promise<void> {
    const { control, options, plans } = this.state;
    const { jobId, scratchSchema } = options;
    await this.translating('putting the restored tables in place', async () => {
      if (scratchSchema !== undefined) return finishScratch(control, scratchSchema, jobId);
      const staged = stagedOf(plans);
      await control.run(markStatement(jobId, 'PUBLISHING', JSON.stringify(staged)));
      await carryThrough(control, jobId, staged);
    });
    await this.end();
  }

  async abort(): Promise<void> {
    if (this.over) return;
    const { lanes, control, options, target, plans } = this.state;
    const threads = [...lanes.sessions, control].map(({ threadId }) => threadId);
    lanes.destroy(cancelled());
    control.destroy();
    await this.end();
    const cleaner = await openSession(target, { noSchema: options.scratchSchema !== undefined });
    try {
      await endThreads(cleaner, threads);
      await prepareForWriting(cleaner);
      if (options.scratchSchema !== undefined) await dropScratch(cleaner, options.scratchSchema);
      else await undoStaged(cleaner, options.jobId, stagedOf(plans));
    } finally {
      await cleaner.close();
    }
  }

  private async end(): Promise<void> {
    if (this.over) return;
    this.over = true;
    await this.state.lanes.close();
    await this.state.control.close();
    this.state.onEnd();
  }

  private async translating<T>(doing: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw toSourceError(error, doing);
    }
  }
}
