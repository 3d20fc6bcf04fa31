// A worker thread that speaks the protocol of src/runner/worker-protocol.ts and does what the task's `script` says.
const { performance } = require('node:perf_hooks');
const { parentPort, threadId, workerData } = require('node:worker_threads');

let abort = () => undefined;

const scripts = {
  answer: (task) => done({ ok: true, result: { threadId, task, workerData } }),
  progress: () => {
    parentPort.postMessage({ type: 'progress', progress: { percent: 50 } });
    parentPort.postMessage({ type: 'log', message: 'half way' });
    parentPort.postMessage({ type: 'entry', level: 'warn', message: 'careful', fields: { table: 't' } });
    done({ ok: true, result: { threadId } });
  },
  fail: () =>
    done({ ok: false, error: { code: 'REPOSITORY_FULL', message: 'full', hint: 'make room', retryable: false } }),
  hold: () => {
    abort = () => done({ ok: false, error: { code: 'CANCELLED', message: 'cancelled', retryable: false } });
  },
  deaf: () => undefined,
  exit: () => process.exit(1),
  throw: () => {
    throw new Error('thrown outside any promise');
  },
  spin: ({ ms }) => {
    for (const end = performance.now() + ms; performance.now() < end;);
    done({ ok: true, result: { threadId } });
  },
};

function done(outcome) {
  parentPort.postMessage({ type: 'done', outcome });
}

parentPort.on('message', (message) => {
  if (message.type === 'close') parentPort.close();
  else if (message.type === 'abort') abort();
  else scripts[message.task.script](message.task);
});
