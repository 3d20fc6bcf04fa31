/**
 * A process that runs one engine task on a source and a local repository, for tests that kill it. Started as
 * `node -r register-ts.js engine-child.ts '<json>'`; prints `begun` when the task starts, and `done` when it ended, with the most
 * memory that it had resident, KiB.
 */
import type { SourceMapping } from '../../src/domain/mapping';
import type { Source } from '../../src/domain/source';
import type { EngineTask } from '../../src/domain/task';
import { runTask } from '../../src/engine/engine';
import { openMysqlSource } from '../../src/sources/mysql/source';
import { engineDeps } from './engine-context';
import { ENGINE_MAPPING, openStore } from './engine-scenarios';
import { openTestSource, sqliteSettings, testAmbient } from './sqlite';

export interface ChildOrder {
  /** A SQLite file, or a `mysql:` URL. */
  database: string;
  repository: string;
  task: EngineTask;
  /** Default: that of the engine's scenarios. */
  mapping?: SourceMapping;
  /** The phase of the task in which the process kills itself. */
  dieIn?: string;
}

function openSource({ database, mapping = ENGINE_MAPPING }: ChildOrder): Source {
  if (!database.startsWith('mysql:')) return openTestSource(database, mapping);
  return openMysqlSource({ settings: { ...sqliteSettings('', mapping), url: database }, ...testAmbient });
}

async function main(): Promise<void> {
  const order = JSON.parse(process.argv[2] ?? '') as ChildOrder;
  const { repository, task, dieIn } = order;
  const source = openSource(order);
  const store = await openStore(repository);
  console.log('begun');
  await runTask(task, engineDeps({ source, store }), {
    signal: new AbortController().signal,
    onProgress: ({ phase }) => {
      process.stdout.write(`${phase}\n`);
      if (phase === dieIn) process.kill(process.pid, 'SIGKILL');
    },
    onLog: () => undefined,
  });
  await source.close();
  console.log(`done ${process.resourceUsage().maxRSS}`);
}

if (require.main === module) void main();
