// All suites share one configuration; `npm test` runs everything of value, `LONG=1` raises the counts of the same suites.
// The data path's worker threads load compiled code from dist/, so the test command builds first what is stale.

/** Floors, some points below what is reached: they stop a slide, they are no goal. */
const floor = (lines, branches) => ({ lines, branches, functions: lines, statements: lines });

/** Files of types alone compile to nothing, and nothing can't be covered; a test holds them to it. */
const TYPES_ALONE = [
  'src/domain/{ambient,backup-store,manifest,settings,source,task}.ts',
  'src/engine/ports.ts',
  'src/repository/context.ts',
];

/** @type {import('jest').Config} */
module.exports = {
  rootDir: __dirname,
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
        },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/data/'],
  coverageProvider: 'v8',
  coverageReporters: ['text-summary', 'json-summary'],
  collectCoverageFrom: ['src/{domain,engine,repository}/**/*.ts', ...TYPES_ALONE.map((path) => `!${path}`)],
  coverageThreshold: {
    './src/domain/': floor(90, 85),
    './src/engine/': floor(85, 80),
    './src/repository/': floor(85, 80),
  },
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  testTimeout: 60_000,
  maxWorkers: 2,
};
