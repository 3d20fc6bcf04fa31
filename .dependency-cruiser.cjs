// Which part of the program may know which other, and which library. ARCHITECTURE.md explains each; a test proves that each fires.

/** What each part may import of ours, beside itself. */
const MAY_IMPORT = {
  domain: [],
  engine: ['domain'],
  sources: ['domain'],
  repository: ['domain'],
  catalog: ['domain'],
  events: ['domain', 'catalog'],
  services: ['domain', 'catalog', 'events'],
  runner: ['domain', 'catalog', 'events'],
  // Of the catalog the api knows plain record types alone: see the two rules of its own below.
  api: ['domain', 'services', 'catalog'],
  ops: ['domain'],
  // The offline command: what the worker composes, without a catalog. Its root gives it sources, settings and a terminal.
  cli: ['domain', 'engine', 'repository'],
  console: [],
};

/** The rooms of the engine: what each may know of the others, beside what lies in the engine's own folder. */
const ENGINE_ROOMS = {
  rows: [],
  reading: ['rows'],
  writing: ['rows'],
  taking: ['rows', 'reading', 'writing'],
  restoring: ['rows', 'reading', 'writing'],
  comparing: ['rows', 'reading', 'writing'],
  keeping: ['rows', 'reading', 'writing'],
  exporting: ['rows', 'reading'],
};

/** The one home of each library: elsewhere it is unknown. */
const HOME_OF = [
  {
    name: 'graphql',
    packages: ['graphql', 'graphql-.+', 'type-graphql', '@apollo/.+', '@as-integrations/.+'],
    home: 'api',
  },
  { name: 'http', packages: ['fastify', '@fastify/.+', 'ws', 'class-validator'], home: 'api' },
  { name: 'typeorm', packages: ['typeorm'], home: 'catalog' },
  { name: 'mysql2', packages: ['mysql2'], home: 'sources/mysql' },
  { name: 's3', packages: ['@aws-sdk/.+'], home: 'repository/storage/s3' },
  { name: 'libsql', packages: ['libsql', 'better-sqlite3'], home: '(sources/sqlite|catalog)' },
  { name: 'zstd', packages: ['@toondepauw/.+'], home: 'repository' },
  { name: 'ops', packages: ['pino', 'zod', 'yaml'], home: 'ops' },
];

const layerRules = Object.entries(MAY_IMPORT).map(([part, others]) => ({
  name: `layer-${part}`,
  severity: 'error',
  comment: `${part} imports only ${['itself', ...others].join(', ')}`,
  from: { path: `^src/${part}/` },
  to: { path: '^src/', pathNot: [part, ...others].map((other) => `^src/${other}/`) },
}));

const roomRules = Object.entries(ENGINE_ROOMS).map(([room, others]) => ({
  name: `engine-${room}`,
  severity: 'error',
  comment: `the engine's ${room} imports only ${['itself', ...others].join(', ')}`,
  from: { path: `^src/engine/${room}/` },
  to: {
    path: ['^src/engine/[^/]+/', '^src/engine/engine\\.'],
    pathNot: [room, ...others].map((other) => `^src/engine/${other}/`),
  },
}));

const libraryRules = HOME_OF.map(({ name, packages, home }) => ({
  name: `library-${name}`,
  severity: 'error',
  comment: `only src/${home} imports ${packages.join(', ')}`,
  from: { path: '^src/', pathNot: [`^src/${home}[/.]`, '^src/console/'] },
  to: { path: packages.map((name) => `(^|/)node_modules/${name}(/|$)|^${name}(/|$)`) },
}));

const shapeRules = [
  {
    name: 'no-cycle',
    severity: 'error',
    comment: 'an import cycle hides who depends on whom',
    from: {},
    to: { circular: true },
  },
  {
    name: 'repository-knows-no-rows',
    severity: 'error',
    comment: 'the repository stores chunks; what a row, a table or a source is, it must not know',
    from: { path: '^src/repository/' },
    to: { path: '^src/domain/(source|table|mapping|ownership)\\.' },
  },
  {
    name: 'sources-know-no-chunks',
    severity: 'error',
    comment: 'a source gives and takes rows; how they are stored, it must not know',
    from: { path: '^src/sources/' },
    to: { path: '^src/domain/(backup-store|manifest)\\.' },
  },
  {
    name: 'sources-are-apart',
    severity: 'error',
    comment: 'one source never imports another; what both need is directly in src/sources',
    from: { path: '^src/sources/([^/]+)/' },
    to: { path: '^src/sources/([^/]+)/', pathNot: '^src/sources/$1/' },
  },
  {
    name: 'api-knows-records-as-types',
    severity: 'error',
    comment: "the api may name the types of the catalog's plain records, and call nothing of the catalog",
    from: { path: '^src/api/' },
    to: { path: '^src/catalog/', dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'api-knows-records-alone',
    severity: 'error',
    comment: "of the catalog's types only those of its contract: never an entity",
    from: { path: '^src/api/' },
    to: { path: '^src/catalog/', pathNot: '^src/catalog/(catalog|records)\\.ts$' },
  },
  {
    name: 'roots-are-not-imported',
    severity: 'error',
    comment: 'the composition roots see all, and nothing below them sees them',
    from: { path: '^src/[^/]+/' },
    to: { path: '^src/[^/]+\\.ts$' },
  },
  {
    name: 'environment-has-one-home',
    severity: 'error',
    comment: 'only the roots load the settings',
    from: { path: '^src/[^/]+/', pathNot: '^src/ops/' },
    to: { path: '^src/ops/' },
  },
  {
    name: 'declared-dependencies',
    severity: 'error',
    comment: 'what the product imports is among its dependencies',
    from: { path: '^src/', pathNot: '^src/console/' },
    to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'unknown'] },
  },
  {
    name: 'resolvable',
    severity: 'error',
    comment: 'every import leads somewhere',
    from: { path: '^src/', pathNot: '^src/console/' },
    to: { couldNotResolve: true },
  },
];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [...layerRules, ...roomRules, ...libraryRules, ...shapeRules],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['require', 'node', 'default', 'types'] },
  },
};
