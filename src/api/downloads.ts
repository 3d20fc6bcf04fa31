/**
 * Downloads over HTTP. Where there is no such link the answer is that of any path that is not there. A download that fails midway cuts the
 * connection, so that nobody takes what came for the whole. The link never gets into a log, and headers keep it from other sites.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ServerResponse } from 'node:http';
import type { ExportRecord } from '../catalog/catalog';
import type { Log } from '../domain/ambient';
import { toAppError, type AppError } from '../domain/errors';
import type { ExportFormat } from '../domain/export';
import { DOWNLOADS_PATH } from '../services/download-links';
import type { DownloadClient, DownloadsService } from '../services/downloads';

interface Surroundings {
  downloads: DownloadsService;
  log: Log;
}

type Request = FastifyRequest<{ Params: { id: string; secret: string } }>;

export function addDownloads(http: FastifyInstance, surroundings: Surroundings): void {
  http.route({
    method: ['GET', 'HEAD'],
    url: `${DOWNLOADS_PATH}/:id/:secret`,
    handler: (request, reply) => answer(request as Request, reply, surroundings),
  });
}

async function answer(request: Request, reply: FastifyReply, surroundings: Surroundings): Promise<FastifyReply> {
  const { id, secret } = request.params;
  const found = await surroundings.downloads.find(id, secret);
  if (found.kind === 'UNKNOWN') return reply.code(404).send({ error: 'Not found' });
  if (found.kind === 'GONE') return reply.code(410).send({ error: found.why });
  const headers = { ...reply.getHeaders(), ...headersOf(found.record) };
  reply.hijack();
  const download = new HttpDownload(reply.raw, headers);
  if (request.method === 'HEAD') download.answerEmpty();
  else await send(found.record, { download, from: request.ip, ...surroundings });
  return reply;
}

async function send(
  record: ExportRecord,
  { download, from, downloads, log }: Surroundings & { download: HttpDownload; from: string },
): Promise<void> {
  const fields = { exportId: record.id, backupId: record.backupId, from };
  try {
    const bytes = await downloads.send(record, download.clientAt(from));
    log.info('an export was downloaded', { ...fields, bytes });
  } catch (error) {
    log.warn('a download of an export did not end well', { ...fields, error });
    download.fail(toAppError(error));
  }
}

const TYPES: Record<ExportFormat, string> = {
  SQL: 'application/sql',
  CSV: 'text/csv; charset=utf-8; header=present',
  NDJSON: 'application/x-ndjson',
};

/** File names are made of letters, digits and a few marks alone. */
function headersOf({ wanted, fileName }: ExportRecord): Record<string, string> {
  return {
    'content-type': wanted.compression === 'GZIP' ? 'application/gzip' : TYPES[wanted.format],
    'content-disposition': `attachment; filename="${fileName}"`,
    'accept-ranges': 'none',
  };
}

/** Answers to errors before the first byte. */
const STATUSES: Partial<Record<AppError['code'], number>> = {
  NOT_FOUND: 410,
  REPOSITORY_UNAVAILABLE: 503,
  CATALOG_UNAVAILABLE: 503,
  WORKER_DIED: 503,
  CANCELLED: 503,
};
const RETRY_AFTER_SECONDS = 30;

type Headers = Record<string, number | string | string[] | undefined>;

/** One response: its head goes with the first byte, so that what fails before has a status of its own. */
class HttpDownload {
  private readonly gone = new AbortController();

  constructor(
    private readonly response: ServerResponse,
    private readonly headers: Headers,
  ) {
    response.once('close', () => this.gone.abort());
    response.on('error', () => undefined); // because: a client that has gone is told by `close`
  }

  clientAt(remoteAddress: string): DownloadClient {
    return {
      remoteAddress,
      gone: this.gone.signal,
      write: (bytes) => this.write(bytes),
      end: () => this.end(),
    };
  }

  answerEmpty(): void {
    this.response.writeHead(200, this.headers).end();
  }

  /** Nothing more of the download is sent. */
  fail({ code }: AppError): void {
    if (this.response.headersSent) return void this.response.destroy();
    const { 'content-disposition': _name, 'content-type': _type, ...headers } = this.headers;
    const status = STATUSES[code] ?? 500;
    const later = status === 503 ? { 'retry-after': String(RETRY_AFTER_SECONDS) } : {};
    this.response.writeHead(status, { ...headers, ...later, 'content-type': 'application/json; charset=utf-8' });
    this.response.end(JSON.stringify({ error: REASONS[status] }));
  }

  private write(bytes: Uint8Array): Promise<void> {
    if (!this.response.headersSent) this.response.writeHead(200, this.headers);
    if (this.response.write(bytes)) return Promise.resolve();
    return new Promise((resolve) => void this.response.once('drain', resolve));
  }

  private end(): Promise<void> {
    if (!this.response.headersSent) this.response.writeHead(200, this.headers);
    return new Promise((resolve) => void this.response.end(resolve));
  }
}

const REASONS: Record<number, string> = {
  410: 'The backup is gone.',
  500: "The export can't be read. Export the backup again to learn why.",
  503: 'The export can not be downloaded just now. Try again later.',
};
