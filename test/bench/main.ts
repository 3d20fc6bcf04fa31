/**
 * `npm run bench -- [--rows 2000000] [--rounds 1] [--server mysql://root@127.0.0.1:3306]
 * [--only tenth|changes|compaction|ours|repair|business] [--businesses 1000,10000,100000]`
 *
 * Needs the built service (`npm run build:service`). Starts a MariaDB of its own unless `--server` names one. Fills a schema with the
 * reference data, then runs this project and each peer found on the machine in turn, round after round, and prints a table of medians: wall,
 * ratio to the peer, peak memory, stored bytes. Then what a second full backup, an incremental one and a compaction cost, the service's answers
 * during a backup, its peak memory at a tenth of the rows, and how one damaged row in a hundred is repaired. Ours encrypts, verifies what it stored and what it restored; the peers do neither.
 */
import { execFileSync } from 'node:child_process';
import { cpus, freemem, loadavg, tmpdir, totalmem } from 'node:os';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createConnection } from 'mysql2/promise';
import { startMariadb, stopMariadb } from '../support/mariadb';
import { businessSeries } from './business';
import { changePeers, type ChangePeer } from './change-peers';
import { cpuSecondsOf, measurePipeline, type Measurement } from './process-meter';
import { fillReferenceData } from './reference-data';
import { repairBench } from './repair';
import { measureListLatency, ServiceUnderTest, type JobOutcome } from './service-under-test';

const { values: args } = parseArgs({
  options: {
    rows: { type: 'string', default: '2000000' },
    rounds: { type: 'string', default: '1' },
    server: { type: 'string' },
    only: { type: 'string' },
    businesses: { type: 'string', default: '1000,10000,100000' },
  },
});
const rows = Number(args.rows);
const rounds = Number(args.rounds);
const SCHEMA = 'rv_bench';
const PORT = 41_737;
const folder = mkdtempSync(join(tmpdir(), 'riskvault-bench-'));

/** What a production server has by default, and memory for the data: peers and ours meet the same. */
const SERVER_OPTIONS = [
  '--innodb-buffer-pool-size=1G',
  '--innodb-flush-log-at-trx-commit=1',
  '--innodb-flush-method=O_DIRECT',
  '--innodb-doublewrite=1',
  '--log-bin=binlog',
  '--binlog-format=ROW',
];
const SHOWN_SETTINGS = [
  'version',
  'innodb_buffer_pool_size',
  'innodb_flush_log_at_trx_commit',
  'innodb_flush_method',
  'innodb_doublewrite',
  'innodb_log_file_size',
  'log_bin',
  'binlog_format',
  'sync_binlog',
  'local_infile',
];
/** The server's process id where it runs here, else 0: then its CPU time is not known. */
let server = 0;
/** Null where the server runs elsewhere. */
let dataFolder: string | null = null;

/** Prints the server's settings and finds its process. */
async function findServer(serverUrl: string): Promise<number> {
  const connection = await createConnection(serverUrl);
  const list = SHOWN_SETTINGS.map((name) => `@@${name} AS ${name}`).join(', ');
  const [rows] = await connection.query(`SELECT ${list}, @@pid_file AS pid_file, @@datadir AS data_folder`);
  await connection.end();
  const { pid_file: pidFile, data_folder: folder, ...settings } = (rows as Record<string, string>[])[0] ?? {};
  console.log(
    `server: ${Object.entries(settings)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ')}`,
  );
  try {
    const pid = Number(readFileSync(pidFile ?? '', 'utf8'));
    dataFolder = folder ?? null;
    return pid;
  } catch {
    return 0; // because a server on another machine has no process here
  }
}

interface Sample extends Measurement {
  storedBytes: number;
  serverCpuSeconds: number;
}
const samples = new Map<string, Sample[]>();

async function main(): Promise<void> {
  const serverUrl = args.server ?? (await startMariadb(SERVER_OPTIONS));
  if (!serverUrl) throw new Error('There is no mariadbd here, and no --server was named.');
  server = await findServer(serverUrl);
  console.log(
    `machine: ${cpus().length} x ${cpus()[0]?.model}, ${gib(totalmem())} GiB, ${gib(freemem())} GiB free, load ${loadavg()[0]?.toFixed(2)}`,
  );
  try {
    if (wants('tenth')) await memoryAtTenth(serverUrl);
    if (wants('business')) await oneBusiness(serverUrl);
    if (args.only === 'business') return;
    console.log(`filling ${rows} rows ...`);
    console.log(`filled ${await fillReferenceData({ serverUrl, schema: SCHEMA, rows })} rows`);
    for (let round = 0; round < rounds; round++) await oneRound(serverUrl);
    printTable();
  } finally {
    await sql(serverUrl, `DROP DATABASE IF EXISTS ${SCHEMA}; DROP USER IF EXISTS rv_bench_logless@'%'`);
    rmSync(folder, { recursive: true, force: true });
    await stopMariadb();
  }
}

/** One business out of more and more. */
function oneBusiness(serverUrl: string): Promise<void> {
  const sizes = args.businesses.split(',').map(Number);
  const change = (): Promise<number> => changeScattered(serverUrl);
  return businessSeries({ serverUrl, schema: SCHEMA, folder, change, sizes });
}

/** Peak memory of the whole service process for a backup and a restore of a tenth of the rows. */
async function memoryAtTenth(serverUrl: string): Promise<void> {
  await fillReferenceData({ serverUrl, schema: SCHEMA, rows: rows / 10 });
  const label = 'a tenth of the rows';
  await withService(serverUrl, 'tenth', async (service) => {
    const { backupId } = await service.backup();
    console.log(`${label}: peak ${service.peakMib().toFixed(0)} MiB after the backup`);
    await emptySchema(serverUrl);
    await service.restore(backupId as string);
    console.log(`${label}: peak ${service.peakMib().toFixed(0)} MiB after the restore`);
  });
  await compaction(serverUrl, label);
}

const wants = (part: string): boolean => args.only === undefined || args.only === part;

async function oneRound(serverUrl: string): Promise<void> {
  if (args.only === undefined) await peerBackups(serverUrl);
  if (wants('changes')) await changes(serverUrl);
  if (wants('compaction')) await compaction(serverUrl, 'all rows');
  if (wants('ours')) await ours(serverUrl);
  if (wants('repair')) await repair(serverUrl);
  if (args.only === undefined) await peerRestores(serverUrl);
}

const dump = join(folder, 'dump.sql.zst');
const dumpFolder = join(folder, 'mydumper');

async function peerBackups(serverUrl: string): Promise<void> {
  const client = clientArguments(serverUrl);
  serverCpuSeconds();
  if (found('mariadb-dump') && found('zstd')) {
    const taken = await measurePipeline(
      [
        ['mariadb-dump', ...client, '--single-transaction', SCHEMA],
        ['zstd', '-1', '-q'],
      ],
      dump,
    );
    record('backup: mariadb-dump | zstd -1', taken, statSync(dump).size);
  }
  if (found('mydumper')) {
    rmSync(dumpFolder, { recursive: true, force: true });
    const taken = await measurePipeline([['mydumper', ...client, '-t', '2', '-c', '-B', SCHEMA, '-o', dumpFolder]]);
    record('backup: mydumper -t 2 -c', taken, folderBytes(dumpFolder));
  }
}

async function peerRestores(serverUrl: string): Promise<void> {
  const client = clientArguments(serverUrl);
  if (found('myloader') && found('mydumper')) {
    await emptySchema(serverUrl);
    record(
      'restore: myloader -t 2',
      await measurePipeline([['myloader', ...client, '-t', '2', '-d', dumpFolder, '-B', SCHEMA]]),
    );
  }
  if (found('mariadb') && found('mariadb-dump') && found('zstd')) {
    await emptySchema(serverUrl);
    record(
      'restore: zstd -dc | mariadb',
      await measurePipeline([
        ['zstd', '-dcq', dump],
        ['mariadb', ...client, SCHEMA],
      ]),
    );
  }
}

async function ours(serverUrl: string): Promise<void> {
  await withService(serverUrl, 'ours', async (service) => {
    await service.longestStallMs();
    serverCpuSeconds();
    const backup = await service.backup();
    record('backup: riskvault', { ...backup, peakMib: service.peakMib() }, backup.storedBytes);
    console.log(
      `riskvault backup: longest stall of the API's event loop ${(await service.longestStallMs()).toFixed(1)} ms`,
    );
    await emptySchema(serverUrl);
    const restore = await service.restore(backup.backupId as string);
    record('restore: riskvault', { ...restore, peakMib: service.peakMib() });
    console.log(
      `riskvault restore: longest stall of the API's event loop ${(await service.longestStallMs()).toFixed(1)} ms`,
    );
  });
  await withService(serverUrl, 'latency', async (service) => {
    await service.longestStallMs();
    const { medianMs, p95Ms } = await measureListLatency(service, service.backup());
    const stall = await service.longestStallMs();
    console.log(
      `list query during a backup: median ${medianMs.toFixed(1)} ms, P95 ${p95Ms.toFixed(1)} ms, longest stall ${stall.toFixed(1)} ms`,
    );
  });
}

function repair(serverUrl: string): Promise<void> {
  return repairBench({
    withService: (work) => withService(serverUrl, 'repair', work),
    sql: (statements) => sql(serverUrl, statements),
    record,
    countFromNow: () => void serverCpuSeconds(),
    client: clientArguments(serverUrl),
    schema: SCHEMA,
    folder,
    isInstalled: found,
  });
}

/** What making one base of a full backup and a layer of changes costs, and its peak memory, in a process that did nothing else. */
async function compaction(serverUrl: string, label: string): Promise<void> {
  await withFolder('compaction', async (own) => {
    const tall = await withServiceIn(own, serverUrl, async (service) => {
      await service.backup();
      await changeScattered(serverUrl);
      return service.backup('INCREMENTAL');
    });
    await withServiceIn(own, serverUrl, async (service) => {
      const before = service.peakMib();
      const { wallSeconds, cpuSeconds } = await service.compact(tall.backupId as string);
      console.log(
        `${label}: compaction ${wallSeconds.toFixed(1)} s, CPU ${cpuSeconds.toFixed(1)} s, peak ${service.peakMib().toFixed(0)} MiB (${before.toFixed(0)} before)`,
      );
    });
  });
  await changeScattered(serverUrl);
}

type PeerBackup = Pick<JobOutcome, 'wallSeconds' | 'storedBytes'>;

interface ChangesTaken {
  serverUrl: string;
  first: JobOutcome;
  /** What each peer made of the state before the changes. */
  fulls?: ReadonlyMap<ChangePeer, PeerBackup>;
}

/** What taking the same data again costs, and then one changed row in a hundred, told by the binary log and found by comparing. */
async function changes(serverUrl: string): Promise<void> {
  await withService(serverUrl, 'changes', async (service) => {
    const first = await service.backup();
    recordChange('a second full backup of the same data', await service.backup(), first);
    const place = { client: clientArguments(serverUrl), schema: SCHEMA, dataFolder, folder: join(folder, 'peers') };
    const peers = changePeers({ ...place, isInstalled: found });
    const fulls = new Map<ChangePeer, PeerBackup>();
    for (const peer of peers) fulls.set(peer, await peer.take());
    await incremental(service, { serverUrl, first, fulls });
    rmSync(place.folder, { recursive: true, force: true });
  });
  const loglessUrl = await userWithoutLog(serverUrl);
  await withService(loglessUrl, 'comparing', async (service) => {
    await incremental(service, { serverUrl, first: await service.backup() });
  });
}

async function incremental(
  service: ServiceUnderTest,
  { serverUrl, first, fulls = new Map() }: ChangesTaken,
): Promise<void> {
  const changed = await changeScattered(serverUrl);
  const taken = await service.backup('INCREMENTAL');
  const detections = await service.changeDetections(taken.backupId as string);
  recordChange(`an incremental of ${changed} changed rows by ${detections.join(' and ')}`, taken, first);
  await recordChangedRows(serverUrl, taken);
  for (const [peer, full] of fulls) recordChange(`${peer.name}, of the same two states`, await peer.take(), full);
  await changeScattered(serverUrl);
}

/** What was stored beside what the changed rows alone come to in a compressed dump. */
async function recordChangedRows(serverUrl: string, { storedBytes }: PeerBackup): Promise<void> {
  if (!found('mariadb-dump') || !found('zstd')) return;
  const alone = join(folder, 'changed.sql.zst');
  const dump = ['mariadb-dump', ...clientArguments(serverUrl), '--single-transaction', '--no-create-info'];
  await measurePipeline(
    [
      [...dump, `--where=${CHANGED}`, SCHEMA, ...CHANGED_TABLES],
      ['zstd', '-1', '-q'],
    ],
    alone,
  );
  const { size } = statSync(alone);
  console.log(
    `the changed rows alone, by mariadb-dump and zstd -1: ${mib(size)} MiB; stored ${(storedBytes / size).toFixed(2)} times that`,
  );
}

/** Who may not read the binary log, so that changes are found by comparing. */
async function userWithoutLog(serverUrl: string): Promise<string> {
  const [user, password] = ['rv_bench_logless', 'bench'];
  await sql(
    serverUrl,
    `DROP USER IF EXISTS ${user}@'%'; CREATE USER ${user}@'%' IDENTIFIED BY '${password}'; GRANT RELOAD, PROCESS ON *.* TO ${user}@'%';
     GRANT ALL ON ${SCHEMA}.* TO ${user}@'%'`,
  );
  return Object.assign(new URL(serverUrl), { username: user, password }).href;
}

const CHANGED_TABLES = ['risk_factor_scores', 'risk_trends'];
const CHANGED = 'MOD(CRC32(id), 100) = 0';

/** One row in a hundred of the largest tables, all over them; done twice it changes them back. */
async function changeScattered(serverUrl: string): Promise<number> {
  const connection = await createConnection(schemaUrl(serverUrl));
  let changed = 0;
  for (const table of CHANGED_TABLES) {
    const [result] = await connection.query(`UPDATE ${table} SET score = 100 - score WHERE ${CHANGED}`);
    changed += (result as { affectedRows: number }).affectedRows;
  }
  await connection.end();
  return changed;
}

function recordChange(name: string, taken: PeerBackup, full: PeerBackup): void {
  console.log(
    `${name}: ${taken.wallSeconds.toFixed(1)} s (${(taken.wallSeconds / full.wallSeconds).toFixed(2)} of its full), ` +
      `${mib(taken.storedBytes)} MiB stored (${((100 * taken.storedBytes) / full.storedBytes).toFixed(2)} %)`,
  );
}

async function withService(
  serverUrl: string,
  name: string,
  work: (service: ServiceUnderTest) => Promise<void>,
): Promise<void> {
  await withFolder(name, (own) => withServiceIn(own, serverUrl, work));
}

async function withFolder(name: string, work: (own: string) => Promise<void>): Promise<void> {
  const own = join(folder, name);
  try {
    await work(own);
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

async function withServiceIn<T>(
  own: string,
  serverUrl: string,
  work: (service: ServiceUnderTest) => Promise<T>,
): Promise<T> {
  const service = await ServiceUnderTest.start({ sourceUrl: schemaUrl(serverUrl), folder: own, port: PORT });
  try {
    return await work(service);
  } finally {
    await service.stop();
  }
}

let serverCpuBefore = 0;

/** CPU time that the server used since the last call. */
function serverCpuSeconds(): number {
  const now = server === 0 ? 0 : cpuSecondsOf(server);
  const used = now - serverCpuBefore;
  serverCpuBefore = now;
  return used;
}

function record(name: string, measured: Measurement, storedBytes = 0): void {
  const sample = { ...measured, storedBytes, serverCpuSeconds: serverCpuSeconds() };
  samples.set(name, [...(samples.get(name) ?? []), sample]);
  console.log(
    `${name}: ${sample.wallSeconds.toFixed(1)} s, CPU ${sample.cpuSeconds.toFixed(1)} s + server ${sample.serverCpuSeconds.toFixed(1)} s, ` +
      `${sample.peakMib.toFixed(0)} MiB${storedBytes ? `, ${mib(storedBytes)} MiB stored` : ''}, load ${loadavg()[0]?.toFixed(1)}`,
  );
}

function printTable(): void {
  const cpuOf = (sample: Sample): number => sample.cpuSeconds + sample.serverCpuSeconds;
  const oursOf = (name: string, value: (sample: Sample) => number): number =>
    median((samples.get(`${name.split(':')[0]}: riskvault`) ?? []).map(value));
  console.log('\nwork                                wall s   ours/peer   CPU s*   ours/peer   peak MiB   stored MiB');
  for (const [name, taken] of samples) {
    const wall = median(taken.map((sample) => sample.wallSeconds));
    const cpu = median(taken.map(cpuOf));
    const peak = median(taken.map((sample) => sample.peakMib));
    const stored = median(taken.map((sample) => sample.storedBytes));
    console.log(
      [
        name.padEnd(34),
        wall.toFixed(1).padStart(7),
        (oursOf(name, (sample) => sample.wallSeconds) / wall).toFixed(2).padStart(11),
        cpu.toFixed(1).padStart(8),
        (oursOf(name, cpuOf) / cpu).toFixed(2).padStart(11),
        peak.toFixed(0).padStart(10),
        (stored ? mib(stored) : '').padStart(12),
      ].join(' '),
    );
  }
  console.log(`* of the processes${server === 0 ? '' : ' and of the server'}, user and system`);
}

async function emptySchema(serverUrl: string): Promise<void> {
  await sql(serverUrl, `DROP DATABASE IF EXISTS ${SCHEMA}; CREATE DATABASE ${SCHEMA} CHARACTER SET utf8mb4`);
  serverCpuSeconds();
}

async function sql(serverUrl: string, statements: string): Promise<void> {
  const connection = await createConnection({ uri: serverUrl, multipleStatements: true });
  await connection.query(statements);
  await connection.end();
}

function schemaUrl(serverUrl: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${SCHEMA}`;
  return url.href;
}

function clientArguments(serverUrl: string): string[] {
  const { hostname, port, username, password } = new URL(serverUrl);
  // Spelt out, for -h is the data folder to mariadb-backup.
  return [
    `--host=${hostname}`,
    `--port=${port || '3306'}`,
    `--user=${username || 'root'}`,
    ...(password ? [`--password=${password}`] : []),
  ];
}

function found(command: string): boolean {
  try {
    execFileSync('which', [command], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function folderBytes(path: string): number {
  return readdirSync(path).reduce((sum, name) => sum + statSync(join(path, name)).size, 0);
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;
}

const mib = (bytes: number): string => (bytes / 1_048_576).toFixed(1);
const gib = (bytes: number): string => (bytes / 1_073_741_824).toFixed(1);

void main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
}); // because there is nobody above to await it
