/** The first catalog: jobs, their events, the index of backups and restores, idempotency keys, counters and meta. */
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createTable, type TableDefinition } from './create-table';

const ID = 'varchar(36) NOT NULL';
const MAYBE_ID = 'varchar(36)';
const WORD = 'varchar(20) NOT NULL';
const NAME = 'varchar(200) NOT NULL';
const MAYBE_NAME = 'varchar(200)';
const MOMENT = 'bigint NOT NULL';
const MAYBE_NUMBER = 'bigint';
const INT = 'integer NOT NULL';
const JSON_TEXT = 'json NOT NULL';
const MAYBE_JSON = 'json';

const JOBS: TableDefinition = {
  name: 'jobs',
  columns: {
    id: ID,
    kind: WORD,
    state: WORD,
    spec: JSON_TEXT,
    source: MAYBE_NAME,
    backup_id: MAYBE_ID,
    restore_id: MAYBE_ID,
    progress: JSON_TEXT,
    attempt: INT,
    max_attempts: INT,
    cancel_requested: INT,
    failure: MAYBE_JSON,
    created_by: NAME,
    created_at: MOMENT,
    run_after: MOMENT,
    started_at: MAYBE_NUMBER,
    finished_at: MAYBE_NUMBER,
    last_sequence: INT,
    lease_token: MAYBE_ID,
    lease_owner: MAYBE_NAME,
    lease_expires_at: MAYBE_NUMBER,
  },
  primaryKey: ['id'],
  indexes: {
    idx_jobs_created: { columns: ['created_at', 'id'] },
    idx_jobs_state: { columns: ['state', 'created_at', 'id'] },
    idx_jobs_kind: { columns: ['kind', 'created_at', 'id'] },
    idx_jobs_source: { columns: ['source', 'state', 'created_at'] },
    idx_jobs_backup: { columns: ['backup_id', 'created_at'] },
    idx_jobs_finished: { columns: ['finished_at', 'id'] },
    idx_jobs_lease: { columns: ['state', 'lease_expires_at'] },
  },
};

const JOB_EVENTS: TableDefinition = {
  name: 'job_events',
  columns: {
    job_id: ID,
    sequence: INT,
    global_sequence: MOMENT,
    at: MOMENT,
    type: WORD,
    state: WORD,
    progress: JSON_TEXT,
    message: 'text',
  },
  primaryKey: ['job_id', 'sequence'],
  indexes: { idx_job_events_global: { columns: ['global_sequence'], unique: true } },
};

const BACKUPS: TableDefinition = {
  name: 'backups',
  columns: {
    id: ID,
    type: WORD,
    state: WORD,
    source: NAME,
    data_types: NAME,
    business_id: MAYBE_NAME,
    parent_id: MAYBE_ID,
    job_id: MAYBE_ID,
    created_by: NAME,
    created_at: MOMENT,
    started_at: MAYBE_NUMBER,
    completed_at: MAYBE_NUMBER,
    expires_at: MAYBE_NUMBER,
    labels: JSON_TEXT,
    read_at: MAYBE_NUMBER,
    consistency: 'varchar(40)',
    row_count: MAYBE_NUMBER,
    changed_row_count: MAYBE_NUMBER,
    raw_bytes: MAYBE_NUMBER,
    stored_bytes: MAYBE_NUMBER,
    checksum: 'varchar(64)',
    manifest_name: MAYBE_NAME,
    tables: JSON_TEXT,
    verification: MAYBE_JSON,
    missing_since: MAYBE_NUMBER,
  },
  primaryKey: ['id'],
  indexes: {
    idx_backups_created: { columns: ['created_at', 'id'] },
    idx_backups_state: { columns: ['state', 'created_at', 'id'] },
    idx_backups_type: { columns: ['type', 'created_at', 'id'] },
    idx_backups_source: { columns: ['source', 'created_at', 'id'] },
    idx_backups_business: { columns: ['business_id', 'created_at', 'id'] },
    idx_backups_expiry: { columns: ['state', 'expires_at'] },
  },
};

const RESTORES: TableDefinition = {
  name: 'restores',
  columns: {
    id: ID,
    state: WORD,
    backup_id: ID,
    job_id: MAYBE_ID,
    source: NAME,
    type: WORD,
    data_types: JSON_TEXT,
    business_id: MAYBE_NAME,
    target: JSON_TEXT,
    dry_run: INT,
    created_by: NAME,
    created_at: MOMENT,
    started_at: MAYBE_NUMBER,
    finished_at: MAYBE_NUMBER,
    result: MAYBE_JSON,
  },
  primaryKey: ['id'],
  indexes: {
    idx_restores_created: { columns: ['created_at', 'id'] },
    idx_restores_state: { columns: ['state', 'created_at', 'id'] },
    idx_restores_backup: { columns: ['backup_id', 'created_at', 'id'] },
    idx_restores_source: { columns: ['source', 'created_at', 'id'] },
    idx_restores_business: { columns: ['business_id', 'created_at', 'id'] },
  },
};

const IDEMPOTENCY_KEYS: TableDefinition = {
  name: 'idempotency_keys',
  columns: {
    id: 'varchar(64) NOT NULL',
    principal: NAME,
    mutation: NAME,
    input_hash: 'varchar(64) NOT NULL',
    job_id: ID,
    created_at: MOMENT,
  },
  primaryKey: ['id'],
  indexes: { idx_idempotency_job: { columns: ['job_id'] } },
};

const COUNTERS: TableDefinition = {
  name: 'counters',
  columns: { name: 'varchar(40) NOT NULL', value: MOMENT },
  primaryKey: ['name'],
};

const META: TableDefinition = {
  name: 'meta',
  columns: { name: 'varchar(40) NOT NULL', value: 'text NOT NULL' },
  primaryKey: ['name'],
};

export class CreateCatalog1763769600000 implements MigrationInterface {
  readonly name = 'CreateCatalog1763769600000';

  async up(runner: QueryRunner): Promise<void> {
    for (const table of [JOBS, JOB_EVENTS, BACKUPS, RESTORES, IDEMPOTENCY_KEYS, COUNTERS, META]) {
      await createTable(runner, table);
    }
  }

  down(): Promise<void> {
    return Promise.reject(new Error('The catalog only moves forward: restore the copy made before the upgrade.'));
  }
}
