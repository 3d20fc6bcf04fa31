// Preloaded into a measured service: keeps a histogram of the event loop's delay and writes it to the file named by
// RISKVAULT_BENCH_LOOP_FILE when asked by SIGUSR2, then starts it anew.
const { monitorEventLoopDelay } = require('node:perf_hooks');
const { writeFileSync } = require('node:fs');
const { isMainThread } = require('node:worker_threads');

if (isMainThread && process.env.RISKVAULT_BENCH_LOOP_FILE) {
  const histogram = monitorEventLoopDelay({ resolution: 5 });
  histogram.enable();
  process.on('SIGUSR2', () => {
    const toMs = (nanoseconds) => nanoseconds / 1e6;
    writeFileSync(
      process.env.RISKVAULT_BENCH_LOOP_FILE,
      JSON.stringify({ maxMs: toMs(histogram.max) - 5, p99Ms: toMs(histogram.percentile(99)) - 5 }),
    );
    histogram.reset();
  });
}
