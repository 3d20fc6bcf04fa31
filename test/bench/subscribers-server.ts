/** One server of the subscriber bench, in a process of its own: says where it listens, publishes when told, reports what it used. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { EventEmitter, on, once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buildSchema } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { toGlobalId } from '../../src/api/global-id';
import { NO_PROGRESS } from '../../src/domain/job';
import { openApiStand, saveProgress } from '../support/api-stand';
import { peakResidentMib } from './process-meter';

const [kind, count] = process.argv.slice(2);
const events = Number(count);

interface Publisher {
  address: string;
  jobId: string;
  already: number;
  publish(part: number): Promise<void>;
}

async function startService(): Promise<Publisher> {
  const stand = await openApiStand();
  const { job } = await stand.catalog.queue.enqueue({
    spec: { kind: 'CLEANUP', dryRun: true },
    createdBy: 'bench',
  });
  const { lease } = await stand.claim();
  return {
    address: stand.server.address,
    jobId: toGlobalId('Job', job.id),
    already: 2,
    publish: (part) => saveProgress(stand.catalog, lease, part),
  };
}

async function startPeer(): Promise<Publisher> {
  const schema = buildSchema(readFileSync(join(__dirname, '../../schema/schema.graphql'), 'utf8'));
  const bus = new EventEmitter().setMaxListeners(0);
  const http = createServer().listen(0, '127.0.0.1');
  await once(http, 'listening');
  useServer(
    { schema, roots: { subscription: { jobEvents: () => follow(bus) } } },
    new WebSocketServer({ server: http }),
  );
  let sequence = 0;
  return {
    address: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    jobId: 'job',
    already: 0,
    publish: async (part) => void bus.emit('event', toEvent((sequence += 1), part)),
  };
}

async function* follow(bus: EventEmitter): AsyncGenerator<{ jobEvents: unknown }> {
  for await (const [event] of on(bus, 'event')) yield { jobEvents: event as unknown };
}

function toEvent(sequence: number, part: number): object {
  const { estimatedRemainingMs, ...progress } = NO_PROGRESS;
  return {
    cursor: Buffer.from(`event ${sequence} of the job that everybody watches, padded`).toString('base64url'),
    sequence,
    at: new Date().toISOString(),
    type: 'PROGRESS',
    state: 'RUNNING',
    message: null,
    progress: {
      ...progress,
      estimatedRemaining: estimatedRemainingMs,
      percent: Math.round(part * 10_000) / 100,
      phase: 'reading',
    },
  };
}

async function main(): Promise<void> {
  const server = await (kind === 'riskvault' ? startService() : startPeer());
  let before = process.cpuUsage();
  const publish = async () => {
    before = process.cpuUsage();
    for (let event = 1; event <= events; event += 1) await server.publish(event / events);
  };
  const report = () => {
    const { user, system } = process.cpuUsage(before);
    process.send?.({ cpuMs: (user + system) / 1000, peakMib: peakResidentMib(process.pid) });
  };
  process.on('message', (message) => void (message === 'publish' ? publish() : report()));
  const { address, jobId, already } = server;
  process.send?.({ address, jobId, already });
}

void main();
