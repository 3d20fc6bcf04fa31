/** What every resolver gets: who asks, the services, loaders that live as long as the request, and a signal for its end. */
import type {
  BackupRecord,
  ComparisonRecord,
  ExportRecord,
  JobRecord,
  LegalHoldRecord,
  RestorePlanRecord,
  RestoreRecord,
} from '../catalog/catalog';
import type { BackupId, ChangeSetId, ExportId, HoldId, JobId, RestoreId } from '../domain/ids';
import type { Principal } from '../services/principal';
import type { Services } from '../services/services';
import { createBatchLoader, type BatchLoader } from './batch-loader';

export interface RequestContext {
  readonly principal: Principal;
  readonly services: Services;
  readonly loaders: Loaders;
  /** Aborts when the caller has gone or the service drains. */
  readonly signal: AbortSignal;
  /** The address of a path of this service, for whoever asks. */
  readonly linkTo: (path: string) => string;
}

export interface Loaders {
  jobs: BatchLoader<JobId, JobRecord>;
  backups: BatchLoader<BackupId, BackupRecord>;
  restores: BatchLoader<RestoreId, RestoreRecord>;
  restorePlans: BatchLoader<ChangeSetId, RestorePlanRecord>;
  comparisons: BatchLoader<ChangeSetId, ComparisonRecord>;
  exports: BatchLoader<ExportId, ExportRecord>;
  legalHolds: BatchLoader<HoldId, LegalHoldRecord>;
  /** Of a backup, oldest first. */
  legalHoldsOf: BatchLoader<BackupId, LegalHoldRecord[]>;
}

export interface ContextOptions {
  principal: Principal;
  services: Services;
  signal: AbortSignal;
  linkTo: (path: string) => string;
}

export function createContext({ principal, services, signal, linkTo }: ContextOptions): RequestContext {
  const { jobs, backups, restores, restorePlans, comparisons, exports, legalHolds } = services;
  const loaders = {
    jobs: createBatchLoader((ids: readonly JobId[]) => jobs.findMany(principal, ids)),
    backups: createBatchLoader((ids: readonly BackupId[]) => backups.findMany(principal, ids)),
    restores: createBatchLoader((ids: readonly RestoreId[]) => restores.findMany(principal, ids)),
    restorePlans: createBatchLoader((ids: readonly ChangeSetId[]) => restorePlans.findMany(principal, ids)),
    comparisons: createBatchLoader((ids: readonly ChangeSetId[]) => comparisons.findMany(principal, ids)),
    exports: createBatchLoader((ids: readonly ExportId[]) => exports.findMany(principal, ids)),
    legalHolds: createBatchLoader((ids: readonly HoldId[]) => legalHolds.findMany(principal, ids)),
    legalHoldsOf: createBatchLoader((ids: readonly BackupId[]) => legalHolds.ofBackups(principal, ids)),
  };
  return { principal, services, loaders, signal, linkTo };
}

/** The same caller with nothing loaded yet: for every event of a subscription. */
export function refreshContext(context: RequestContext): RequestContext {
  return createContext(context);
}
