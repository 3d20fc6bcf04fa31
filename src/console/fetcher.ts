/** How GraphiQL reaches the API: queries and mutations over HTTP, subscriptions over one WebSocket, both to the same origin. */
import { createGraphiQLFetcher, type Fetcher } from '@graphiql/toolkit';
import { createClient } from 'graphql-ws';
import { createLatestIds } from './latest-ids';

export function createFetcher(endpoint: URL): Fetcher {
  const socketUrl = new URL(endpoint);
  socketUrl.protocol = endpoint.protocol === 'https:' ? 'wss:' : 'ws:';
  const latest = createLatestIds();
  const send = createGraphiQLFetcher({
    url: endpoint.href,
    fetch: async (input, init) => remembering(await fetch(input, init), latest.remember),
    wsClient: createClient({ url: socketUrl.href, lazyCloseTimeout: 10_000 }),
    enableIncrementalDelivery: false,
  });
  return (params, options) => {
    const { variables, missing } = latest.fillIn(params.variables as unknown);
    if (missing.length > 0) return { errors: [{ message: explain(missing) }] } as never;
    return send({ ...params, variables }, options);
  };
}

/** Gives the response on and shows a copy of its content to `remember`. */
function remembering(response: Response, remember: (result: unknown) => void): Response {
  const copy = response.clone();
  // because: an answer that is no JSON has no ids, and GraphiQL itself reports it
  void copy.json().then(remember, () => undefined);
  return response;
}

function explain(missing: readonly string[]): string {
  return `This page knows no ${missing.join(' and no ')} yet: run CreateBackup in the first tab, or put an id into the variables.`;
}
