/**
 * What a client of the whole service does, over HTTP alone and with the committed operations: start jobs, wait for their ends, read
 * the records. `address` is asked anew for every request, since a service that is killed comes back under another port.
 */
import { print } from 'graphql';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import {
  CancelJobDocument,
  CleanupExpiredBackupsDocument,
  CreateBackupDocument,
  DeleteBackupDocument,
  GetBackupDocument,
  GetJobDocument,
  GetRestoreDocument,
  ListBackupsDocument,
  RestoreBackupDocument,
  VerifyBackupDocument,
  type BackupFilter,
  type CreateBackupInput,
  type GetBackupQuery,
  type GetJobQuery,
  type GetRestoreQuery,
  type RestoreBackupInput,
  type VerificationLevel,
} from './generated/operations';

export type Job = NonNullable<GetJobQuery['job']>;
export type Backup = NonNullable<GetBackupQuery['backup']>;
export type Restore = NonNullable<GetRestoreQuery['restore']>;
export interface Refusal {
  code: string;
  message: string;
}

const JOB_PATIENCE_MS = 90_000;
const LOOK_EVERY_MS = 25;

export class ServiceClient {
  constructor(private readonly address: () => string) {}

  /** Throws where the answer has no data. */
  async send<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data> {
    const response = await fetch(`${this.address()}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: print(document), variables }),
    });
    const { data, errors } = (await response.json()) as { data?: Data; errors?: unknown };
    if (!data || errors) throw new Error(`no data: ${JSON.stringify(errors)}`);
    return data;
  }

  async startBackup(input: Partial<CreateBackupInput> = {}): Promise<{ jobId: string; backupId: string }> {
    const { createBackup } = await this.send(CreateBackupDocument, { input: { type: 'FULL', ...input } });
    const { job, backup, errors } = createBackup;
    if (!job || !backup) throw new Error(JSON.stringify(errors));
    return { jobId: job.id, backupId: backup.id };
  }

  /** The backup's id, once it is COMPLETED. */
  async backup(input: Partial<CreateBackupInput> = {}): Promise<string> {
    const { jobId, backupId } = await this.startBackup(input);
    await this.completed(jobId);
    return backupId;
  }

  async startRestore(
    input: Pick<RestoreBackupInput, 'backupId'> & Partial<RestoreBackupInput>,
  ): Promise<{ jobId: string; restoreId: string }> {
    const { restoreBackup } = await this.send(RestoreBackupDocument, { input: { type: 'FULL', ...input } });
    const { job, restore, errors } = restoreBackup;
    if (!job || !restore) throw new Error(JSON.stringify(errors));
    return { jobId: job.id, restoreId: restore.id };
  }

  async restore(input: Pick<RestoreBackupInput, 'backupId'> & Partial<RestoreBackupInput>): Promise<Restore> {
    const { jobId, restoreId } = await this.startRestore(input);
    await this.completed(jobId);
    const { restore } = await this.send(GetRestoreDocument, { id: restoreId });
    if (!restore) throw new Error('the restore is gone');
    return restore;
  }

  async refusedRestore(input: RestoreBackupInput): Promise<Refusal[]> {
    const { restoreBackup } = await this.send(RestoreBackupDocument, { input });
    if (restoreBackup.job) throw new Error('the restore was not refused');
    return restoreBackup.errors;
  }

  async verify(backupId: string, level: VerificationLevel = 'DATA'): Promise<NonNullable<Backup['verification']>> {
    const { verifyBackup } = await this.send(VerifyBackupDocument, { input: { backupId, level } });
    if (!verifyBackup.job) throw new Error(JSON.stringify(verifyBackup.errors));
    await this.completed(verifyBackup.job.id);
    const { verification } = await this.getBackup(backupId);
    if (!verification) throw new Error('the verification left no record');
    return verification;
  }

  /** Deletes a backup and collects what only it held; the job's id. */
  async startDelete(backupId: string): Promise<string> {
    const { deleteBackup } = await this.send(DeleteBackupDocument, { input: { backupId } });
    if (!deleteBackup.job) throw new Error(JSON.stringify(deleteBackup.errors));
    return deleteBackup.job.id;
  }

  async cleanUp(): Promise<void> {
    await this.completed(await this.startCleanUp());
  }

  async startCleanUp(): Promise<string> {
    const { cleanupExpiredBackups } = await this.send(CleanupExpiredBackupsDocument, { input: { dryRun: false } });
    if (!cleanupExpiredBackups.job) throw new Error(JSON.stringify(cleanupExpiredBackups.errors));
    return cleanupExpiredBackups.job.id;
  }

  async cancel(jobId: string): Promise<Refusal[]> {
    return (await this.send(CancelJobDocument, { input: { jobId } })).cancelJob.errors;
  }

  async getJob(id: string): Promise<Job> {
    const { job } = await this.send(GetJobDocument, { id, events: 100 });
    if (!job) throw new Error('the job is gone');
    return job;
  }

  async getBackup(id: string): Promise<Backup> {
    const { backup } = await this.send(GetBackupDocument, { id });
    if (!backup) throw new Error('the backup is gone');
    return backup;
  }

  async getRestore(id: string): Promise<Restore> {
    const { restore } = await this.send(GetRestoreDocument, { id });
    if (!restore) throw new Error('the restore is gone');
    return restore;
  }

  /** The ids of all COMPLETED backups, oldest first. */
  async backups(filter: BackupFilter = {}): Promise<string[]> {
    const variables = { first: 100, filter: { statuses: ['COMPLETED' as const], ...filter } };
    const { backups } = await this.send(ListBackupsDocument, variables);
    return backups.nodes.map(({ id }) => id).reverse();
  }

  /** The job as soon as `condition` holds for it; throws when it never does. */
  async jobWhen(id: string, condition: (job: Job) => boolean): Promise<Job> {
    const deadline = performance.now() + JOB_PATIENCE_MS;
    for (;;) {
      const job = await this.getJob(id);
      if (condition(job)) return job;
      if (performance.now() > deadline) throw new Error(`the job hangs: ${JSON.stringify(job)}`);
      await pause(LOOK_EVERY_MS);
    }
  }

  ended(id: string): Promise<Job> {
    return this.jobWhen(id, ({ state }) => ['COMPLETED', 'FAILED', 'CANCELLED'].includes(state));
  }

  async completed(id: string): Promise<Job> {
    const job = await this.ended(id);
    if (job.state !== 'COMPLETED') throw new Error(`the job is ${job.state}: ${JSON.stringify(job.failure)}`);
    return job;
  }

  /** The failure of a job that has to fail. */
  async failed(id: string): Promise<NonNullable<Job['failure']>> {
    const job = await this.ended(id);
    if (job.state !== 'FAILED' || !job.failure) throw new Error(`the job is ${job.state}, not FAILED`);
    return job.failure;
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
