/**
 * What peers need for the second of two states of the same data: mariadb-dump piped to restic, which deduplicates what it is given whole,
 * and mariadb-backup --incremental, which copies changed pages. Each is taken where it is installed, and says nothing elsewhere.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { measurePipeline, type Measurement } from './process-meter';

export interface ChangePeer {
  name: string;
  /** Takes the state that is there now; the second time, what changed since. */
  take(): Promise<Measurement & { storedBytes: number }>;
}

export interface PeerPlace {
  /** Arguments by which MariaDB's clients reach the server. */
  client: readonly string[];
  schema: string;
  /** The server's data folder on this machine; null where it runs elsewhere. */
  dataFolder: string | null;
  /** Where the peers may write. */
  folder: string;
  isInstalled(command: string): boolean;
}

export function changePeers(place: PeerPlace): ChangePeer[] {
  const { isInstalled, dataFolder } = place;
  const peers: ChangePeer[] = [];
  if (isInstalled('restic') && isInstalled('mariadb-dump')) peers.push(dumpToRestic(place));
  if (isInstalled('mariadb-backup') && dataFolder !== null) peers.push(mariadbBackup(place, dataFolder));
  return peers;
}

function dumpToRestic({ client, schema, folder }: PeerPlace): ChangePeer {
  const repository = join(folder, 'restic');
  const passwordFile = join(folder, 'restic-password');
  mkdirSync(folder, { recursive: true });
  writeFileSync(passwordFile, 'bench');
  const restic = ['restic', '-q', '-r', repository, '--password-file', passwordFile];
  execFileSync(restic[0] as string, [...restic.slice(1), 'init'], { stdio: 'ignore' });
  const dump = ['mariadb-dump', ...client, '--single-transaction', '--skip-dump-date', schema];
  return measured('mariadb-dump | restic', repository, () => [dump, [...restic, 'backup', '--stdin']]);
}

/** It reads the server's files itself, wherever it believes them to be. */
function mariadbBackup({ client, folder }: PeerPlace, dataFolder: string): ChangePeer {
  const target = join(folder, 'mariadb-backup');
  let taken = 0;
  return measured('mariadb-backup', target, () => {
    const since = taken === 0 ? [] : [`--incremental-basedir=${join(target, String(taken - 1))}`];
    const to = join(target, String(taken++));
    mkdirSync(to, { recursive: true });
    return [
      [
        ...['sh', '-c', '"$0" "$@" 2>/dev/null', 'mariadb-backup', `--datadir=${dataFolder}`, ...client],
        ...['--backup', `--target-dir=${to}`, ...since],
      ],
    ];
  });
}

function measured(name: string, folder: string, pipeline: () => string[][]): ChangePeer {
  return {
    name,
    take: async () => {
      mkdirSync(folder, { recursive: true });
      const before = treeBytes(folder);
      const measurement = await measurePipeline(pipeline());
      return { ...measurement, storedBytes: treeBytes(folder) - before };
    },
  };
}

function treeBytes(path: string): number {
  const entries = readdirSync(path, { withFileTypes: true, recursive: true });
  return entries.reduce(
    (sum, entry) => sum + (entry.isFile() ? statSync(join(entry.parentPath, entry.name)).size : 0),
    0,
  );
}
