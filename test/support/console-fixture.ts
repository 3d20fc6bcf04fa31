/**
 * The built GraphiQL page with a small API behind it, and a proxy that counts whatever would leave the machine.
 * The API has the fields that the page's example operations use, as far as a walk through them needs.
 */
import { createServer, type Server } from 'node:http';
import { readFile } from 'node:fs/promises';
import type { AddressInfo, Socket } from 'node:net';
import { extname, join } from 'node:path';
import { buildSchema, graphql } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';

const PAGE = join(__dirname, '..', '..', 'dist', 'console');
const CONTENT_TYPES: Record<string, string> = {
  '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.ttf': 'font/ttf',
}; // prettier-ignore

/** What the page must live with; monaco sets styles of its own. */
export const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const schema = buildSchema(`
  type Query { overview: String }
  type Job { id: ID! }
  type Payload { job: Job }
  type Mutation { createBackup: Payload }
  type JobEvent { sequence: Int! message: String }
  type Subscription { jobEvents(jobId: ID!): JobEvent! }
`);

const rootValue = {
  overview: 'all is well',
  createBackup: { job: { id: 'job-1' } },
  async *jobEvents({ jobId }: { jobId: string }) {
    for (let sequence = 1; sequence <= 3; sequence += 1) {
      yield { jobEvents: { sequence, message: `${jobId} event ${sequence}` } };
    }
  },
};

export async function startConsoleFixture(): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    void answer(request.url ?? '/', request).then(({ status, type, body }) => {
      response.writeHead(status, { 'content-type': type, 'content-security-policy': CONTENT_SECURITY_POLICY });
      response.end(body);
    });
  });
  const sockets = new WebSocketServer({ server, path: '/graphql' });
  const protocol = useServer({ schema, roots: { subscription: rootValue } }, sockets);
  const url = await listen(server);
  return {
    url: `http://${url}/graphiql/`,
    close: async () => {
      await protocol.dispose();
      await closeServer(server);
    },
  };
}

async function answer(path: string, request: AsyncIterable<Buffer>) {
  if (path === '/graphql') {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { query: source, variables: variableValues } = JSON.parse(Buffer.concat(chunks).toString());
    const result = await graphql({ schema, source, rootValue, variableValues });
    return { status: 200, type: 'application/json', body: JSON.stringify(result) };
  }
  const file = path.replace(/^\/graphiql\/?/, '').replace(/\?.*/, '') || 'index.html';
  const body = await readFile(join(PAGE, file)).catch(() => undefined);
  const type = CONTENT_TYPES[extname(file)] ?? 'application/octet-stream';
  return body ? { status: 200, type, body } : { status: 404, type: 'text/plain', body: 'not found' };
}

/** A proxy that lets nothing through and notes who wanted to go where. */
export async function startRefusingProxy(): Promise<{ address: string; asked: string[]; close(): Promise<void> }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(502).end();
  });
  server.on('connect', (request, socket: Socket) => {
    asked.push(request.url ?? '');
    socket.end('HTTP/1.1 502 Refused\r\n\r\n');
  });
  return { address: await listen(server), asked, close: () => closeServer(server) };
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
