/**
 * The manifest: the write-once description of one backup. Writing it is the moment the backup exists. FORMAT.md specifies
 * its JSON; this is the same shape in types. 64-bit counts are numbers: a table of 2^53 rows is beyond every source.
 */
import type { BackupId, JobId } from './ids';
import type { BackupType, ChangeDetection, Labels } from './backup';
import type { DataType } from './data-type';
import type { ConsistencyMethod, LogPosition, SourceKind } from './source';
import type { RowScope } from './rows';
import type { TableStructure } from './table';

/** Hex of the hash of a chunk's content. */
export type ChunkId = string;

/** The chunks that one backup added for a table, found through a tree of index chunks whose root is `root`. */
export interface LayerRef {
  /**
   * BASE: all rows, in key order. MERGED: all rows too, but in no known order within a chunk; its entries carry the bounds of their ranges as
   * those of a DELTA do.
   */
  kind: 'BASE' | 'MERGED' | 'DELTA';
  /** Root page of the layer index; null for a layer without chunks. */
  root: ChunkId | null;
  chunkCount: number;
  /** BASE and MERGED: rows. DELTA: upserts and tombstones together. */
  rowCount: number;
  rawBytes: number;
  /** Where rows stand by the values of some columns. Absent: nobody indexed them. */
  valueIndexes?: ValueIndexRef[];
}

/**
 * Which values of a column its index takes for equal (FORMAT.md, section 8): the same bytes; the same digits; the same but for trailing
 * spaces; the same but for case too; the same number, or text but for case and trailing spaces.
 */
export type PlainForm = 'EXACT' | 'INTEGER' | 'PADDED' | 'CASELESS' | 'DYNAMIC';

/** An index by the values of a list of columns; it answers only for the same columns in the same forms. */
export interface ValueIndexRef {
  columns: { name: string; form: PlainForm }[];
  /** Root page; null where the layer has no row to list. */
  root: ChunkId | null;
}

export interface TableManifest {
  dataType: DataType;
  table: string;
  structure: TableStructure;
  /** Rows in this state, all layers applied. */
  rowCount: number;
  /** Bytes of those rows, encoded and uncompressed. */
  rawBytes: number;
  /** Where changes were found by BINLOG, which does not read the rows that they replace, in this backup or one below it in the stack. */
  rawBytesEstimated?: true;
  /** Base first. */
  layers: LayerRef[];
  changeDetection: ChangeDetection;
  changeDetectionReason: string;
  /** Rows and tombstones that this backup itself stored. */
  changedRowCount: number;
}

export interface Manifest {
  formatVersion: 1;
  backupId: BackupId;
  jobId: JobId;
  type: BackupType;
  source: { name: string; kind: SourceKind; version: string; schema: string };
  dataTypes: DataType[];
  scope: RowScope;
  parentId: BackupId | null;
  createdAt: string;
  completedAt: string;
  /** The moment of the source that it shows, RFC 3339 UTC. */
  readAt: string;
  expiresAt: string | null;
  consistency: ConsistencyMethod;
  position: LogPosition | null;
  tables: TableManifest[];
  /** The service's own settings, in SYSTEM backups: a document chunk of JSON. */
  serviceSettings: ChunkId | null;
  labels: Labels;
  createdBy: string;
  rowCount: number;
  changedRowCount: number;
  rawBytes: number;
  /** Bytes of packs that this backup newly stored, after compression and encryption; what compacting it stored included. */
  storedBytes: number;
  /**
   * Bytes of the rows in chunks that this backup newly stored, uncompressed: of `rawBytes`, what no earlier chunk had. Absent where the
   * program that wrote it did not count them.
   */
  newRawBytes?: number;
  /** When its stacks of layers became single bases; absent where they never did. */
  compactedAt?: string;
  /** The service that wrote it, e.g. `riskvault 0.1.0`. */
  writtenBy: string;
}

/** A manifest as found in the repository. */
export interface StoredManifest {
  /** Object name, e.g. `manifests/2026/11/20261122T194500Z-FULL-<id>.json`. */
  name: string;
  /** SHA-256 of the object's bytes, hex. */
  checksum: string;
  manifest: Manifest;
}
