/**
 * A process that runs one engine task on a SQLite source and a local repository, for tests that kill it. Started as
 * `node -r register-ts.js engine-child.ts '<json>'`; prints `begun` when the task starts and `done` when it ended.
 */
import type { EngineTask } from '../../src/domain/task';
import { runTask } from '../../src/engine/engine';
import { engineDeps } from './engine-context';
import { ENGINE_MAPPING, openStore } from './engine-scenarios';
import { openTestSource } from './sqlite';

export interface ChildOrder {
  database: string;
  repository: string;
  task: EngineTask;
}

async function main(): Promise<void> {
  const { database, repository, task } = JSON.parse(process.argv[2] ?? '') as ChildOrder;
  const source = openTestSource(database, ENGINE_MAPPING);
  const store = await openStore(repository);
  console.log('begun');
  await runTask(task, engineDeps({ source, store }), {
    signal: new AbortController().signal,
    onProgress: ({ phase }) => process.stdout.write(`${phase}\n`),
    onLog: () => undefined,
  });
  await source.close();
  console.log('done');
}

if (require.main === module) void main();
