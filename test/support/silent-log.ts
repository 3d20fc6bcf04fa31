/** The log of tests that look at something else: takes everything, keeps nothing. */
import type { Log } from '../../src/domain/ambient';

export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};
