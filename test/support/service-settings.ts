/** A settings file for a service under test: a folder of its own, any free port, and leases short enough to see them run out. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ServicePlace {
  /** A `mysql://` or `sqlite:` URL. */
  sourceUrl: string;
  /** Default: SQLite in the folder. */
  catalogUrl?: string;
  /** Default: in the folder. */
  repositoryUrl?: string;
  passphrase?: string;
  /** Laid over the groups of the settings file. */
  settings?: Record<string, Record<string, unknown>>;
  /** Laid over the source's settings. */
  source?: Record<string, unknown>;
}

export interface ServiceFolder {
  path: string;
  remove(): void;
}

export function serviceFolder(): ServiceFolder {
  const path = mkdtempSync(join(tmpdir(), 'riskvault-service-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Writes the settings file and names it. */
export function writeSettings(folder: string, place: ServicePlace): string {
  const settings: Record<string, unknown> = {
    dataFolder: folder,
    server: { port: 0 },
    catalog: { url: place.catalogUrl ?? `sqlite:${join(folder, 'catalog.sqlite')}` },
    repository: {
      url: place.repositoryUrl ?? `file:${join(folder, 'repository')}`,
      gracePeriod: 'PT0S',
      ...(place.passphrase !== undefined && { passphrase: place.passphrase }),
    },
    sources: [{ url: place.sourceUrl, connections: 2, ...place.source }],
    runner: { lease: 'PT1S', heartbeat: 'PT0.3S', poll: 'PT0.1S', drain: 'PT5S' },
  };
  for (const [group, more] of Object.entries(place.settings ?? {}))
    settings[group] = { ...(settings[group] as object), ...more };
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'riskvault.yml');
  writeFileSync(file, JSON.stringify(settings)); // every JSON document is a YAML document
  return file;
}
