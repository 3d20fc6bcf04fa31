// What the linter asks for. Layers and libraries are dependency-cruiser's part (.dependency-cruiser.cjs).
import { basename } from 'node:path';
import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Rules of this project alone: names of files, and the first lines that say what a file is. */
const ours = {
  rules: {
    'file-name': {
      create: (context) => ({
        Program(node) {
          const name = basename(context.filename).replace(/(\.test|\.d)?\.[cm]?[jt]sx?$/, '');
          if (/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) && !/^(utils?|helpers?|manager|misc|common)$/.test(name)) return;
          context.report({ node, message: `Name the file in kebab-case after what it exports, not \`${name}\`.` });
        },
      }),
    },
    'file-header': {
      create: (context) => ({
        Program(node) {
          const [first] = context.sourceCode.getAllComments();
          const code = node.body[0];
          if (!code || (first && first.range[0] < code.range[0])) return;
          context.report({ node, message: 'Say in the first lines what this file owns and guarantees.' });
        },
      }),
    },
  },
};

const AMBIENT = 'Take it from the Clock or Random port; only ops/ambient touches the real one.';
const ENVIRONMENT = 'Only ops/config reads the environment.';

const ambientRules = {
  'no-restricted-globals': [
    'error',
    ...['setTimeout', 'setInterval', 'performance'].map((name) => ({ name, message: AMBIENT })),
  ],
  'no-restricted-properties': [
    'error',
    { object: 'Date', property: 'now', message: AMBIENT },
    { object: 'Math', property: 'random', message: AMBIENT },
    { object: 'AbortSignal', property: 'timeout', message: AMBIENT },
    { object: 'crypto', property: 'randomUUID', message: AMBIENT },
    { object: 'crypto', property: 'randomBytes', message: AMBIENT },
    { object: 'globalThis', property: 'setTimeout', message: AMBIENT },
    { object: 'process', property: 'env', message: ENVIRONMENT },
    { object: 'process', property: 'hrtime', message: AMBIENT },
  ],
  'no-restricted-syntax': [
    'error',
    { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: AMBIENT },
    { selector: 'CallExpression[callee.name="Date"]', message: AMBIENT },
  ],
  'no-restricted-imports': [
    'error',
    {
      paths: [
        {
          name: 'node:crypto',
          importNames: ['randomUUID', 'randomBytes', 'randomInt', 'randomFill', 'randomFillSync'],
          message: AMBIENT,
        },
        { name: 'node:perf_hooks', importNames: ['performance'], message: AMBIENT },
        { name: 'node:process', importNames: ['env'], message: ENVIRONMENT },
        { name: 'node:timers', message: AMBIENT },
        { name: 'node:timers/promises', importNames: ['setTimeout', 'setInterval', 'scheduler'], message: AMBIENT },
      ],
    },
  ],
};

const sizeRules = {
  'max-lines': ['error', { max: 500 }],
  'max-lines-per-function': ['error', { max: 70 }],
  'max-params': ['error', { max: 3 }],
};

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'data/', 'node_modules/', 'schema/generated/', 'test/support/generated/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.recommendedTypeChecked],
    plugins: { ours },
    languageOptions: {
      parserOptions: { projectService: { allowDefaultProject: ['ormconfig.ts'] }, tsconfigRootDir: process.cwd() },
    },
    rules: {
      'ours/file-name': 'error',
      'ours/file-header': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // Ports are asynchronous by contract; an implementation may have nothing to wait for.
      '@typescript-eslint/require-await': 'off',
      eqeqeq: 'error',
    },
  },
  { files: ['src/**/*.ts'], rules: { ...ambientRules, ...sizeRules } },
  {
    files: ['src/ops/ambient.ts'],
    rules: {
      'no-restricted-globals': 'off',
      'no-restricted-properties': 'off',
      'no-restricted-syntax': 'off',
      'no-restricted-imports': 'off',
    },
  },
  { files: ['src/ops/config/load-config.ts'], rules: { 'no-restricted-properties': 'off' } },
  {
    files: ['test/**/*.ts'],
    rules: {
      // Tests look into answers and logs that have no type.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/unbound-method': 'off',
      'max-lines': ['error', { max: 500 }],
    },
  },
  {
    files: ['**/*.js', '**/*.cjs', '**/*.mjs'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: {
      sourceType: 'commonjs',
      globals: {
        require: 'readonly',
        module: 'readonly',
        process: 'readonly',
        __dirname: 'readonly',
        console: 'readonly',
      },
    },
  },
  { files: ['**/*.mjs'], languageOptions: { sourceType: 'module' } },
);
