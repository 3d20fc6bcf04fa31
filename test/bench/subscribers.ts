/**
 * `npm run bench:subscribers [subscribers] [events]`: what one event costs the server when many watch the same job. This service beside
 * plain graphql-ws over its `ws` adapter, where every subscriber has an iterator and an execution of its own. Each server runs in
 * a process of its own, the clients in this one; the service writes every event into its SQLite catalog besides, the peer keeps
 * nothing.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { print } from 'graphql';
import { RawSocket } from '../support/api-socket';
import { WatchJobDocument } from '../support/generated/operations';

const [subscribers = 1_000, events = 100] = process.argv.slice(2).map(Number);
const WATCH = print(WatchJobDocument);
const RUNS = 3;

interface Ready {
  address: string;
  jobId: string;
  /** Events that a new subscriber gets at once. */
  already: number;
}

interface Report {
  cpuMs: number;
  peakMib: number;
}

async function main(): Promise<void> {
  console.log(`${subscribers} subscribers of one job, ${events} events each; medians of ${RUNS} runs`);
  for (const server of ['riskvault', 'plain graphql-ws']) {
    const runs: Awaited<ReturnType<typeof measure>>[] = [];
    for (let run = 0; run < RUNS; run += 1) runs.push(await measure(server));
    const median = (of: (run: (typeof runs)[number]) => number) =>
      runs.map(of).sort((a, b) => a - b)[Math.floor(RUNS / 2)] ?? 0;
    const perMessage = (median(({ cpuMs }) => cpuMs) * 1000) / (subscribers * events);
    console.log(
      `${server.padEnd(18)} ${perMessage.toFixed(1)} µs of server CPU per message, ` +
        `${median(({ wallMs }) => wallMs).toFixed(0)} ms in all, peak ${median(({ peakMib }) => peakMib).toFixed(0)} MiB`,
    );
  }
}

async function measure(server: string): Promise<Report & { wallMs: number }> {
  const child = fork(`${__dirname}/subscribers-server.ts`, [server, String(events)], {
    execArgv: ['-r', `${__dirname}/../support/register-ts.js`],
  });
  try {
    const { address, jobId, already } = (await answer(child)) as Ready;
    const sockets = await watchAll(address, jobId, already);
    const started = performance.now();
    child.send('publish');
    await Promise.all(sockets.map((socket) => socket.until(() => socket.of('1', 'next').length >= already + events)));
    const wallMs = performance.now() - started;
    child.send('report');
    const report = (await answer(child)) as Report;
    await Promise.all(sockets.map((socket) => socket.close()));
    return { ...report, wallMs };
  } finally {
    child.kill();
    await once(child, 'exit');
  }
}

async function answer(child: ChildProcess): Promise<unknown> {
  const [message] = (await once(child, 'message')) as unknown[];
  return message;
}

async function watchAll(address: string, jobId: string, already: number): Promise<RawSocket[]> {
  const sockets: RawSocket[] = [];
  while (sockets.length < subscribers) {
    const size = Math.min(50, subscribers - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: size }, () => RawSocket.ready(address)))));
  }
  for (const socket of sockets) socket.subscribe('1', WATCH, { jobId });
  await Promise.all(sockets.map((socket) => socket.until(() => socket.of('1', 'next').length >= already)));
  return sockets;
}

void main();
