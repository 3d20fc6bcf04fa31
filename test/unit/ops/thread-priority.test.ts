/** A worker thread lowers its own priority, and leaves the process's at that. */
import { existsSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

const REGISTER = join(__dirname, '../../support/register-ts.js');
const MODULE = join(__dirname, '../../../src/ops/thread-priority.ts');

/** Of the worker's thread, as the system tells, before and after. */
const SCRIPT = `
  require(${JSON.stringify(REGISTER)});
  const { readFileSync } = require('node:fs');
  const nice = () => Number(readFileSync('/proc/thread-self/stat', 'utf8').replace(/^.*\\) /s, '').split(' ')[16]);
  const before = nice();
  require(${JSON.stringify(MODULE)}).lowerThreadPriority();
  require('node:worker_threads').parentPort.postMessage({ before, after: nice() });
`;

(existsSync('/proc/thread-self') ? test : test.skip)('of a worker thread, not of the process', async () => {
  const own = getPriority();
  const worker = new Worker(SCRIPT, { eval: true });
  const told = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  await worker.terminate();
  expect(told).toEqual({ before: own, after: Math.max(5, own) });
  expect(getPriority()).toBe(own);
});
