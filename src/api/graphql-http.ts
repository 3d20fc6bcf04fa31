/** GraphQL over HTTP: Apollo Server behind Fastify's /graphql. */
import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled, ApolloServerPluginLandingPageDisabled, ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled'; // prettier-ignore
import { fastifyApolloHandler } from '@as-integrations/fastify';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { GraphQLError, OperationTypeNode, type GraphQLSchema } from 'graphql';
import type { Log } from '../domain/ambient';
import type { ErrorMask } from './client-errors';
import type { RequestContext } from './context';
import { limitRules, type OperationLimits } from './limits';

export interface GraphqlHttpOptions {
  schema: GraphQLSchema;
  limits: OperationLimits;
  mask: ErrorMask;
  log: Log;
  /** `signal` aborts when the client has gone before its answer. */
  contextOf: (signal: AbortSignal) => RequestContext;
}

/** Adds /graphql; the server it returns is to be stopped after Fastify has closed. */
export async function addGraphqlHttp(
  fastify: FastifyInstance,
  options: GraphqlHttpOptions,
): Promise<Pick<ApolloServer<RequestContext>, 'stop'>> {
  const apollo = createApollo(options);
  await apollo.start();
  const handler = fastifyApolloHandler(apollo, {
    context: (_request, reply) => Promise.resolve(options.contextOf(goneSignal(reply))),
  });
  fastify.route({ method: ['GET', 'POST', 'OPTIONS'], url: '/graphql', handler });
  return apollo;
}

function createApollo({ schema, limits, mask, log }: GraphqlHttpOptions): ApolloServer<RequestContext> {
  return new ApolloServer<RequestContext>({
    schema,
    introspection: true,
    nodeEnv: 'production',
    persistedQueries: false,
    hideSchemaDetailsFromClientErrors: true,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    parseOptions: { maxTokens: limits.maxQueryTokens },
    validationRules: limitRules(limits),
    formatError: (_formatted, error) => mask(error),
    logger: apolloLogger(log),
    plugins: [
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      REFUSE_SUBSCRIPTIONS,
      STATUS_BY_ACCEPT,
    ],
  });
}

/** Apollo speaks of its own starting and stopping as info; to an operator that is detail. */
function apolloLogger(log: Log) {
  const write = (level: 'debug' | 'warn' | 'error') => (message: unknown) => log[level](String(message));
  return { debug: write('debug'), info: write('debug'), warn: write('warn'), error: write('error') };
}

/** Apollo would run one and answer nonsense. */
const REFUSE_SUBSCRIPTIONS: ApolloServerPlugin<RequestContext> = {
  async requestDidStart() {
    return {
      async didResolveOperation({ operation }) {
        if (operation?.operation !== OperationTypeNode.SUBSCRIPTION) return;
        throw new GraphQLError('Subscriptions run over WebSocket (graphql-transport-ws) at this same address.', {
          extensions: { code: 'SUBSCRIPTION_OVER_HTTP', http: { status: 400 } },
        });
      },
    };
  },
};

/**
 * GraphQL over HTTP: a client that knows only application/json takes any other status than 200 for a fault of the transport; one
 * that knows application/graphql-response+json gets 400 for what never ran.
 */
const STATUS_BY_ACCEPT: ApolloServerPlugin<RequestContext> = {
  async requestDidStart() {
    return {
      async willSendResponse({ request, response }) {
        const accept = request.http?.headers.get('accept') ?? '';
        const knowsJsonAlone =
          accept.includes('application/json') && !accept.includes('application/graphql-response+json');
        if (response.http.status === 400 && knowsJsonAlone) response.http.status = 200;
      },
    };
  },
};

function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  return gone.signal;
}
