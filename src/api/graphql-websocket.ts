/**
 * GraphQL over WebSocket (graphql-transport-ws) on the HTTP server's own port, under the same rules, limits and error mask as HTTP.
 * A slow socket is pulled for no more events than it takes. Close codes: 1001 the service stops, 1009 a message is too large, 44xx
 * as the protocol defines them, 4500 a fault of ours.
 */
import { CloseCode, handleProtocols, makeServer, type Context, type Server as ProtocolServer } from 'graphql-ws';
import type { ExecutionArgs, GraphQLSchema } from 'graphql';
import { GraphQLError } from 'graphql';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Clock, Log } from '../domain/ambient';
import type { Settings } from '../domain/settings';
import type { ErrorMask } from './client-errors';
import type { RequestContext } from './context';
import type { CheckDocument } from './documents';
import { createSharedPayloads, type SharedPayloads } from './shared-payloads';
import { createSharedSubscribe } from './shared-subscribe';

export interface GraphqlWebsocketOptions {
  schema: GraphQLSchema;
  limits: Settings['limits'];
  checkDocument: CheckDocument;
  mask: ErrorMask;
  clock: Clock;
  log: Log;
  contextOf: (signal: AbortSignal) => RequestContext;
  /** False: the handshake is answered with 403. */
  mayUpgrade: (request: IncomingMessage) => boolean;
}

export interface GraphqlWebsocket {
  /** Closes every socket with 1001 and waits until they are gone. Idempotent. */
  close(): Promise<void>;
}

interface Extra {
  readonly signal: AbortSignal;
}
type Connection = Context<Record<string, unknown>, Extra>;

const PATH = '/graphql';
const PING_INTERVAL_MS = 15_000;
/** How long a client may take to answer the closing handshake before its socket is cut. */
const CLOSE_PATIENCE_MS = 2_000;

export function addGraphqlWebsocket(http: Server, options: GraphqlWebsocketOptions): GraphqlWebsocket {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: options.limits.maxMessageBytes,
    perMessageDeflate: false,
    handleProtocols,
  });
  const payloads = createSharedPayloads(({ errors, ...result }) =>
    errors ? { ...result, errors: errors.map(options.mask) } : result,
  );
  const protocol = createProtocol(options, payloads);
  const stopping = new AbortController();

  const onUpgrade = (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const refusal = refusalOf(request, { ...options, open: sockets.clients.size, stopping: stopping.signal.aborted });
    if (refusal) return refuse(stream, refusal);
    sockets.handleUpgrade(request, stream, head, (socket) => serve(socket, { protocol, payloads, log: options.log }));
  };
  http.on('upgrade', onUpgrade);
  void keepAlive(sockets.clients, options.clock, stopping.signal); // because: it ends by the signal and never rejects

  return {
    async close() {
      if (stopping.signal.aborted) return;
      stopping.abort();
      await closeAll(sockets.clients, options.clock);
      http.off('upgrade', onUpgrade);
    },
  };
}

interface Occupancy {
  /** Sockets open now. */
  open: number;
  stopping: boolean;
}

function refusalOf(
  request: IncomingMessage,
  { limits, mayUpgrade, open, stopping }: Pick<GraphqlWebsocketOptions, 'limits' | 'mayUpgrade'> & Occupancy,
): string | null {
  if (request.url?.split('?')[0] !== PATH) return '404 Not Found';
  if (!mayUpgrade(request)) return '403 Forbidden';
  if (stopping || open >= limits.maxSockets) return '503 Service Unavailable';
  return null;
}

function refuse(stream: Duplex, status: string): void {
  stream.on('error', () => undefined); // because: whoever is refused may be gone already
  stream.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

// ---- the protocol --------------------------------------------------------------------------------------------------------

function createProtocol(options: GraphqlWebsocketOptions, payloads: SharedPayloads): ProtocolServer<Extra> {
  const { schema, mask } = options;
  return makeServer<Record<string, unknown>, Extra>({
    schema,
    subscribe: createSharedSubscribe(options.clock),
    onSubscribe: (connection, _id, payload) => prepare(connection, payload, options),
    onNext: (...[, , , , result]) => payloads.of(result),
    onError: (...[, , , errors]) => errors.map(mask),
  });
}

interface Operation {
  readonly query: string;
  readonly operationName?: string | null;
  readonly variables?: Record<string, unknown> | null;
}

/** What to execute, or why not. */
function prepare(
  { subscriptions, extra }: Connection,
  { query, operationName, variables }: Operation,
  { schema, limits, checkDocument, contextOf }: GraphqlWebsocketOptions,
): ExecutionArgs | readonly GraphQLError[] {
  if (Object.keys(subscriptions).length > limits.maxSubscriptionsPerSocket) return [tooManyOperations(limits)];
  const checked = checkDocument(query);
  if ('errors' in checked) return checked.errors;
  const { document } = checked;
  return { schema, document, operationName, variableValues: variables, contextValue: contextOf(extra.signal) };
}

function tooManyOperations({ maxSubscriptionsPerSocket }: Settings['limits']): GraphQLError {
  const message = `At most ${maxSubscriptionsPerSocket} operations may run at once on one socket.`;
  return new GraphQLError(message, { extensions: { limit: maxSubscriptionsPerSocket } });
}

// ---- sockets -------------------------------------------------------------------------------------------------------------

interface Serving {
  protocol: ProtocolServer<Extra>;
  payloads: SharedPayloads;
  log: Log;
}

function serve(socket: WebSocket, { protocol, payloads, log }: Serving): void {
  const gone = new AbortController();
  socket.on('error', (error) => log.debug('websocket failed', { error })); // because: its 'close' follows and cleans up
  const closed = protocol.opened(
    {
      protocol: socket.protocol,
      send: (text) => send(socket, payloads.complete(text)),
      close: (code, reason) => socket.close(code, reason),
      onMessage: (handle) => void socket.on('message', (data: Buffer) => void guard(handle(data.toString()))),
    },
    { signal: gone.signal },
  );
  const guard = async (work: Promise<void>) => {
    try {
      await work;
    } catch (error) {
      log.error('websocket message failed', { error });
      socket.close(CloseCode.InternalServerError, 'Internal server error');
    }
  };
  socket.once('close', (code, reason) => {
    gone.abort();
    void guard(closed(code, reason.toString()));
  });
}

/** Resolves once the socket took the message: whoever is slow is sent nothing more meanwhile. */
function send(socket: WebSocket, text: string): Promise<void> {
  return new Promise((resolve) => {
    if (socket.readyState !== socket.OPEN) return resolve();
    // because: an error here means the socket is going, and its 'close' ends what is running on it
    socket.send(text, () => resolve());
  });
}

/** Pings all sockets in turn, and cuts those that did not answer the last ping. */
async function keepAlive(sockets: ReadonlySet<WebSocket>, clock: Clock, signal: AbortSignal): Promise<void> {
  const silent = new WeakSet<WebSocket>();
  while (await slept(clock, PING_INTERVAL_MS, signal)) {
    for (const socket of sockets) {
      if (silent.has(socket)) {
        socket.terminate();
        continue;
      }
      silent.add(socket);
      socket.once('pong', () => silent.delete(socket));
      socket.ping();
    }
  }
}

async function closeAll(sockets: ReadonlySet<WebSocket>, clock: Clock): Promise<void> {
  const patience = new AbortController();
  const gone = [...sockets].map((socket) => {
    socket.close(1001, 'Going away');
    return new Promise((resolve) => socket.once('close', resolve));
  });
  await Promise.race([Promise.all(gone), slept(clock, CLOSE_PATIENCE_MS, patience.signal)]);
  patience.abort();
  for (const socket of sockets) socket.terminate();
}

/** False when the signal aborted. */
async function slept(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(ms, signal);
    return true;
  } catch {
    return false; // because: sleep rejects for its signal alone
  }
}
