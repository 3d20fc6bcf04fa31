/** Clients that mean harm or make odd mistakes: every answer is a typed error or harmless data, never a fault, and the service lives on. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { toGlobalId } from '../../src/api/global-id';
import { RawSocket } from '../support/api-socket';
import { openApiStand, type ApiStand } from '../support/api-stand';

let stand: ApiStand;
beforeAll(async () => {
  stand = await openApiStand({ limits: { maxSubscriptionsPerSocket: 5 } });
});
afterAll(async () => {
  expect(stand.logged).toEqual([]);
  await stand.close();
});
afterEach(async () => {
  expect((await stand.post('{ viewer { name } }')).data).toEqual({ viewer: { name: 'local' } });
});

const SOMEBODY = toGlobalId('Job', '00000000-0000-4000-8000-000000000000');
const FAULT = /INTERNAL_SERVER_ERROR|node_modules|at .*\.[jt]s/;

async function send(body: string, headers: Record<string, string> = {}): Promise<{ status: number; text: string }> {
  const response = await fetch(`${stand.server.address}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  return { status: response.status, text: await response.text() };
}

const ODD_IDS = [
  '', ' ', '0', '-1', '../../etc/passwd', 'Job:1', '\u0000', '%00', "'; DROP TABLE jobs; --", '__proto__', 'constructor',
  '💣', 'é'.repeat(50), 'A'.repeat(100_000), Buffer.from('Job:').toString('base64url'),
  Buffer.from('__proto__:00000000-0000-4000-8000-000000000000').toString('base64url'),
  Buffer.from('Job:00000000-0000-4000-8000-000000000000\n').toString('base64url'), `${SOMEBODY}=`, ` ${SOMEBODY}`,
]; // prettier-ignore

describe('odd ids', () => {
  test.each(ODD_IDS.map((id) => [JSON.stringify(id).slice(0, 60), id]))('%s', async (_name, id) => {
    const query =
      '($id: ID!) { node(id: $id) { id } job(id: $id) { id } backup(id: $id) { id } nodes(ids: [$id]) { id } }';
    const { errors } = await stand.post(`query ${query}`, { id });
    expect(errors?.map(({ extensions }) => extensions?.['code'])).toEqual(Array(4).fill('INVALID_INPUT'));
    expect(JSON.stringify(errors).length).toBeLessThan(4_000);
  });
});

describe('odd pages', () => {
  const PAGES = [
    'first: -1', 'first: 0', 'first: 101', 'last: -1', 'last: 2147483647', 'first: 1, last: 1', 'after: "x"', 'first: 1, after: ""',
    'first: 1, after: "bnVsbA"', 'first: 1, after: "W251bGwsMSwieCJd"', 'first: 1, before: "x"', 'last: 1, after: "x"',
  ]; // prettier-ignore
  test.each(PAGES)('%s', async (page) => {
    for (const list of ['backups', 'jobs', 'restores']) {
      const { errors, data } = await stand.post(`{ ${list}(${page}) { nodes { id } } }`);
      const isEmptyCursor = page.endsWith('""') && !errors;
      if (!isEmptyCursor) expect(errors?.[0]?.extensions?.['code']).toBe('INVALID_INPUT');
      expect(data ?? null).toEqual(isEmptyCursor ? { [list]: { nodes: [] } } : null);
    }
  });

  test("a cursor of another list, of events, or of another filter's", async () => {
    const { data } = await stand.post<{ createBackup: { job: { events: { nodes: { cursor: string }[] } } } }>(
      'mutation { createBackup(input: { type: FULL }) { job { events(first: 1) { nodes { cursor } } } } }',
    );
    const event = data!.createBackup.job.events.nodes[0]!.cursor;
    type Edges = { jobs: { edges: { cursor: string }[] } };
    const job = (await stand.post<Edges>('{ jobs(first: 1) { edges { cursor } } }')).data!.jobs.edges[0]!.cursor;
    for (const [field, after] of [
      ['backups(first: 1, after: $after)', job],
      ['jobs(first: 1, after: $after, filter: { states: [FAILED] })', job],
      ['jobs(first: 1, after: $after)', event],
    ] as const) {
      const { errors } = await stand.post(`query ($after: String) { ${field} { nodes { id } } }`, { after });
      expect(errors?.[0]?.extensions?.['code']).toBe('INVALID_INPUT');
    }
  });
});

describe('odd bodies', () => {
  const huge = JSON.stringify({ query: '{ viewer { name } }', variables: { x: 'x'.repeat(200_000) } });
  const deep = `{"query":"{ viewer { name } }","variables":{"x":${'['.repeat(50_000)}${']'.repeat(50_000)}}}`;
  const aliases = Array.from({ length: 10_000 }, (_, n) => `a${n}:viewer{name}`).join(' ');
  const fragments = Array.from({ length: 300 }, (_, n) => `fragment F${n} on Query{...F${n + 1}}`).join(' ');
  const BODIES: [string, string][] = [
    ['nothing', ''],
    ['null', 'null'],
    ['a number', '1'],
    ['a batch', '[{"query":"{ viewer { name } }"},{"query":"{ viewer { name } }"}]'],
    ['an empty batch', '[]'],
    ['no query', '{}'],
    ['a query that is an object', '{"query":{"__proto__":{"x":1}}}'],
    ['__proto__ beside the query', '{"query":"{ viewer { name } }","__proto__":{"polluted":true}}'],
    ['__proto__ in the variables', '{"query":"{ viewer { name } }","variables":{"__proto__":{"polluted":true}}}'],
    ['constructor.prototype', '{"query":"{ viewer { name } }","variables":{"constructor":{"prototype":{"polluted":true}}}}'],
    ['variables that are a list', '{"query":"{ viewer { name } }","variables":[1]}'],
    ['an operation name that is a number', '{"query":"{ viewer { name } }","operationName":7}'],
    ['huge variables', huge],
    ['deeply nested variables', deep],
    ['10,000 aliases', JSON.stringify({ query: `{${aliases}}` })],
    ['300 fragments in a row', JSON.stringify({ query: `{...F0} ${fragments} fragment F300 on Query{viewer{name}}` })],
    ['a fragment that spreads itself', JSON.stringify({ query: '{...A} fragment A on Query{...B} fragment B on Query{...A}' })],
    ['1,000 directives', JSON.stringify({ query: `{viewer ${'@skip(if:false)'.repeat(1_000)}{name}}` })],
    ['a zero byte in the query', JSON.stringify({ query: '{ viewer\u0000 { name } }' })],
    ['half a surrogate pair', '{"query":"{ node(id: \\"\\ud800\\") { id } }"}'],
  ]; // prettier-ignore
  test.each(BODIES)('%s', async (_name, body) => {
    const { status, text } = await send(body);
    expect(status).toBeLessThan(500);
    expect(text).not.toMatch(FAULT);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test.each(['__proto__', 'constructor'])('a %s key is refused for what it is', async (key) => {
    const value = key === 'constructor' ? '{"prototype":{}}' : '{}';
    const { status, text } = await send(`{"query":"{ viewer { name } }","variables":{"${key}":${value}}}`);
    const message = 'The body has a key __proto__ or constructor.prototype, which no request may have.';
    expect([status, JSON.parse(text)]).toEqual([400, { errors: [{ message, extensions: { code: 'BAD_REQUEST' } }] }]);
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    'x',
  ])('of the type %s', async (type) => {
    const { status, text } = await send('{"query":"{ viewer { name } }"}', { 'content-type': type });
    expect([400, 415]).toContain(status);
    expect(text).not.toMatch(FAULT);
  });
});

describe('odd labels, names and keys', () => {
  const created =
    'mutation ($input: CreateBackupInput!) { createBackup(input: $input) { job { id } errors { code } } }';
  const WRONG = [
     { 'a\u0000': 'b' }, { a: 'b\u0000' }, { a: null }, { '': 'x' }, { 'ключ': 'x' }, 'a', 7, [[]],
  ] as unknown[]; // prettier-ignore
  test.each(WRONG.map((labels) => [JSON.stringify(labels), labels]))('labels %s', async (_name, labels) => {
    const { data } = await stand.post<Created>(created, { input: { type: 'FULL', labels } });
    expect(data?.createBackup).toEqual({ job: null, errors: [{ code: 'INVALID_INPUT' }] });
  });

  test('labels named like what every object has are labels like others', async () => {
    const input = { type: 'FULL', labels: { constructor: 'a', toString: 'b', emoji: '👩‍👩‍👧 é' } };
    const { data } = await stand.post<Created>(created, { input });
    expect(data?.createBackup.errors).toEqual([]);
    const filter = { labels: { constructor: 'a', emoji: '👩‍👩‍👧 é' } };
    const list = 'query ($filter: BackupFilter) { backups(first: 5, filter: $filter) { totalCount nodes { labels } } }';
    const { data: found, errors } = await stand.post<{ backups: unknown }>(list, { filter });
    expect([errors, found?.backups]).toEqual([undefined, { totalCount: 1, nodes: [{ labels: input.labels }] }]);
  });

  test.each(['\u0000', 'a\u0000b', '\u202e', '💣', 'x'.repeat(300)])('a source named %j', async (source) => {
    const { data } = await stand.post<Created>(created, { input: { type: 'FULL', source } });
    expect(data?.createBackup).toEqual({ job: null, errors: [{ code: 'INVALID_INPUT' }] });
  });

  interface Created {
    createBackup: { job: { id: string } | null; errors: { code: string }[] };
  }
});

describe('odd sockets', () => {
  test('connections that send half a request, or half an upgrade, hold up nobody', async () => {
    const { port } = stand.server;
    const halves = await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        const socket = connect(port, '127.0.0.1').on('error', () => undefined);
        await once(socket, 'connect');
        const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
        socket.write(
          `${n % 2 ? 'POST' : 'GET'} /graphql HTTP/1.1\r\nHost: localhost\r\n${n % 2 ? 'Content-Length: 9\r\n\r\n{' : upgrade}`,
        );
        return socket;
      }),
    );
    expect((await send('{"query":"{ viewer { name } }"}')).status).toBe(200);
    for (const socket of halves) socket.destroy();
  });

  test('a __proto__ key that only a socket lets through is a malformed label', async () => {
    const socket = await RawSocket.ready(stand.server.address);
    const query =
      'mutation ($input: CreateBackupInput!) { createBackup(input: $input) { job { id } errors { code } } }';
    const variables = '{"input":{"type":"FULL","labels":{"__proto__":"x"}}}';
    socket.send(`{"id":"1","type":"subscribe","payload":{"query":"${query}","variables":${variables}}}`);
    await socket.until(() => socket.of('1', 'complete').length === 1);
    expect(socket.data('1')).toEqual([{ createBackup: { job: null, errors: [{ code: 'INVALID_INPUT' }] } }]);
    await socket.close();
  });

  test('a flood of subscriptions on one socket is answered one by one, and leaves nothing behind', async () => {
    const socket = await RawSocket.ready(stand.server.address);
    const query = 'subscription { jobUpdates { cursor } }';
    for (let n = 0; n < 300; n += 1) socket.subscribe(`s${n}`, query);
    await socket.until(() => socket.received.filter(({ type }) => type === 'error').length === 295);
    for (let n = 0; n < 300; n += 1) socket.send({ id: `s${n}`, type: 'complete' });
    socket.send({ type: 'ping' });
    await socket.until(() => socket.received.some(({ type }) => type === 'pong'));
    await socket.close();
    while (stand.feed.followed > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  test.each(['__proto__', 'constructor', 'toString', '💣', 'x'.repeat(200)])(
    'an operation whose id is %s',
    async (id) => {
      const socket = await RawSocket.ready(stand.server.address);
      socket.subscribe(id, '{ viewer { name } }');
      await socket.until(() => socket.of(id, 'complete').length === 1);
      expect(socket.data(id)).toEqual([{ viewer: { name: 'local' } }]);
      await socket.close();
    },
  );

  test.each([
    'null',
    '[]',
    '7',
    '{"type":"subscribe"}',
    '{"type":"subscribe","id":"1","payload":{"query":7}}',
    '{"type":"__proto__"}',
  ])('the message %s ends its socket alone', async (message) => {
    const socket = await RawSocket.ready(stand.server.address);
    socket.send(message);
    await socket.until(() => socket.closed !== null);
    expect(socket.closed?.code).toBe(4400);
  });
});
