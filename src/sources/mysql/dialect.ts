/** Where MySQL and MariaDB differ, as capability flags: nothing else in this folder asks which server it talks to. */

export interface Dialect {
  kind: 'mysql' | 'mariadb';
  version: string;
  /** BACKUP STAGE blocks commits for a moment without closing tables. */
  hasBackupStages: boolean;
  /** `binlog_snapshot_file` and `binlog_snapshot_position` tell where a consistent snapshot stands in the log. */
  hasBinlogSnapshotStatus: boolean;
  /** CAST(x AS DOUBLE) is understood; else multiplying by 1e0 makes a DOUBLE of a FLOAT, negative zero kept. */
  canCastToDouble: boolean;
  /** JSON is a type of its own, which takes text in utf8mb4 alone. */
  hasJsonType: boolean;
  /** CHECK constraints can be left unchecked by a session. */
  canSkipChecks: boolean;
  /** Names of CHECK constraints are unique in the schema, not in their table. */
  hasSchemaWideChecks: boolean;
  /** The statement that shows where the binary log stands. */
  showLogStatus: string;
  /** The statement that lists what this server replicates from. */
  showReplicas: string;
  /** Global variable that says whether a replica logs what it replicates. */
  logsUpdatesVariable: string;
  /** Flags of a reader that wants every event of the log and, at its end, no waiting. */
  logDumpFlags: number;
  /** Session variable that limits how long a statement may run; 0 is without limit. */
  statementTimeVariable: string;
  /** Its unit. */
  statementTimeUnitMs: number;
  isolationVariable: string;
  /** The table of information_schema that lists every foreign key to who has PROCESS; the columns are in one that ends in `_COLS`. */
  foreignKeyView: string;
  /** Table names in it are spelled as those of files. */
  encodesTableNames: boolean;
  /** How a list of rows begins each row, e.g. `VALUES (1), (2)`; null where the server knows no such lists. */
  valueRow: 'ROW' | '' | null;
  /** The global transaction ids that the binary log holds. */
  gtidExpression: string;
}

/** From the server's own version string, e.g. `10.11.6-MariaDB` or `8.4.2`. */
export function dialectOf(version: string): Dialect {
  const isMariadb = /mariadb/i.test(version);
  const atLeast = versionCompare(version.replace(/^5\.5\.5-/, ''));
  return isMariadb ? mariadb(version, atLeast) : mysql(version, atLeast);
}

type AtLeast = (major: number, minor: number, patch?: number) => boolean;

function versionCompare(version: string): AtLeast {
  const [major = 0, minor = 0, patch = 0] = (/^(\d+)\.(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number);
  const number = (major * 1000 + minor) * 1000 + patch;
  return (wantMajor, wantMinor, wantPatch = 0) => number >= (wantMajor * 1000 + wantMinor) * 1000 + wantPatch;
}

function mariadb(version: string, atLeast: AtLeast): Dialect {
  return {
    kind: 'mariadb',
    version,
    hasBackupStages: atLeast(10, 4, 1),
    hasBinlogSnapshotStatus: true,
    canCastToDouble: true,
    hasJsonType: false,
    canSkipChecks: true,
    hasSchemaWideChecks: false,
    showLogStatus: 'SHOW MASTER STATUS',
    showReplicas: 'SHOW ALL SLAVES STATUS',
    logsUpdatesVariable: 'log_slave_updates',
    // The second bit: also those that annotate rows, else offsets in between are missing.
    logDumpFlags: 3,
    statementTimeVariable: 'max_statement_time',
    statementTimeUnitMs: 1000,
    isolationVariable: 'tx_isolation',
    foreignKeyView: 'INNODB_SYS_FOREIGN',
    encodesTableNames: true,
    valueRow: atLeast(10, 3, 3) ? '' : null,
    gtidExpression: '@@GLOBAL.gtid_binlog_pos',
  };
}

function mysql(version: string, atLeast: AtLeast): Dialect {
  return {
    kind: 'mysql',
    version,
    hasBackupStages: false,
    hasBinlogSnapshotStatus: false,
    canCastToDouble: atLeast(8, 0, 17),
    hasJsonType: true,
    canSkipChecks: false,
    hasSchemaWideChecks: true,
    showLogStatus: atLeast(8, 2, 0) ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS',
    showReplicas: atLeast(8, 0, 22) ? 'SHOW REPLICA STATUS' : 'SHOW SLAVE STATUS',
    logsUpdatesVariable: atLeast(8, 0, 26) ? 'log_replica_updates' : 'log_slave_updates',
    logDumpFlags: 1,
    statementTimeVariable: 'max_execution_time',
    statementTimeUnitMs: 1,
    foreignKeyView: atLeast(8, 0, 3) ? 'INNODB_FOREIGN' : 'INNODB_SYS_FOREIGN',
    encodesTableNames: !atLeast(8, 0, 3),
    isolationVariable: atLeast(5, 7, 20) ? 'transaction_isolation' : 'tx_isolation',
    valueRow: atLeast(8, 0, 19) ? 'ROW' : null,
    gtidExpression: '@@GLOBAL.gtid_executed',
  };
}
