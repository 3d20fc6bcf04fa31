/**
 * `npm run doctor`: the composition root of the doctor. It examines the settings, the catalog, each source, the repository, the
 * clock and the free space, creates nothing that is not there yet, and ends with exit code 1 if anything is an error.
 */
import { existsSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inspectCatalog } from './catalog/open-catalog';
import type { Log } from './domain/ambient';
import { toAppError } from './domain/errors';
import type { Settings, SourceSettings } from './domain/settings';
import { openSource } from './open-source';
import { systemClock, systemRandom } from './ops/ambient';
import { outliveClosedPipes } from './ops/closed-pipes';
import { loadConfig, type LoadedConfig } from './ops/config/load-config';
import {
  bad, clockSection, examine, isError, ok, renderSection, renderSummary, sourceSection, spaceSection, type Finding, type Section,
} from './ops/doctor'; // prettier-ignore
import { createLogger } from './ops/logger';
import { openRepository, type RepositoryInfo } from './repository/repository';

interface Deps {
  clock: typeof systemClock;
  random: typeof systemRandom;
  log: Log;
}

async function main(): Promise<number> {
  const config = loadConfig();
  const deps = { clock: systemClock, random: systemRandom, log: createLogger({ level: 'silent' }) };
  const examined = await examine(sections(config, deps), {
    clock: systemClock,
    onSection: (section) => console.log(renderSection(section)),
  });
  console.log(renderSummary(examined));
  return examined.some((section) => section.findings.some(isError)) ? 1 : 0;
}

function sections(config: LoadedConfig, deps: Deps): Section[] {
  const { settings } = config;
  return [
    settingsSection(config),
    clockSection(deps.clock),
    spaceSection(folders(settings)),
    catalogSection(settings),
    ...settings.sources.map((source) => liveSection(source, settings.demo, deps)),
    repositorySection(settings, deps),
  ];
}

function settingsSection({ settings, file, warnings }: LoadedConfig): Section {
  const source = settings.demo ? 'The source is the built-in demo: set RISKVAULT_SOURCE_URL for your own.' : undefined;
  return {
    title: 'Settings',
    examine: async () => [
      ok('settings', `Read from ${file ?? 'the environment'}; all are valid.`),
      ...warnings.map((warning) => bad('settings', 'WARNING', warning)),
      ...(source ? [ok('demo', source)] : []),
    ],
  };
}

function catalogSection({ catalog: { url } }: Settings): Section {
  return {
    title: 'Catalog',
    async examine() {
      if (isMissing(url)) return [ok('catalog', `${pathOf(url)} is not there yet; the first start makes it.`)];
      const { server, schemaVersion, outdated } = await inspectCatalog(url);
      const opens = `It opens (${server}, ${schemaVersion}).`;
      return [ok('catalog', outdated ? `${opens} The next start brings it up to date.` : opens), ...exposed(url)];
    },
  };
}

/** What backups hold is nobody else's to read; the service makes its own files so, but may find others. */
function exposed(url: string): Finding[] {
  if (!url.startsWith('sqlite:') || (statSync(pathOf(url)).mode & 0o077) === 0) return [];
  return [bad('permissions', 'WARNING', `${pathOf(url)} can be read by others: run chmod 600 on it.`)];
}

function liveSection(settings: SourceSettings, demo: boolean, deps: Deps): Section {
  if (demo && isMissing(settings.url)) {
    const note = ok('demo', `${pathOf(settings.url)} is not there yet; the first start makes and fills it.`);
    return { title: `Source ${settings.name}`, examine: async () => [note] };
  }
  const source = openSource({ settings, ...deps });
  const section = sourceSection(source);
  return { ...section, examine: (signal) => section.examine(signal).finally(() => source.close()) };
}

function repositorySection({ repository: settings }: Settings, deps: Deps): Section {
  return {
    title: 'Repository',
    async examine() {
      // Opening an empty place would make a repository there, with or without encryption: that is the first start's to do.
      if (!existsSync(join(pathOf(settings.url), 'config.json'))) {
        const none = ok('repository', `${pathOf(settings.url)} holds none yet; the first start makes it.`);
        return settings.passphrase ? [none] : [none, unencrypted('set RISKVAULT_PASSPHRASE before the first start')];
      }
      const repository = await openRepository({ settings, ...deps });
      try {
        await repository.probe();
        return [
          ok('probe', 'An object could be written, read and deleted.'),
          ...facts(await repository.info(), (await repository.listKeys()).length),
        ];
      } finally {
        await repository.close();
      }
    },
  };
}

function facts({ backupCount, encrypted, formatVersion }: RepositoryInfo, passphrases: number): Finding[] {
  const state = `${backupCount} backups, format ${formatVersion}`;
  if (encrypted) return [ok('repository', `${state}, encrypted.`), ok('passphrases', passphraseNote(passphrases))];
  return [ok('repository', `${state}.`), unencrypted('for another, empty location RISKVAULT_PASSPHRASE can be set')];
}

function passphraseNote(count: number): string {
  if (count > 1) return `${count} passphrases open it.`;
  return 'One passphrase opens it: `npm run offline -- keys add` gives it a second one, to be kept elsewhere.';
}

function unencrypted(remedy: string): Finding {
  return bad('encryption', 'WARNING', `Backups are stored unencrypted: ${remedy}.`);
}

function folders({ catalog, repository }: Settings): Record<string, string> {
  return {
    ...(catalog.url.startsWith('sqlite:') && { 'the catalog': dirname(pathOf(catalog.url)) }),
    'the repository': pathOf(repository.url),
    'temporary files': tmpdir(),
  };
}

function pathOf(url: string): string {
  return url.replace(/^(sqlite|file):/, '');
}

function isMissing(url: string): boolean {
  return url.startsWith('sqlite:') && !existsSync(pathOf(url));
}

outliveClosedPipes([process.stdout, process.stderr]);
main().then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    const { message, hint } = toAppError(error);
    console.error(hint === undefined ? message : `${message}\n${hint}`);
    process.exitCode = 1;
  },
);
