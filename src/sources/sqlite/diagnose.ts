/** What an operator should know of a SQLite source before it fails at night. Changes nothing. */
import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import type { SourceMapping } from '../../domain/mapping';
import type { SourceFinding } from '../../domain/source';
import { Database } from './database';
import { danglingRows } from './foreign-key-check';
import { objectKind } from './introspect';
import { checkMapping } from './mapping-check';

export function diagnose(path: string, mapping: SourceMapping): SourceFinding[] {
  const database = Database.open(path);
  try {
    return [
      reachable(database),
      journalMode(database),
      writable(path),
      ...mappingFindings(database, mapping),
      references(database, mapping),
    ];
  } finally {
    database.close();
  }
}

function finding(
  check: string,
  ok: boolean,
  more: Pick<SourceFinding, 'message'> & Partial<SourceFinding>,
): SourceFinding {
  return { check, ok, severity: ok ? 'INFO' : 'ERROR', ...more };
}

function reachable(database: Database): SourceFinding {
  const version = String(database.value('SELECT sqlite_version()'));
  const tables = String(database.value(`SELECT count(*) FROM sqlite_schema WHERE type = 'table'`));
  return finding('connection', true, {
    message: `${database.path} opens with SQLite ${version} and has ${tables} tables.`,
  });
}

function journalMode(database: Database): SourceFinding {
  const mode = String(database.value('PRAGMA journal_mode'));
  if (mode === 'wal')
    return finding('journal mode', true, { message: 'The database is in WAL mode: backups and writers do not wait.' });
  return finding('journal mode', false, {
    message: `The database is in ${mode} mode; the first backup switches it to WAL mode.`,
    severity: 'WARNING',
    statement: 'PRAGMA journal_mode = WAL;',
  });
}

/** SQLite writes beside the file too: its folder must allow that. */
function writable(path: string): SourceFinding {
  const denied = [path, dirname(path)].find((target) => !isWritable(target));
  if (denied === undefined)
    return finding('write access', true, { message: 'The file and its folder can be written.' });
  return finding('write access', false, {
    message: `${denied} can't be written: no WAL mode, no restore in place.`,
    statement: `chmod u+w '${denied.replaceAll("'", `'\\''`)}'`,
  });
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function mappingFindings(database: Database, mapping: SourceMapping): SourceFinding[] {
  const problems = checkMapping(database, mapping);
  if (problems.length === 0)
    return [finding('mapping', true, { message: `All ${mapping.length} mapped tables can be backed up.` })];
  return problems.map(({ message, hint }) => finding('mapping', false, { message: `${message} ${hint}` }));
}

function references(database: Database, mapping: SourceMapping): SourceFinding {
  const tables = mapping.map(({ table }) => table).filter((table) => objectKind(database, table) === 'TABLE');
  const count = danglingRows(database, tables).length;
  if (count === 0) return finding('references', true, { message: 'Every foreign key of the mapped tables holds.' });
  return finding('references', false, {
    message: `${count} rows refer to rows that do not exist; a full restore would refuse them.`,
    severity: 'WARNING',
    statement: 'PRAGMA foreign_key_check;',
  });
}
