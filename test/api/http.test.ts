/** GraphQL over HTTP: the specification's audits, what is masked, what is limited, what is refused. */
import { serverAudits } from 'graphql-http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openApiStand, type ApiStand } from '../support/api-stand';

let stand: ApiStand;
beforeAll(async () => {
  stand = await openApiStand({ limits: { maxQueryDepth: 10, maxAliases: 5, maxQueryTokens: 500 } });
});
afterAll(() => stand.close());

const NOTHING_LOADED = "default-src 'none'; frame-ancestors 'none'";
const TOP = '{ sources { name } }';

describe('the audits of GraphQL over HTTP', () => {
  const audits = serverAudits({
    url: () => `${stand.server.address}/graphql`,
    fetchFn: (url: string, init: RequestInit) =>
      fetch(url, { ...init, headers: { ...init?.headers, 'apollo-require-preflight': 'true' } }),
  });

  test('are 61', () => expect(audits).toHaveLength(61));

  test.each(audits.map((audit) => [audit.name, audit] as const))('%s', async (_name, audit) => {
    const result = await audit.fn();
    expect(result).toMatchObject({ status: 'ok' });
  });
});

describe('mistakes of the caller', () => {
  test('keep their words, without suggestions', async () => {
    const { errors } = await stand.post('{ sourcez { name } }');
    expect(errors).toEqual([
      expect.objectContaining({
        message: 'Cannot query field "sourcez" on type "Query".',
        extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
      }),
    ]);
  });

  test('a value outside an enum suggests nothing either', async () => {
    const query = 'query ($type: BackupType!) { backups(first: 1, filter: { types: [$type] }) { nodes { id } } }';
    const { errors } = await stand.post(query, { type: 'FUL' });
    expect(errors?.[0]?.message).toContain('does not exist in "BackupType" enum');
    expect(errors?.[0]?.message).not.toContain('Did you mean');
  });

  test('malformed JSON is answered as a GraphQL error', async () => {
    const response = await fetch(`${stand.server.address}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"query": ',
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
  });

  test('a form that a foreign page could send is refused', async () => {
    const query = encodeURIComponent(TOP);
    const response = await fetch(`${stand.server.address}/graphql?query=${query}`);
    expect(response.status).toBe(400);
  });
});

describe('limits', () => {
  test.each([
    [
      'depth',
      '{ jobs(first: 1) { nodes { backup { job { backup { job { backup { job { backup { job { id } } } } } } } } } } }',
    ],
    ['depth through fragments', depthByFragments()],
    ['aliases', `{ ${Array.from({ length: 6 }, (_, n) => `a${n}: sources { name }`).join(' ')} }`],
    ['aliases through fragments', aliasesByFragments()],
  ])('of %s', async (_what, query) => {
    const { errors, data } = await stand.post(query);
    expect(data).toBeUndefined();
    expect(errors?.[0]).toMatchObject({ extensions: { code: 'LIMIT_EXCEEDED' } });
  });

  test('of tokens', async () => {
    const { errors } = await stand.post(`{ ${'sources { name } '.repeat(200)} }`);
    expect(errors).toEqual([
      {
        message: 'The operation has over 500 tokens, at most 500 are allowed.',
        extensions: { code: 'LIMIT_EXCEEDED', limit: 500 },
      },
    ]);
  });

  test('of the body', async () => {
    const { status } = await stand.post(`{ sources { name } } # ${'x'.repeat(300_000)}`);
    expect(status).toBe(413);
  });

  test('fragments within fragments do not multiply the work of measuring', async () => {
    const levels = Array.from({ length: 20 }, (_, n) => `fragment F${n} on Query { ...F${n + 1} ...F${n + 1} }`);
    const query = `{ ...F0 } ${levels.join(' ')} fragment F20 on Query { sources { name } }`;
    const { data } = await stand.post(query);
    expect(data).toEqual({ sources: [{ name: 'default' }] });
  });

  test('do not stop introspection', async () => {
    const { getIntrospectionQuery } = await import('graphql');
    const { errors } = await stand.post(getIntrospectionQuery());
    expect(errors).toBeUndefined();
  });
});

function depthByFragments(): string {
  return `{ jobs(first: 1) { nodes { ...J } } }
    fragment J on Job { backup { job { backup { ...B } } } }
    fragment B on Backup { job { backup { job { backup { job { id } } } } } }`;
}

function aliasesByFragments(): string {
  return `{ ...A b1: sources { ...S } b2: sources { ...S } } fragment A on Query { c1: sources { ...S } }
    fragment S on Source { n1: name n2: name }`;
}

describe('what is refused', () => {
  test('a subscription by POST', async () => {
    const { errors } = await stand.post('subscription { jobUpdates { cursor } }');
    expect(errors?.[0]).toMatchObject({
      message: expect.stringContaining('WebSocket') as string,
      extensions: { code: 'SUBSCRIPTION_OVER_HTTP' },
    });
  });

  test('a mutation by GET', async () => {
    const query = encodeURIComponent('mutation { cleanupExpiredBackups(input: {}) { errors { code } } }');
    const headers = { 'apollo-require-preflight': 'true' };
    const response = await fetch(`${stand.server.address}/graphql?query=${query}`, { headers });
    expect(response.status).toBe(405);
  });

  test('a batch', async () => {
    const response = await fetch(`${stand.server.address}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([{ query: TOP }, { query: TOP }]),
    });
    expect(response.status).toBe(400);
  });

  test('a request whose Host is another name', async () => {
    const { request } = await import('node:http');
    const status = await new Promise((resolve, reject) => {
      const sent = request(`${stand.server.address}/health/live`, { headers: { host: 'evil.example' } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.on('error', reject).end();
    });
    expect(status).toBe(421);
  });
});

describe('faults', () => {
  test('are masked, logged once and found again by their reference', async () => {
    const broken = await openApiStand({
      wrapCatalog: (catalog) => ({
        ...catalog,
        jobs: Object.assign(Object.create(catalog.jobs) as typeof catalog.jobs, {
          statistics: () => Promise.reject(new Error('secret table jobs_x is gone')),
        }),
      }),
    });
    try {
      const { errors } = await broken.post('{ jobStatistics { total } }');
      expect(JSON.stringify(errors)).not.toContain('secret');
      expect(errors?.[0]?.extensions).toMatchObject({ code: 'INTERNAL_SERVER_ERROR' });
      expect(broken.logged).toHaveLength(1);
      expect(broken.logged[0]?.fields).toMatchObject({ reference: errors?.[0]?.extensions?.['reference'] });
    } finally {
      await broken.close();
    }
  });
});

describe('beside GraphQL', () => {
  test('health says live and ready', async () => {
    const live = await fetch(`${stand.server.address}/health/live`);
    const ready = await fetch(`${stand.server.address}/health/ready`);
    expect([live.status, ready.status]).toEqual([200, 200]);
    expect(await ready.json()).toEqual({ ready: true });
  });

  test('every answer forbids sniffing, framing and loading', async () => {
    for (const path of ['/health/live', '/nowhere', '/graphql']) {
      const { headers } = await fetch(`${stand.server.address}${path}`);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toBe(NOTHING_LOADED);
    }
  });

  test('only the pages of the console may load scripts, from here', async () => {
    const consoleDir = mkdtempSync(join(tmpdir(), 'rv-console-'));
    writeFileSync(join(consoleDir, 'index.html'), '<p>console</p>');
    const built = await openApiStand({ consoleDir });
    try {
      const page = await fetch(`${built.server.address}/graphiql`);
      expect([page.status, await page.text()]).toEqual([200, '<p>console</p>']);
      expect(page.headers.get('content-security-policy')).toContain("script-src 'self';");
      expect(page.headers.get('cache-control')).toBe('no-cache');
      const lost = await fetch(`${built.server.address}/graphiql/nowhere.js`);
      expect([lost.status, lost.headers.get('content-security-policy')]).toEqual([404, NOTHING_LOADED]);
    } finally {
      await built.close();
      rmSync(consoleDir, { recursive: true });
    }
  });

  test('a console that is not built says so', async () => {
    const response = await fetch(`${stand.server.address}/graphiql`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: expect.stringContaining('npm run build') as string });
  });
});
