/** A restore into SQLite that is killed at any moment leaves the source untouched or complete, and recovery says which. */
import { spawn } from 'node:child_process';
import { copyFileSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import type { Source } from '../../src/domain/source';
import { readAll, withRead } from '../support/source-rows';
import { connectSqlite, inTempFolder, openTestSource } from '../support/sqlite';
import { KILL_MAPPING } from '../support/sqlite-restore-child';

const ROUNDS = process.env.LONG === '1' ? 60 : 6;
const ROWS = 600;
/** Steps that the child prints: a batch of 50 rows each, of two tables, and the ends. */
const STEPS = (2 * ROWS) / 50 + 3;

async function contents(source: Source): Promise<string> {
  const rows = await withRead(source, (read) => readAll(read));
  return [...rows].map(([table, all]) => `${table}:${all.map((row) => row.toString('hex')).join()}`).join(';');
}

async function prepare(folder: string): Promise<{ kept: string; empty: string }> {
  const [kept, empty] = [join(folder, 'kept.sqlite'), join(folder, 'empty.sqlite')];
  for (const path of [kept, empty]) {
    const database = connectSqlite(path);
    await database.exec('CREATE TABLE p (id INTEGER PRIMARY KEY, v TEXT)');
    await database.exec('CREATE TABLE c (id INTEGER PRIMARY KEY, p INT REFERENCES p (id), v TEXT)');
    await database.exec('CREATE INDEX ix_c ON c (v)');
    const numbers = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})`;
    if (path === kept) await database.exec(`INSERT INTO p ${numbers} SELECT i, hex(randomblob(40)) FROM n`);
    if (path === kept) await database.exec(`INSERT INTO c ${numbers} SELECT i, i, hex(randomblob(40)) FROM n`);
    await database.close();
  }
  return { kept, empty };
}

/** Runs the child and kills it as it prints its `at`-th step; resolves with the steps seen. */
function restoreAndKill(args: string[], at: number): Promise<number> {
  const child = spawn(
    process.execPath,
    ['-r', resolve('test/support/register-ts.js'), resolve('test/support/sqlite-restore-child.ts'), ...args],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let seen = 0;
  child.stdout.on('data', (data: Buffer) => {
    seen += data.toString().split('\n').length - 1;
    if (seen >= at) child.kill('SIGKILL');
  });
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', () => done(seen));
  });
}

test.each(['bulk', 'scratch', 'difference'])(
  'killed %s restores are whole or nothing',
  async (mode) => {
    await inTempFolder(async (folder) => {
      const { kept, empty } = await prepare(folder);
      const source = openTestSource(kept, KILL_MAPPING);
      const wanted = await contents(source);
      await source.close();
      const killed = fc.asyncProperty(fc.integer({ min: 1, max: STEPS + 1 }), async (at) => {
        const path = join(folder, 'target.sqlite');
        for (const name of readdirSync(folder)) if (name.startsWith('target')) rmSync(join(folder, name));
        copyFileSync(empty, path);
        const target = openTestSource(path, KILL_MAPPING);
        const before = await contents(target);
        expect(await restoreAndKill([kept, path, mode, 'the-job'], at)).toBeGreaterThan(0);
        const outcome = await target.recoverWrite('the-job');
        expect(await target.recoverWrite('the-job')).toBe(outcome);
        const restored = mode === 'scratch' ? openTestSource(`${path}.killed.scratch.sqlite`, KILL_MAPPING) : target;
        if (outcome === 'COMMITTED') expect(await contents(restored)).toBe(wanted);
        else expect(await target.tableStates(['p'], 'killed')).toEqual(new Map([['p', 'MISSING']]));
        if (outcome === 'ABSENT' || mode === 'scratch') expect(await contents(target)).toBe(before);
        await restored.close();
        await target.close();
        expect(readdirSync(folder).filter((name) => name.includes('unfinished'))).toEqual([]);
      });
      await fc.assert(killed, { seed: 20261122, numRuns: ROUNDS, endOnFailure: true });
    });
  },
  600_000,
);
