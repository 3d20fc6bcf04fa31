/**
 * Exports: a backup, or a part of it, as text that others read. Nothing exported is kept: what an export is of was proven to be sound once,
 * and each download reads the backup anew.
 */
import type { DataType } from './data-type';
import type { BackupId } from './ids';

export const EXPORT_FORMATS = ['SQL', 'CSV', 'NDJSON'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export const EXPORT_COMPRESSIONS = ['NONE', 'GZIP'] as const;
export type ExportCompression = (typeof EXPORT_COMPRESSIONS)[number];

/** How long a download may be begun after its export was made, unless another time is asked for. */
export const EXPORT_VALID_MS = 3_600_000;

/** What is exported, and how. */
export interface ExportWanted {
  backupId: BackupId;
  format: ExportFormat;
  compression: ExportCompression;
  dataTypes: DataType[];
  /** Only this one of their tables. Not null where there are several and the format holds one, or rows are filtered. */
  table: string | null;
  /** Only rows of this business, and those of other tables that they refer to. */
  businessId: string | null;
  /** Of the rows of the one table: a record filter (domain/record-filter) as JSON text. */
  filter: string | null;
}

/** A table as exported: exactly so many rows of it. */
export interface ExportedTable {
  dataType: DataType;
  table: string;
  rowCount: number;
}

/** Takes the next part of what is streamed; resolves when there is room for more. Rejects with CANCELLED alone, once the work was aborted. */
export type TakeBytes = (bytes: Uint8Array) => Promise<void>;

export interface ExportStreaming {
  wanted: ExportWanted;
  /** As its job counted them: what differs is not what was promised. */
  expected: ExportedTable[];
}

/** The port by which exports are read. The engine answers, off the API's event loop. */
export interface BackupExporter {
  /**
   * Hands the whole export to `take`, part by part, each after room was made for it. Throws NOT_FOUND where the backup is gone,
   * INTEGRITY_FAILURE where it is damaged by now, REPOSITORY_UNAVAILABLE, WORKER_DIED, and CANCELLED once the signal aborted.
   */
  stream(streaming: ExportStreaming, hooks: { take: TakeBytes; signal: AbortSignal }): Promise<void>;
}

const SUFFIXES: Record<ExportFormat, string> = { SQL: 'sql', CSV: 'csv', NDJSON: 'ndjson' };

/** A name for the file that any system takes. */
export function exportFileName(
  { format, compression, table, businessId }: Omit<ExportWanted, 'backupId' | 'dataTypes' | 'filter'>,
  { source, readAt }: { source: string; readAt: Date | null },
): string {
  const moment = readAt?.toISOString().replace(/\.\d+|[-:]/g, '');
  const parts = [source, moment ?? '', businessId === null ? '' : 'business', table ?? ''].filter(
    (part) => part !== '',
  );
  const name = parts.map((part) => part.replace(/[^A-Za-z0-9_]+/g, '_').slice(0, 64)).join('-');
  return `${name}.${SUFFIXES[format]}${compression === 'GZIP' ? '.gz' : ''}`;
}
