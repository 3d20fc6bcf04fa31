// What an operator writes as settings, what comes of it, and what is said about mistakes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_MAPPING } from '../../../src/domain/mapping';
import { AppError } from '../../../src/domain/errors';
import { loadConfig } from '../../../src/ops/config/load-config';
import type { Environment } from '../../../src/ops/config/environment';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'riskvault-config-'))));
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function load(yaml: string | undefined, environment: Environment = {}) {
  const file = yaml === undefined ? {} : { RISKVAULT_CONFIG: write('riskvault.yaml', yaml) };
  return loadConfig({ environment: { ...environment, ...file }, base: '/base' });
}

function problems(yaml: string | undefined, environment: Environment = {}): string[] {
  try {
    load(yaml, environment);
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    expect((error as AppError).code).toBe('CONFIG_INVALID');
    return (error as AppError).message
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  }
  throw new Error('the settings were accepted');
}

describe('without any setting', () => {
  test('everything is embedded below ./data, the source is the demo, and nothing is worth a warning', () => {
    const { settings, warnings, file } = load(undefined);
    expect(settings).toMatchObject({
      server: { host: '127.0.0.1', port: 4000 },
      catalog: { url: 'sqlite:/base/data/catalog.sqlite' },
      repository: {
        url: 'file:/base/data/repository',
        compression: 'zstd',
        compressionLevel: 1,
        gracePeriodMs: 86_400_000,
      },
      sources: [{ name: 'default', url: 'sqlite:/base/data/demo.sqlite', mapping: DEFAULT_MAPPING }],
      runner: { leaseMs: 30_000, heartbeatMs: 10_000 },
      compaction: { afterLayers: 8 },
      downloads: { maxAtOnce: 2, maxDurationMs: 43_200_000, patienceMs: 60_000, keyFile: '/base/data/downloads.key' },
      demo: true,
    });
    expect(settings.repository).not.toHaveProperty('passphrase');
    expect([warnings, file]).toEqual([[], undefined]);
  });

  test('variables that are empty count as not set', () => {
    expect(load(undefined, { RISKVAULT_SOURCE_URL: '', RISKVAULT_PASSPHRASE: '' }).settings.demo).toBe(true);
  });
});

describe('invariants', () => {
  const source = (invariants: string): string => `
      sources:
        - url: "sqlite:kyb.sqlite"
          dataTypes:
            ASSESSMENTS: [{ table: assessments }]
            CONFIG: [{ table: settings }, { table: more_settings }]
          invariants: ${invariants}`;

  test('need the tables of their data types, by default all that are mapped', () => {
    const { settings } = load(
      source(
        `[{ name: one, sql: "SELECT 1 ;" }, { name: two, sql: "SELECT 2", dataTypes: [CONFIG], perBusiness: true }]`,
      ),
    );
    expect(settings.sources[0]).toMatchObject({
      invariants: [
        { name: 'one', sql: 'SELECT 1', tables: ['assessments', 'settings', 'more_settings'] },
        { name: 'two', sql: 'SELECT 2', tables: ['settings', 'more_settings'], perBusiness: true },
      ],
      invariantLimitMs: 300_000,
    });
  });

  test('are told apart, and refused with all that is wrong with them', () => {
    const given = `
            - { name: same, sql: "SELECT 1" }
            - { name: same, sql: "DELETE FROM settings" }
            - { name: third, sql: "SELECT 1; SELECT 2", dataTypes: [TRENDS, CONFIG] }
            - { name: fourth, sql: 7, dataTypes: [NOTHING], perBusiness: 1 }
            - { name: "", sql: "SELECT 1", dataTypes: [] }
          invariantTimeLimit: PT0S`;
    expect(problems(source(given)).sort()).toEqual([
      expect.stringMatching(/^sources.0.invariantTimeLimit: .* PT1S to P1D/),
      expect.stringMatching(/^sources.0.invariants.1.name: "same" is another invariant's name/),
      expect.stringMatching(/^sources.0.invariants.1.sql: .* does not begin with SELECT/),
      expect.stringMatching(/^sources.0.invariants.2.dataTypes: names TRENDS, to which no table is mapped/),
      expect.stringMatching(/^sources.0.invariants.2.sql: .* more than one statement/),
      expect.stringMatching(/^sources.0.invariants.3.dataTypes.0: "NOTHING" is not allowed/),
      expect.stringMatching(/^sources.0.invariants.3.perBusiness: 1 is not allowed/),
      expect.stringMatching(/^sources.0.invariants.3.sql: 7 is not allowed/),
      expect.stringMatching(/^sources.0.invariants.4.dataTypes: is an empty list/),
      expect.stringMatching(/^sources.0.invariants.4.name: "" is not allowed/),
    ]);
  });
});

describe('a settings file', () => {
  test('says what links to downloads begin with, and how many go on at once', () => {
    const { settings } = load(
      `downloads: { baseUrl: "https://backups.example/riskvault/", maxAtOnce: 5, patience: PT5S }`,
    );
    expect(settings.downloads).toMatchObject({
      baseUrl: 'https://backups.example/riskvault',
      maxAtOnce: 5,
      patienceMs: 5_000,
    });
    expect(problems(`downloads: { baseUrl: "ftp://files" }`)).toEqual([expect.stringContaining('downloads.baseUrl')]);
  });

  test('gives sources their mapping, with columns and paths', () => {
    const { settings } = load(`
      sources:
        - name: kyb
          url: "mariadb://user:secret@db:3306/kyb"
          maxBytesPerSecond: 1000000
          dataTypes:
            ASSESSMENTS: [{ table: risk_assessments, businessColumn: business_id, tenantColumn: tenant_id }]
            FACTORS:
              - { table: scores, businessPath: "assessment_id -> risk_assessments.id" }
              - table: "odd -> name.s"
                businessPath: { column: a.b, table: risk_assessments, referencedColumn: id }
            CONFIG: [{ table: settings }]`);
    expect(settings.demo).toBe(false);
    expect(settings.sources).toEqual([
      expect.objectContaining({ name: 'kyb', url: 'mariadb://user:secret@db:3306/kyb', maxBytesPerSecond: 1_000_000 }),
    ]);
    const path = { kind: 'PATH', referencedTable: 'risk_assessments', referencedColumn: 'id' };
    expect(settings.sources[0]!.mapping).toEqual([
      {
        dataType: 'ASSESSMENTS',
        table: 'risk_assessments',
        business: { kind: 'COLUMN', column: 'business_id' },
        tenant: { kind: 'COLUMN', column: 'tenant_id' },
      },
      { dataType: 'FACTORS', table: 'scores', business: { ...path, column: 'assessment_id' } },
      { dataType: 'FACTORS', table: 'odd -> name.s', business: { ...path, column: 'a.b' } },
      { dataType: 'CONFIG', table: 'settings' },
    ]);
  });

  test('takes ${NAME} from the environment, $${ as it is, and numbers given as text', () => {
    const { settings } = load(
      `{ server: { port: "\${APP_PORT}" }, repository: { passphrase: "\${RISKVAULT_PASSPHRASE}$\${x}" } }`,
      {
        APP_PORT: '8080',
        RISKVAULT_PASSPHRASE_FILE: write('pass', 'from a file\n'),
        RISKVAULT_CATALOG_URL: 'sqlite:c.db',
      },
    );
    expect(settings.server.port).toBe(8080);
    expect(settings.catalog.url).toBe('sqlite:/base/c.db');
    expect(settings.repository.passphrase).toBe('from a file');
  });

  test('is overridden by the environment, source URL included', () => {
    const yaml = 'sources: [{ name: other, url: "sqlite:o.db" }, { url: "sqlite:d.db", connections: 2 }]';
    const { settings } = load(yaml, { RISKVAULT_SOURCE_URL: 'mysql://u@h/db', RISKVAULT_LOG_LEVEL: 'debug' });
    expect(settings.sources.map(({ name, url, connections }) => [name, url, connections])).toEqual([
      ['other', 'sqlite:/base/o.db', 4],
      ['default', 'mysql://u@h/db', 2],
    ]);
    expect(settings.log.level).toBe('debug');
  });

  test('may be empty', () => expect(load('# nothing yet\n').settings.demo).toBe(true));
});

describe('mistakes', () => {
  test('are all listed, each with its place, what was given and what is allowed', () => {
    const found = problems(
      `
      server: { port: 99999, hots: x }
      repository: { compression: gzip, gracePeriod: 1 day, url: "s3://bucket" }
      runner: { lease: PT10S, heartbeat: PT9S }
      sources:
        - { name: a, url: "mysql://u:hunter2@h" }
        - { name: "1", url: 5 }`,
      { RISKVAULT_LOG_LEVEL: 'loud' },
    );
    expect(found).toEqual([
      'server.port: 99999 is not allowed: give a whole number from 0 to 65535',
      'server.hots: is no setting (see README.md)',
      'repository.url: "s3://bucket" is not allowed: S3 is not available yet; give file:path/to/folder',
      'repository.compression: "gzip" is not allowed: give one of zstd, none',
      'repository.gracePeriod: "1 day" is not allowed: give a duration from PT0S to P365D',
      expect.stringMatching(
        /^sources\.0\.url: the value is not allowed: it must name one database after the host; give mysql/,
      ),
      'sources.1.name: "1" is not allowed: give a name of letters, digits, _ and -, at most 63',
      expect.stringMatching(/^sources\.1\.url: the value is not allowed: give mysql/),
      'runner.heartbeat: is too long for the lease: give at most a third of it, PT3.333S',
      'RISKVAULT_LOG_LEVEL (log.level): "loud" is not allowed: give one of debug, info, warn, error, silent',
    ]);
  });

  test('of several kinds are told in one round: of single values, between settings, and between tables', () => {
    const found = problems(`
      server: { port: 99999 }
      runner: { lease: PT10S, heartbeat: PT9S, poll: often }
      sources:
        - { name: a, url: "sqlite:a", connections: 0, dataTypes: { CONFIG: [{ table: t }, { table: 5 }], TRENDS: [{ table: t }] } }
        - name: a
          url: "sqlite:b"
          dataTypes:
            ALERTS: [{ table: c, businessColumn: b, businessPath: "a -> u.id", tenantPath: x, color: red }]
            HISTORY: [{ table: d, businessPath: "a -> c.id" }, { table: e, businessPath: "a -> e.id" }]`);
    expect(found.sort()).toEqual([
      'runner.heartbeat: is too long for the lease: give at most a third of it, PT3.333S',
      'runner.poll: "often" is not allowed: give a duration from PT0.1S to PT10M',
      'server.port: 99999 is not allowed: give a whole number from 0 to 65535',
      'sources.0.connections: 0 is not allowed: give a whole number from 1 to 64',
      'sources.0.dataTypes.CONFIG.1.table: 5 is not allowed: give the name of a table',
      'sources.0.dataTypes: table t is mapped twice: a table belongs to one data type',
      'sources.1.dataTypes.ALERTS.0.businessPath: is set, and so is businessColumn: give one of them',
      'sources.1.dataTypes.ALERTS.0.color: is no setting (see README.md)',
      'sources.1.dataTypes.ALERTS.0.tenantPath: is not allowed: give "column -> table.column"',
      'sources.1.dataTypes: the business path of e goes in a circle',
      'sources.1.name: "a" is another source\'s name',
    ]);
  });

  test('of one table are all told, not only the first', () => {
    const found = problems(
      'sources: [{ url: "sqlite:a", dataTypes: { CONFIG: [{ table: t }, { table: t, businessPath: "a -> u.id" }] } }]',
    );
    expect(found).toEqual([
      'sources.0.dataTypes: table t is mapped twice: a table belongs to one data type',
      'sources.0.dataTypes: the business path of t leads to u, which is not mapped',
    ]);
  });

  test.each([
    ['mysql://u:p#w@h/db', 'percent-encode'],
    ['mysql://u:p@h/a/b', 'one database'],
    ['mysql://u:p@/db', 'host|URL'],
    ['postgres://u@h/db', 'give mysql://'],
    ['sqlite:', 'give sqlite:path'],
    ['sqlite::memory:', 'in-memory'],
  ])('a source URL such as %s is refused without repeating it', (url, expected) => {
    const [problem, ...more] = problems(undefined, { RISKVAULT_SOURCE_URL: url });
    expect(more).toEqual([]);
    expect(problem).toMatch(new RegExp(`^RISKVAULT_SOURCE_URL \\(sources\\.0\\.url\\): .*${expected}`));
    expect(problem).not.toContain('u:p');
  });

  test.each([
    ['sources: {}', 'sources: is not allowed: give a list'],
    ['[]', 'the file: is not allowed: give a group of settings'],
    ['sources: [{ url: "sqlite:a" }, { url: "sqlite:b" }]', 'sources.1.name: "default" is another source\'s name'],
    ['repository: { passphrase: 123 }', 'repository.passphrase: the value is not allowed: give a text (quote it if it is a number)'],
    ['repository: { passphrase: "${NOT_SET}" }', 'repository.passphrase: names ${NOT_SET}, which is not set (nor is NOT_SET_FILE)'],
    ['sources: [{ url: "sqlite:a", dataTypes: {} }]', 'sources.0.dataTypes: maps no table: name at least one'],
    ['sources: [{ url: "sqlite:a", dataTypes: { SCORES: [], CONFIG: [{ table: t }] } }]', 'sources.0.dataTypes.SCORES: is no setting (see README.md)'],
    ['sources: [{ url: "sqlite:a", dataTypes: { CONFIG: [{ table: t, businessPath: x }] } }]',
      'sources.0.dataTypes.CONFIG.0.businessPath: is not allowed: give "column -> table.column"'],
    ['sources: [{ url: "sqlite:a", dataTypes: { CONFIG: [{ table: t }], TRENDS: [{ table: t }] } }]',
      'sources.0.dataTypes: table t is mapped twice: a table belongs to one data type'],
    ['sources: [{ url: "sqlite:a", dataTypes: { CONFIG: [{ table: t, businessPath: "a -> u.id" }] } }]',
      'sources.0.dataTypes: the business path of t leads to u, which is not mapped'],
    ['sources: [{ url: "sqlite:a", dataTypes: { CONFIG: [{ table: t, businessPath: "a -> t.id" }] } }]',
      'sources.0.dataTypes: the business path of t goes in a circle'],
    ['sources: [{ url: "sqlite:a", dataTypes: { CONFIG: [{ table: t, formerly: [u, w] }, { table: u }] } }]',
      'sources.0.dataTypes: u, a former name of t, is mapped itself'],
    ['sources: [{ url: "sqlite:a", dataTypes: { CONFIG: [{ table: t, formerly: [u] }], TRENDS: [{ table: v, formerly: [u] }] } }]',
      'sources.0.dataTypes: u is a former name of v and of t'],
    ['sources: [{ url: "sqlite:a", dataTypes: { CONFIG: [{ table: t, formerly: [] }] } }]',
      'sources.0.dataTypes.CONFIG.0.formerly: is an empty list: name a table, or leave it out'],
    ['sources: [{ url: "sqlite:a", dataTypes: { CONFIG: [{ table: t, tenantColumn: a, tenantPath: "a -> t.id" }] } }]',
      'sources.0.dataTypes.CONFIG.0.tenantPath: is set, and so is tenantColumn: give one of them'],
  ])('%s', (yaml, expected) => expect(problems(yaml)).toEqual([expected])); // prettier-ignore

  test('of the file itself are told with its name', () => {
    expect(problems('a: [')[0]).toMatch(/riskvault\.yaml: /);
    expect(problems('server: {port: 1}\nserver: {port: 2}')[0]).toMatch(/Map keys must be unique/);
    expect(() => loadConfig({ environment: { RISKVAULT_CONFIG: join(folder, 'none.yaml') } })).toThrow(/can't be read/);
  });

  test('of secrets in files are told by the variable', () => {
    expect(problems(undefined, { RISKVAULT_PASSPHRASE_FILE: join(folder, 'none') })[0]).toMatch(
      /^RISKVAULT_PASSPHRASE_FILE: /,
    );
    expect(problems(undefined, { RISKVAULT_PASSPHRASE: 'a', RISKVAULT_PASSPHRASE_FILE: 'b' })[0]).toBe(
      'RISKVAULT_PASSPHRASE: is set, and so is RISKVAULT_PASSPHRASE_FILE: set one of them',
    );
  });

  test('that Kubernetes makes are explained', () => {
    expect(problems(undefined, { RISKVAULT_PORT: 'tcp://10.0.0.1:4000' })[0]).toMatch(/enableServiceLinks/);
    expect(
      load(undefined, { RISKVAULT_SERVICE_HOST: '10.0.0.1', RISKVAULT_PORT_4000_TCP: 'tcp://x' }).warnings,
    ).toEqual([]);
  });

  test('that change nothing are warned of: an unknown variable, a short passphrase', () => {
    const { warnings } = load('log: { level: "${RISKVAULT_MY_LEVEL}" }', {
      RISKVAULT_SORCE_URL: 'x',
      RISKVAULT_MY_LEVEL: 'warn',
      RISKVAULT_PASSPHRASE: 'short',
    });
    expect(warnings).toEqual([
      'RISKVAULT_SORCE_URL is no setting of Riskvault and was ignored.',
      "The repository's passphrase is shorter than 12 characters.",
    ]);
  });
});
