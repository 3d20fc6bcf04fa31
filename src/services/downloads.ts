/**
 * Downloads of exports. The link is all the authority that one needs: it is unguessable, expires, and opens one export. At most so many go on
 * at once, each for a bounded time, none to a client that takes nothing; each leaves a record.
 */
import type { Catalog, ExportRecord } from '../catalog/catalog';
import type { Clock } from '../domain/ambient';
import { AppError } from '../domain/errors';
import type { BackupExporter } from '../domain/export';
import type { ExportId } from '../domain/ids';
import type { DownloadLimits } from '../domain/settings';
import type { DownloadLinks } from './download-links';

/** UNKNOWN: there is no such link. GONE: there was one. */
export type FoundDownload =
  { kind: 'UNKNOWN' } | { kind: 'GONE'; why: string } | { kind: 'READY'; record: ExportRecord };

/** Whoever takes the bytes. */
export interface DownloadClient {
  /** For the record. */
  remoteAddress: string;
  /** Resolves when there is room for more; need not once the client has gone. */
  write(bytes: Uint8Array): Promise<void>;
  /** After the last byte; resolves once the client's system has all. */
  end(): Promise<void>;
  /** Aborts once the client has gone. */
  gone: AbortSignal;
}

export interface DownloadsService {
  find(id: string, secret: string): Promise<FoundDownload>;
  /**
   * Gives how many bytes there were. Throws REPOSITORY_UNAVAILABLE (retryable) where too many go on, CANCELLED where the client went, took
   * nothing for too long or took too long in all, or the service ends; and what `BackupExporter` throws.
   */
  send(record: ExportRecord, client: DownloadClient): Promise<number>;
  /** Ends all, now and from now on. Idempotent. */
  endAll(): void;
}

export interface DownloadsDependencies {
  catalog: Pick<Catalog, 'exports' | 'backups'>;
  exporter: BackupExporter;
  links: DownloadLinks;
  limits: DownloadLimits;
  clock: Clock;
}

export function createDownloadsService(dependencies: DownloadsDependencies): DownloadsService {
  const { links, limits, catalog } = dependencies;
  const ending = new AbortController();
  let open = 0;
  return {
    async find(id, secret) {
      return links.isSecretOf(id, secret) ? findExport(id as ExportId, dependencies) : { kind: 'UNKNOWN' };
    },
    async send(record, client) {
      if (open >= limits.maxAtOnce || ending.signal.aborted) throw tooMany();
      open++;
      try {
        return await recorded(new Download(record, client, { ...dependencies, ending: ending.signal }), catalog);
      } finally {
        open--;
      }
    },
    endAll: () => ending.abort(),
  };
}

async function findExport(
  id: ExportId,
  { catalog, clock }: Pick<DownloadsDependencies, 'catalog' | 'clock'>,
): Promise<FoundDownload> {
  const record = await catalog.exports.find(id);
  if (record === null) return { kind: 'UNKNOWN' };
  if (record.expiresAt <= clock.now()) return { kind: 'GONE', why: 'The link has expired: export the backup again.' };
  const backup = await catalog.backups.find(record.backupId);
  if (backup === null || backup.missingSince !== null) return { kind: 'GONE', why: 'The backup is gone.' };
  return { kind: 'READY', record };
}

function tooMany(): AppError {
  return new AppError('REPOSITORY_UNAVAILABLE', 'Too many downloads go on.', {
    retryable: true,
    hint: 'Begin it again when another has ended.',
  });
}

async function recorded(download: Download, { exports }: Pick<Catalog, 'exports'>): Promise<number> {
  const id = await exports.beginDownload(download.record.id, download.client.remoteAddress);
  try {
    return await download.run();
  } finally {
    await exports.endDownload(id, download.outcome());
  }
}

type Surroundings = Pick<DownloadsDependencies, 'exporter' | 'limits' | 'clock'> & { ending: AbortSignal };

class Download {
  private bytes = 0;
  private isComplete = false;
  private readonly stopping = new AbortController();
  private readonly signal: AbortSignal;

  constructor(
    readonly record: ExportRecord,
    readonly client: DownloadClient,
    private readonly around: Surroundings,
  ) {
    this.signal = AbortSignal.any([this.stopping.signal, client.gone, around.ending]);
  }

  async run(): Promise<number> {
    const { wanted, tables: expected } = this.record;
    const { exporter, limits } = this.around;
    const timer = this.stopAfter(limits.maxDurationMs);
    try {
      await exporter.stream({ wanted, expected }, { take: (bytes) => this.take(bytes), signal: this.signal });
      await this.within(limits.patienceMs, () => this.client.end());
      this.isComplete = true;
      return this.bytes;
    } finally {
      timer.abort();
    }
  }

  outcome(): { bytes: number; isComplete: boolean } {
    return { bytes: this.bytes, isComplete: this.isComplete };
  }

  private async take(bytes: Uint8Array): Promise<void> {
    await this.within(this.around.limits.patienceMs, () => this.client.write(bytes));
    this.bytes += bytes.length;
  }

  /** Unless what it gives is aborted before. */
  private stopAfter(ms: number): AbortController {
    const timer = new AbortController();
    this.around.clock.sleep(ms, timer.signal).then(
      () => this.stopping.abort(),
      () => undefined, // the work ended first
    );
    return timer;
  }

  /** Throws CANCELLED once the download is stopped, or the time is over, which stops it. */
  private async within(ms: number, work: () => Promise<void>): Promise<void> {
    const timer = this.stopAfter(ms);
    try {
      await Promise.race([work(), stopped(this.signal, timer.signal)]);
    } finally {
      timer.abort();
    }
  }
}

/** Rejects once `signal` aborts; forgets it once `until` does. */
function stopped(signal: AbortSignal, until: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const stop = (): void => reject(new AppError('CANCELLED', 'The download was stopped.'));
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true, signal: until });
  });
}
