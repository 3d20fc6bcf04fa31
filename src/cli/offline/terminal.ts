/** What the offline command needs of the place that it is run in, and what it is made of: given by its composition root. */
import type { Clock, Log, Random } from '../../domain/ambient';
import type { RepositorySettings, SourceSettings } from '../../domain/settings';
import type { Source } from '../../domain/source';

export interface Terminal {
  /** A line of the result. */
  out(line: string): void;
  /** A line beside the result: warnings, progress, what went wrong. */
  err(line: string): void;
  /** Shows a state in place of the last one; null where nobody watches. */
  status: ((text: string) => void) | null;
  /** Asks for a secret without showing it; null where nobody could answer. */
  askSecret: ((question: string) => Promise<string>) | null;
}

export interface OfflineDeps {
  terminal: Terminal;
  /** The repository's settings; `url` wins over them. Throws CONFIG_INVALID. */
  repositorySettings(url: string | undefined): RepositorySettings;
  /** From the environment; undefined where it is not set. */
  newPassphrase(): string | undefined;
  /** The target's URL: `given`, else from the environment; undefined where neither is set. Throws INVALID_INPUT. */
  targetUrl(given: string | undefined): string | undefined;
  openSource(settings: SourceSettings): Source;
  clock: Clock;
  random: Random;
  log: Log;
  tempDir: string;
  /** Program and version. */
  program: string;
  /** Aborted by the first Ctrl-C. */
  signal: AbortSignal;
}

/** What a verb ends with. */
export const EXIT_OK = 0;
/** Damage was found, or the work failed. */
export const EXIT_FAILED = 1;
/** The command or the settings can't be used as given. */
export const EXIT_USAGE = 2;
export const EXIT_CANCELLED = 130;
