/**
 * The HTTP server: /graphql (HTTP and WebSocket), /graphiql, /exports, /health/live and /health/ready. It refuses to listen where it would
 * be open to others. Closing it lets held answers go, ends every socket and download and finishes the requests under way.
 */
import fastifyStatic from '@fastify/static';
import fastify, {
  type FastifyBodyParser, type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest,
} from 'fastify'; // prettier-ignore
import { existsSync } from 'node:fs';
import type { Clock, Log, Random } from '../domain/ambient';
import type { Settings } from '../domain/settings';
import { LOCAL_OPERATOR } from '../services/principal';
import type { Services } from '../services/services';
import { assertProtected, hasLoopbackHost, hasOwnOrigin } from './access';
import { createErrorMask } from './client-errors';
import { createContext } from './context';
import { createDocumentChecker } from './documents';
import { addDownloads } from './downloads';
import { addGraphqlHttp } from './graphql-http';
import { addGraphqlWebsocket } from './graphql-websocket';
import { listen } from './listen';
import { buildApiSchema } from './schema';
import { DATA_HEADERS, PAGE_HEADERS } from './security-headers';

export interface HealthPort {
  ready(): Promise<{ ready: boolean }>;
}

export interface ServerOptions {
  services: Services;
  settings: Pick<Settings, 'server' | 'limits'> & { downloads: Pick<Settings['downloads'], 'baseUrl'> };
  clock: Clock;
  random: Random;
  log: Log;
  health: HealthPort;
  /** The folder of the built console; absent or empty: /graphiql says how to build it. */
  consoleDir?: string;
}

export interface ApiServer {
  /** Where it listens, e.g. `http://127.0.0.1:4000`. */
  readonly address: string;
  readonly port: number;
  /** Idempotent. */
  close(): Promise<void>;
}

const REQUEST_TIMEOUT_MS = 30_000;
const CONSOLE_PATH = '/graphiql/';

/** Throws CONFIG_INVALID where it must not or can't listen. */
export async function createServer(options: ServerOptions): Promise<ApiServer> {
  const { services, settings, clock, log, random } = options;
  const { limits } = settings;
  assertProtected(settings.server.host);
  const schema = buildApiSchema();
  const mask = createErrorMask({ log, random });
  let address = '';
  const linkTo = (path: string) => `${settings.downloads.baseUrl ?? address}${path}`;
  const contextOf = (signal: AbortSignal) => createContext({ principal: LOCAL_OPERATOR, services, signal, linkTo });
  const http = createHttp(limits.maxMessageBytes, log);
  const apollo = await addGraphqlHttp(http, { schema, limits, mask, log, contextOf });
  addDownloads(http, { downloads: services.downloads, log });
  addHealth(http, options.health);
  await addConsole(http, options.consoleDir);
  const checkDocument = createDocumentChecker(schema, limits);
  const mayUpgrade = (request: FastifyRequest['raw']) => hasLoopbackHost(request) && hasOwnOrigin(request);
  const websocket = addGraphqlWebsocket(http.server, {
    schema, limits, checkDocument, mask, clock, log, contextOf, mayUpgrade,
  }); // prettier-ignore

  const stop = async () => {
    services.releaseWaiters();
    services.downloads.endAll();
    await Promise.all([websocket.close(), http.close()]);
    await apollo.stop();
  };
  let stopped: Promise<void> | undefined;
  const close = () => (stopped ??= stop());
  try {
    const listening = await listen(http, settings.server);
    address = listening.address;
    return { ...listening, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function createHttp(bodyLimit: number, log: Log): FastifyInstance {
  const http = fastify({
    logger: false,
    bodyLimit,
    forceCloseConnections: 'idle',
    requestTimeout: REQUEST_TIMEOUT_MS,
    return503OnClosing: true,
  });
  http.addHook('onRequest', refuseForeignHosts);
  http.addContentTypeParser('application/json', { parseAs: 'string' }, parseJson(http));
  http.setErrorHandler((error: FastifyError, _request, reply) => answerError(error, reply, log));
  http.setNotFoundHandler((_request, reply) => reply.code(404).headers(DATA_HEADERS).send({ error: 'Not found' }));
  return http;
}

/** Fastify's own parser, but for its words: it calls JSON invalid that is only refused for its keys. */
function parseJson(http: FastifyInstance): FastifyBodyParser<string> {
  const parse = http.getDefaultJsonParser('error', 'error');
  return (request, body, done) =>
    parse(request, body, (error, value) => done(error && isJson(body) ? forbiddenKey() : error, value));
}

function isJson(body: string): boolean {
  try {
    JSON.parse(body);
    return true;
  } catch {
    return false; // because: that is the answer
  }
}

function forbiddenKey(): Error {
  const message = 'The body has a key __proto__ or constructor.prototype, which no request may have.';
  return Object.assign(new Error(message), { statusCode: 400 });
}

async function refuseForeignHosts(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
  void reply.headers(isPage(request) ? PAGE_HEADERS : DATA_HEADERS);
  if (hasLoopbackHost(request)) return undefined;
  const message = 'The service runs open on loopback and answers only requests addressed to localhost.';
  return reply.code(421).send({ errors: [{ message, extensions: { code: 'FORBIDDEN' } }] });
}

function isPage({ url }: FastifyRequest): boolean {
  return url.startsWith(CONSOLE_PATH);
}

/** Malformed bodies and the like, in the words of GraphQL errors; what is our fault keeps its words in the log. */
function answerError(error: FastifyError, reply: FastifyReply, log: Log): FastifyReply {
  const status = error.statusCode ?? 500;
  if (status >= 500) log.error('request failed', { error });
  const message = status >= 500 ? 'Internal error.' : error.message;
  const code = status >= 500 ? 'INTERNAL_SERVER_ERROR' : 'BAD_REQUEST';
  return reply.code(status).send({ errors: [{ message, extensions: { code } }] });
}

function addHealth(http: FastifyInstance, health: HealthPort): void {
  http.get('/health/live', () => ({ live: true }));
  http.get('/health/ready', async (_request, reply) => {
    const readiness = await health.ready();
    return reply.code(readiness.ready ? 200 : 503).send(readiness);
  });
}

async function addConsole(http: FastifyInstance, consoleDir: string | undefined): Promise<void> {
  http.get('/', (_request, reply) => reply.redirect(CONSOLE_PATH));
  if (!consoleDir || !existsSync(consoleDir)) {
    const answer = { error: 'The console is not built. Run `npm run build`.' };
    http.get('/graphiql', (_request, reply) => reply.code(404).send(answer));
    http.get(CONSOLE_PATH, (_request, reply) => reply.code(404).send(answer));
    return;
  }
  http.get('/graphiql', (_request, reply) => reply.redirect(CONSOLE_PATH));
  await http.register(fastifyStatic, {
    root: consoleDir,
    prefix: CONSOLE_PATH,
    cacheControl: false,
    setHeaders: (response, path) => {
      response.setHeader(
        'cache-control',
        path.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
      );
    },
  });
}
