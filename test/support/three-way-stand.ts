/** A platform between two backups and what came after: damage is done, then people work on. What must be left a model says. */
import type { BackupId, ChangeSetId } from '../../src/domain/ids';
import type { PlanJobSpec, RestoreJobSpec } from '../../src/domain/job';
import type { ConflictsFound } from '../../src/domain/restore-conflict';
import type { PlanResult, RestoreResult } from '../../src/domain/task';
import type { ConflictPolicy } from '../../src/domain/three-way';
import type { ChangeSetFixture, Stand, State } from './change-set-scenarios';
import { backup, restore, run } from './engine-context';
import { ENGINE_MAPPING } from './engine-scenarios';
import { expectedState, sortState, type Expected, type ThreeStates } from './three-way-model';

const TABLES = ENGINE_MAPPING.map(({ table }) => table);

/** Statements, or whatever else is done. */
type Deeds = readonly string[] | (() => Promise<void>);

export class ThreeWayStand {
  private states!: ThreeStates;
  undamagedId!: BackupId;
  damagedId!: BackupId;

  constructor(
    readonly stand: Stand,
    private readonly fixture: ChangeSetFixture,
  ) {}

  /** Backs up, does damage, backs up, and lets people work on. */
  async live(damage: Deeds, later: Deeds, type: 'FULL' | 'INCREMENTAL' = 'FULL'): Promise<void> {
    this.undamagedId = await this.stand.backup();
    const undamaged = await this.state();
    await this.do(damage);
    this.damagedId = (await backup(this.stand.bench, { type })).stored.manifest.backupId;
    const damaged = await this.state();
    await this.do(later);
    this.states = { undamaged, damaged, live: await this.state() };
  }

  private async do(deeds: Deeds): Promise<void> {
    await (typeof deeds === 'function' ? deeds() : this.stand.exec(...deeds));
  }

  async state(): Promise<State> {
    return sortState(await this.stand.state());
  }

  get before(): State {
    return this.states.live;
  }

  expected(policy: ConflictPolicy): Expected {
    const moving: Record<string, number> = this.fixture.movingColumn === '' ? {} : { config: 3 };
    return expectedState(this.states, policy, { tables: TABLES, moving });
  }

  threeWay(conflictPolicy: ConflictPolicy = 'FAIL') {
    return { threeWay: { damagedBackupId: this.damagedId, conflictPolicy } };
  }

  plan(policy?: ConflictPolicy, spec: Partial<PlanJobSpec> = {}): Promise<PlanResult> {
    return this.stand.plan(this.undamagedId, { ...this.threeWay(policy), ...spec });
  }

  apply(planned: PlanResult, spec: Partial<RestoreJobSpec> = {}): Promise<RestoreResult> {
    return this.stand.apply(planned, this.undamagedId, spec);
  }

  restore(policy?: ConflictPolicy, spec: Partial<RestoreJobSpec> = {}): Promise<RestoreResult> {
    return restore(this.stand.bench, { backupId: this.undamagedId, ...this.threeWay(policy), ...spec });
  }

  undo(restored: RestoreResult): Promise<RestoreResult> {
    return this.stand.undo(restored, this.undamagedId);
  }

  async conflicts(changeSetId: ChangeSetId, limit = 100): Promise<ConflictsFound['conflicts']> {
    const all: ConflictsFound['conflicts'] = [];
    for (let from: ConflictsFound['next'] = null; ;) {
      const wanted = { changeSetId, limit, from };
      const { conflicts, next } = (await run({ kind: 'CONFLICTS', wanted }, this.stand.bench)) as ConflictsFound;
      all.push(...conflicts);
      if (next === null) return all;
      from = next;
    }
  }
}
