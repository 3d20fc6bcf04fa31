/** Exports over GraphQL, and their downloads over HTTP: what is refused, what opens a link, and how a download ends. */
import { request, type IncomingMessage } from 'node:http';
import { toGlobalId } from '../../src/api/global-id';
import type { BackupExporter } from '../../src/domain/export';
import { AppError } from '../../src/domain/errors';
import { systemClock } from '../../src/ops/ambient';
import { openApiStand, type ApiStand } from '../support/api-stand';
import * as op from '../support/generated/operations';

const UNKNOWN = '00000000-0000-4000-8000-000000000000';
const HOUR_MS = 3_600_000;

/** What the next downloads do. */
let stream: BackupExporter['stream'];
let aheadMs = 0;
let stand: ApiStand;
beforeAll(async () => {
  stand = await openApiStand({
    clock: { ...systemClock, now: () => new Date(Date.now() + aheadMs) },
    exporter: { stream: (...given) => stream(...given) },
    downloads: { patienceMs: 300 },
  });
});
afterAll(() => stand.close());
beforeEach(() => {
  aheadMs = 0;
  stream = async (_streaming, { take }) => {
    await take(Buffer.from('{"n":1}\n'));
    await take(Buffer.from('{"n":2}\n'));
  };
});

async function completedBackup(): Promise<string> {
  const { createBackup } = await stand.run(op.CreateBackupDocument, { input: { type: 'FULL' } });
  await stand.completeNext();
  return createBackup.backup!.id;
}

const exportBackup = async (input: op.ExportBackupInput) =>
  (await stand.run(op.ExportBackupDocument, { input })).exportBackup;

type Export = NonNullable<op.GetExportQuery['export']>;

async function completedExport(input: Partial<op.ExportBackupInput> = {}): Promise<Export & { downloadUrl: string }> {
  const key = `k${++keys}`;
  const given = { backupId: await completedBackup(), format: 'NDJSON', idempotencyKey: key, ...input } as const;
  expect(await exportBackup(given)).toMatchObject({ job: { state: 'PENDING' }, export: null, errors: [] });
  await stand.completeNext();
  const again = await exportBackup(given);
  expect(again.export).toMatchObject({ rowCount: '10', tables: [{ name: 'risk_trends', rowCount: '10' }] });
  return (await getExport(again.export!.id)) as Export & { downloadUrl: string };
}
let keys = 0;

const getExport = async (id: string) => (await stand.run(op.GetExportDocument, { id })).export!;

/** The newest download, once it has ended. */
async function endedDownload(id: string) {
  for (;;) {
    const { downloads } = await getExport(id);
    if (downloads.nodes[0]?.endedAt) return downloads.nodes[0];
  }
}

describe('an export', () => {
  test('is there once its job has completed, as a node, with a link that opens it for as long as was asked', async () => {
    const made = await completedExport({ validFor: 'PT8H', compression: 'GZIP' });
    expect(made).toMatchObject({ format: 'NDJSON', compression: 'GZIP', downloads: { totalCount: 0, nodes: [] } });
    expect(made.fileName).toBe('default-20261122T120000Z.ndjson.gz');
    expect(Date.parse(made.expiresAt) - Date.parse(made.createdAt)).toBe(8 * HOUR_MS);
    expect(made.downloadUrl).toMatch(new RegExp(`^${stand.server.address}/exports/[0-9a-f-]{36}/[\\w-]{43}$`));
    const query = 'query($id: ID!) { node(id: $id) { ... on Export { fileName job { export { id } } } } }';
    const { data } = await stand.post(query, { id: made.id });
    expect(data).toEqual({ node: { fileName: made.fileName, job: { export: { id: made.id } } } });
    aheadMs = 9 * HOUR_MS;
    expect((await getExport(made.id)).downloadUrl).toBeNull();
  });

  test('tells everything that is wrong with it at once', async () => {
    const backupId = await completedBackup();
    const wrong = { backupId, format: 'CSV', validFor: 'P8D', businessId: '', dataTypes: [], waitFor: 'PT9M' } as const;
    const { job, errors } = await exportBackup({ ...wrong, dataTypes: [] });
    expect(job).toBeNull();
    expect(errors.map(({ path }) => path?.join('.'))).toEqual([
      'input.dataTypes', 'input.businessId', 'input.validFor', 'input.waitFor',
    ]); // prettier-ignore
  });

  test.each<[string, Partial<op.ExportBackupInput>, object]>([
    ['a backup that is not there', { backupId: toGlobalId('Backup', UNKNOWN) }, { code: 'NOT_FOUND', path: ['input', 'backupId'] }],
    ['a table that it does not hold', { table: 'tenants' }, { code: 'INVALID_INPUT', path: ['input', 'table'] }],
    ['data types that it does not hold', { dataTypes: ['HISTORY'] }, { code: 'INVALID_INPUT', path: ['input', 'dataTypes'] }],
    ['a filter that is none', { filter: { score: 7 } }, { code: 'INVALID_INPUT', path: ['input', 'filter', 'score'] }],
  ])('of %s is refused', async (_what, given, error) => {
    const refused = await exportBackup({ backupId: await completedBackup(), format: 'CSV', ...given });
    expect(refused).toMatchObject({ job: null, errors: [error] });
  }); // prettier-ignore

  test('that is asked for again with its key is the same, and another input is refused', async () => {
    const backupId = await completedBackup();
    const given = { backupId, format: 'NDJSON', filter: { a: { eq: 1 } }, idempotencyKey: 'once' } as const;
    const [first, second] = [await exportBackup(given), await exportBackup(given)];
    expect(second.job!.id).toBe(first.job!.id);
    const other = await exportBackup({ ...given, filter: { a: { eq: 2 } } });
    expect(other.errors).toMatchObject([{ code: 'IDEMPOTENCY_KEY_REUSED' }]);
    await stand.completeNext();
  });
});

test('a backup is not deleted while it is exported', async () => {
  const backupId = await completedBackup();
  await exportBackup({ backupId, format: 'NDJSON' });
  const { deleteBackup } = await stand.run(op.DeleteBackupDocument, { input: { backupId } });
  expect(deleteBackup.errors).toMatchObject([{ code: 'CONFLICT' }]);
  await stand.completeNext();
});

test('an export whose job was cancelled is none', async () => {
  const given = { backupId: await completedBackup(), format: 'SQL', idempotencyKey: 'cancelled' } as const;
  const { job } = await exportBackup(given);
  await stand.run(op.CancelJobDocument, { input: { jobId: job!.id } });
  expect(await exportBackup(given)).toMatchObject({ job: { state: 'CANCELLED' }, export: null, errors: [] });
});

describe('a download', () => {
  test('gives the bytes as a file, unread by anybody on the way, and is written down', async () => {
    const { id, downloadUrl, fileName } = await completedExport();
    const response = await fetch(downloadUrl);
    expect(await response.text()).toBe('{"n":1}\n{"n":2}\n');
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/x-ndjson',
      'content-disposition': `attachment; filename="${fileName}"`,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    expect(await endedDownload(id)).toMatchObject({ bytes: '16', isComplete: true, remoteAddress: '127.0.0.1' });
    expect((await fetch(downloadUrl)).status).toBe(200);
    expect((await getExport(id)).downloads.totalCount).toBe(2);
  });

  test('asked for by HEAD alone says what it would be, and is none', async () => {
    const { id, downloadUrl, fileName } = await completedExport();
    const response = await fetch(downloadUrl, { method: 'HEAD' });
    expect([response.status, response.headers.get('content-disposition')]).toEqual([
      200, `attachment; filename="${fileName}"`,
    ]); // prettier-ignore
    expect((await getExport(id)).downloads.totalCount).toBe(0);
  });

  test('with a wrong secret, or of no export, is answered as any path that is not there', async () => {
    const { downloadUrl } = await completedExport();
    const secret = downloadUrl.split('/').at(-1)!;
    const wrong = `${secret.startsWith('A') ? 'B' : 'A'}${secret.slice(1)}`;
    const answers = await Promise.all(
      [
        downloadUrl.replace(secret, wrong),
        downloadUrl.replace(secret, 'short'),
        downloadUrl.replace(/[0-9a-f-]{36}/, UNKNOWN),
        `${stand.server.address}/exports/nothing/${secret}`,
        `${stand.server.address}/nowhere`,
      ].map(async (url) => {
        const response = await fetch(url);
        const headers = Object.fromEntries(response.headers);
        return { status: response.status, body: await response.text(), headers: { ...headers, date: '' } };
      }),
    );
    for (const answer of answers) expect(answer).toEqual(answers.at(-1));
    expect(answers[0]!.status).toBe(404);
  });

  test('of what has expired, or whose backup is gone, is gone', async () => {
    const { downloadUrl } = await completedExport();
    aheadMs = 2 * HOUR_MS;
    expect((await fetch(downloadUrl)).status).toBe(410);
    aheadMs = 0;
    stream = () => Promise.reject(new AppError('NOT_FOUND', 'The repository holds no such backup.'));
    expect((await fetch(downloadUrl)).status).toBe(410);
    const backupId = await completedBackup();
    const other = await completedExport({ backupId });
    await stand.run(op.DeleteBackupDocument, { input: { backupId } });
    await stand.completeNext();
    expect((await fetch(other.downloadUrl)).status).toBe(410);
  });

  test('addressed to another name than loopback is refused', async () => {
    const { downloadUrl } = await completedExport();
    expect((await get(downloadUrl, { host: 'evil.example' })).statusCode).toBe(421);
  });

  test('that fails before its first byte has a status of its own, and its reason stays with the operator', async () => {
    const { downloadUrl } = await completedExport();
    stream = () => Promise.reject(new AppError('INTEGRITY_FAILURE', 'pack 17 is damaged'));
    const damaged = await fetch(downloadUrl);
    expect([damaged.status, (await damaged.text()).includes('pack 17')]).toEqual([500, false]);
    stream = () => Promise.reject(new AppError('REPOSITORY_UNAVAILABLE', 'away', { retryable: true }));
    const away = await fetch(downloadUrl);
    expect([away.status, away.headers.get('retry-after')]).toEqual([503, '30']);
  });

  test('that fails midway is cut, so that nobody takes it for whole', async () => {
    const { id, downloadUrl } = await completedExport();
    stream = async (_streaming, { take }) => {
      await take(Buffer.from('half'));
      throw new AppError('INTEGRITY_FAILURE', 'damaged');
    };
    const response = await fetch(downloadUrl);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
    expect(await endedDownload(id)).toMatchObject({ bytes: '4', isComplete: false });
  });

  test('whose client goes away ends at once', async () => {
    const { id, downloadUrl } = await completedExport();
    const ended = new Promise<void>((resolve) => {
      stream = (_streaming, { take, signal }) => {
        signal.addEventListener('abort', () => resolve());
        return take(Buffer.from('half')).then(() => untilAborted(signal));
      };
    });
    const response = await get(downloadUrl);
    response.destroy();
    await ended;
    expect(await endedDownload(id)).toMatchObject({ isComplete: false });
  });

  test('to a client that takes nothing ends, and holds no more than a few parts until then', async () => {
    const { id, downloadUrl } = await completedExport();
    let given = 0;
    stream = async (_streaming, { take, signal }) => {
      for (const part = Buffer.alloc(1 << 20, 'x'); !signal.aborted; given++) await take(part);
    };
    const response = await get(downloadUrl); // and reads nothing of it
    const { isComplete, bytes } = await endedDownload(id);
    expect(isComplete).toBe(false);
    expect(given).toBeLessThan(32); // what sockets hold
    expect(Number(bytes)).toBe(given << 20);
    response.destroy();
  });

  test('beyond those that may go on at once is told to come later', async () => {
    const { downloadUrl } = await completedExport();
    const ends: (() => void)[] = [];
    stream = async (_streaming, { take }) => {
      await take(Buffer.from('begun'));
      await new Promise<void>((resolve) => ends.push(resolve));
    };
    const going = [await get(downloadUrl), await get(downloadUrl)];
    expect((await fetch(downloadUrl)).status).toBe(503);
    for (const end of ends) end();
    for (const response of going) response.resume();
    await Promise.all(going.map((response) => new Promise((resolve) => response.once('end', resolve))));
    stream = ({ wanted }, { take }) => take(Buffer.from(wanted.format));
    expect(await (await fetch(downloadUrl)).text()).toBe('NDJSON');
  });
});

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new AppError('CANCELLED', 'ended')));
  });
}

/** The response as soon as its head is there. */
function get(url: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(url, { headers, agent: false }, (response) => {
      response.on('error', () => undefined); // because: tests destroy it
      resolve(response);
    })
      .on('error', reject)
      .end();
  });
}
