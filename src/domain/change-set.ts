/**
 * The change set: exactly what a restore changes in a source, row by row. One that nobody applied yet is a plan; applied backwards it is
 * an undo. FORMAT.md, section 9, specifies its JSON; this is the same shape in types.
 */
import type { DataType } from './data-type';
import type { BackupId, ChangeSetId, JobId } from './ids';
import type { ChunkId, LayerRef } from './manifest';
import type { WrittenRows } from './rows';
import type { SourceKind, TableState } from './source';
import type { TableStructure } from './table';
import type { ThreeWay } from './three-way';

/** Rows of a table in chunks of base rows, in no known order; found through a tree of index pages as the chunks of a layer are. */
export interface RowListRef {
  /** Null for a list without rows. */
  root: ChunkId | null;
  chunkCount: number;
  rowCount: number;
  rawBytes: number;
}

/** The rows of a stack of layers, all of which come in or go out: nobody copied them for the change set. */
export interface LayerLoad {
  direction: 'IN' | 'OUT';
  /** As in a manifest: base first. */
  layers: LayerRef[];
  rowCount: number;
  rawBytes: number;
}

/** Encoded rows in Base64, at most MAX_SAMPLES of each and none above MAX_SAMPLE_BYTES, for people. */
export interface ChangeSamples {
  inserts: string[];
  updates: { before: string; after: string }[];
  deletes: string[];
}

const HOUR_MS = 3_600_000;
/** Where nobody says how long: a plan is applied on the day it was made; what a restore did shows within a week. */
export const PLAN_VALID_MS = 24 * HOUR_MS;
export const UNDOABLE_MS = 7 * 24 * HOUR_MS;
/** A comparison is looked into, and shown to others, for about as long. */
export const COMPARISON_KEPT_MS = 7 * 24 * HOUR_MS;

export const MAX_SAMPLES = 5;
export const MAX_SAMPLE_BYTES = 16 * 1024;

/**
 * Rows of which fields were damaged and edited later too. The lists are cut alike; row n of each is of the same key, and has no bytes where
 * the one backup, the other, or the live table had no such row.
 */
export interface ConflictLists {
  undamaged: RowListRef;
  damaged: RowListRef;
  live: RowListRef;
  /** Fields in conflict, over all rows. */
  fieldCount: number;
}

export interface ConflictCounts {
  rows: number;
  fields: number;
}

export const NO_CONFLICTS: ConflictCounts = { rows: 0, fields: 0 };

export interface ChangeSetTable {
  dataType: DataType;
  table: string;
  /** Of rows as they are after, and before too where nothing else is said. */
  structure: TableStructure;
  /** Of a comparison: that of rows as they are before, where it is another one. */
  structureBefore?: TableStructure;
  /** What the table is before the change set is applied. */
  before: TableState;
  /** Whether the table goes too, once nothing is in it and nothing refers to it: a restore had brought it into being. */
  drops: boolean;
  /** Rows that go, as they are before. */
  deletes: RowListRef;
  /** Row n of the one becomes row n of the other, under the same key. The chunks of both have the same numbers of rows. */
  updates: { before: RowListRef; after: RowListRef };
  /** Rows that come, as they are after. */
  inserts: RowListRef;
  /** Instead of rows listed as inserts (IN) or as deletes (OUT). */
  load: LayerLoad | null;
  /** Rows that were compared and are as they should be. */
  unchanged: number;
  samples: ChangeSamples;
  /** What an operator should know before it is applied. */
  warnings: string[];
  /** Of a three-way plan; absent: there are none. */
  conflicts?: ConflictLists;
}

/**
 * PLAN: not applied by itself. UNRESOLVED: a plan with conflicts, never applied. RESTORE: what a restore applied. UNDO: what an undo did.
 * COMPARISON: what two states differ in, never applied.
 */
export type ChangeSetKind = 'PLAN' | 'UNRESOLVED' | 'COMPARISON' | AppliedKind;
export type AppliedKind = 'RESTORE' | 'UNDO';

/** What a comparison has its base, the change set's backup, compared with. */
export interface ComparedStates {
  /** The moments of their sources that both show, RFC 3339. */
  baseReadAt: string;
  targetReadAt: string;
  /** Null: the live source. */
  targetId: BackupId | null;
  targetSource: string;
}

/** How a row differs between the two states of a comparison. */
export const ROW_CHANGE_KINDS = ['REMOVED', 'CHANGED', 'ADDED'] as const;
export type RowChangeKind = (typeof ROW_CHANGE_KINDS)[number];

export interface ChangeSet {
  formatVersion: 1;
  changeSetId: ChangeSetId;
  kind: ChangeSetKind;
  jobId: JobId;
  source: { name: string; kind: SourceKind; version: string; schema: string };
  backupId: BackupId;
  scope: WrittenRows;
  /** Of a comparison alone. */
  compared?: ComparedStates;
  /** Absent: the whole difference between the live source and the backup. */
  threeWay?: ThreeWay;
  /** The plan that was applied, or the change set that was undone. */
  basedOn: ChangeSetId | null;
  createdAt: string;
  /** From then on it may neither be applied nor undone, and a cleanup removes it. */
  expiresAt: string;
  tables: ChangeSetTable[];
  /** What an operator should know, e.g. which chunks of the backup were lost. */
  notes: string[];
  writtenBy: string;
}

/** A change set as found in the repository. */
export interface StoredChangeSet {
  /** Object name, e.g. `changes/2026/11/20261122T194500Z-<id>.json`. */
  name: string;
  /** SHA-256 of the object's bytes, hex: of a plan its plan hash. It covers every row, since chunks are named by their content. */
  hash: string;
  changeSet: ChangeSet;
}

export const NO_ROWS: RowListRef = { root: null, chunkCount: 0, rowCount: 0, rawBytes: 0 };

export interface ChangeCounts {
  inserts: number;
  updates: number;
  deletes: number;
}

export function sumCounts(counts: readonly ChangeCounts[]): ChangeCounts {
  const sum = (of: keyof ChangeCounts): number => counts.reduce((total, count) => total + count[of], 0);
  return { inserts: sum('inserts'), updates: sum('updates'), deletes: sum('deletes') };
}

export function changeCounts({ deletes, updates, inserts, load }: ChangeSetTable): ChangeCounts {
  const loaded = (direction: LayerLoad['direction']): number => (load?.direction === direction ? load.rowCount : 0);
  return {
    inserts: inserts.rowCount + loaded('IN'),
    updates: updates.after.rowCount,
    deletes: deletes.rowCount + loaded('OUT'),
  };
}

export function conflictCounts({ conflicts }: Pick<ChangeSetTable, 'conflicts'>): ConflictCounts {
  return { rows: conflicts?.live.rowCount ?? 0, fields: conflicts?.fieldCount ?? 0 };
}

export function sumConflicts(counts: readonly ConflictCounts[]): ConflictCounts {
  const sum = (of: keyof ConflictCounts): number => counts.reduce((total, count) => total + count[of], 0);
  return { rows: sum('rows'), fields: sum('fields') };
}

/** The same change backwards: what came goes, what went comes, and a table that came into being goes when it is empty. */
export function reverseTable({ conflicts: _settled, ...table }: ChangeSetTable): ChangeSetTable {
  const { before, drops, deletes, updates, inserts, load, samples } = table;
  return {
    ...table,
    before: drops ? 'MISSING' : 'FILLED',
    drops: before === 'MISSING',
    deletes: inserts,
    updates: { before: updates.after, after: updates.before },
    inserts: deletes,
    load: load && { ...load, direction: load.direction === 'IN' ? 'OUT' : 'IN' },
    samples: {
      inserts: samples.deletes,
      updates: samples.updates.map(({ before: old, after }) => ({ before: after, after: old })),
      deletes: samples.inserts,
    },
    warnings: [],
  };
}

/**
 * How long applying takes, reckoned from bytes and rows alone: a row image that is changed in place costs its share of statements, of the
 * look at the old row and of the proof; rows that are loaded into tables without any cost the load, its indexes and one reading. Measured
 * on MariaDB 10.11 with two cores, rows of 270 bytes and two indexes beside the key; a busy or slower server takes longer.
 */
export function estimateApplyingMs(tables: readonly ChangeSetTable[]): number {
  const inBulk = tables.every(({ before }) => before !== 'FILLED');
  const ms = tables.reduce((sum, table) => sum + (inBulk ? loadingMs(table) : changingMs(table)), FIXED_MS);
  return Math.round(ms);
}

const FIXED_MS = 200;
const CHANGED_ROW_MS = 0.05;
const CHANGED_BYTES_PER_MS = 20_000;
const LOADED_ROW_MS = 0.005;
const LOADED_BYTES_PER_MS = 30_000;

function changingMs({ deletes, updates, inserts, load }: ChangeSetTable): number {
  const lists = [deletes, updates.before, updates.after, inserts, load ?? NO_ROWS];
  return lists.reduce((sum, list) => sum + list.rowCount * CHANGED_ROW_MS + list.rawBytes / CHANGED_BYTES_PER_MS, 0);
}

function loadingMs({ inserts, load }: ChangeSetTable): number {
  const lists = [inserts, load ?? NO_ROWS];
  return lists.reduce((sum, list) => sum + list.rowCount * LOADED_ROW_MS + list.rawBytes / LOADED_BYTES_PER_MS, 0);
}
