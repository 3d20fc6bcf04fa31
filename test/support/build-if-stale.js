// Compiles what is newer than its compiled form, so that tests which start the product test the code at hand.
// `dist/.built` carries the time of the last successful build of each half.
const { execFileSync } = require('node:child_process');
const { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

const root = join(__dirname, '..', '..');
const built = join(root, 'dist', '.built');

function newest(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

const halves = [
  { script: 'build:service', sources: ['src', 'tsconfig.json', 'package-lock.json'] },
  { script: 'build:console', sources: ['src/console', 'schema/operations', 'package-lock.json'] },
];

for (const { script, sources } of halves) {
  const stamp = join(built, script.replace(':', '-'));
  const changedMs = Math.max(...sources.map((source) => newest(join(root, source))));
  if (existsSync(stamp) && statSync(stamp).mtimeMs >= changedMs) continue;
  execFileSync('npm', ['run', '--silent', script], { cwd: root, stdio: 'inherit' });
  mkdirSync(built, { recursive: true });
  writeFileSync(stamp, '');
}
