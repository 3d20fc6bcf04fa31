/** What an operator would otherwise find out at 3 a.m.: version, privileges with the GRANTs that mend them, log settings, clock. */
import type { Clock } from '../../domain/ambient';
import type { SourceFinding } from '../../domain/source';
import type { SourceMapping } from '../../domain/mapping';
import { isAccessDenied } from './errors';
import { SCRATCH_PREFIX } from './scratch';
import { quoteName, quoteText } from './sql';
import type { Session } from './session';

const CLOCK_TOLERANCE_MS = 5000;

export interface DiagnoseOptions {
  session: Session;
  mapping: SourceMapping;
  clock: Clock;
}

export async function diagnose(options: DiagnoseOptions): Promise<SourceFinding[]> {
  const { session } = options;
  const granted = await readGrants(session);
  const privileges = capabilities(session).map((capability) => privilegeFinding(capability, granted, session));
  const log = [...(await triggerFindings(session, granted)), ...(await logFindings(session))];
  return withoutRepeatedStatements([
    versionFinding(session),
    ...privileges,
    ...log,
    ...(await serverFindings(options)),
  ]);
}

/** What mends two things is told once. */
function withoutRepeatedStatements(findings: readonly SourceFinding[]): SourceFinding[] {
  const told = new Set<string>();
  return findings.map((finding) => {
    const { statement, ...rest } = finding;
    if (statement === undefined || !told.has(statement)) return (told.add(statement ?? ''), finding);
    return { ...rest, message: `${rest.message} The same grant as above.` };
  });
}

function versionFinding({ dialect, target }: Session): SourceFinding {
  const product = dialect.kind === 'mariadb' ? 'MariaDB' : 'MySQL';
  return info('version', `${product} ${dialect.version} at ${target.label}, schema ${target.schema}.`);
}

function info(check: string, message: string): SourceFinding {
  return { check, ok: true, severity: 'INFO', message };
}

/** A capability, what it needs on the schema or globally, and how bad its lack is. */
interface Capability {
  check: string;
  purpose: string;
  privileges: readonly string[];
  scope: Scope;
  severity: 'ERROR' | 'WARNING';
}

/** All databases, the source's own, or those of restores beside it: they do not exist yet, so a pattern grants on them. */
type Scope = 'GLOBAL' | 'SCHEMA' | 'SCRATCH';

const SCRATCH_PATTERN = `${SCRATCH_PREFIX.replace('_', '\\_')}%`;
/** A name that the pattern covers. */
const SCRATCH_EXAMPLE = `${SCRATCH_PREFIX}1`;

const HIDDEN_REFERENCES: Capability = {
  check: 'grants: hidden references',
  purpose: 'proving that no table which it can not see refers to what a restore removes',
  privileges: ['PROCESS'],
  scope: 'GLOBAL',
  severity: 'WARNING',
};

function capabilities(session: Session): Capability[] {
  const reload = session.dialect.hasBackupStages ? 'BACKUP STAGE' : 'a momentary global read lock';
  const monitor = session.dialect.kind === 'mariadb' ? 'BINLOG MONITOR' : 'REPLICATION CLIENT';
  // MariaDB has a privilege of its own for seeing what the server replicates, which may be missing from its log.
  const reading = session.dialect.kind === 'mariadb' ? ['REPLICATION SLAVE', 'SLAVE MONITOR'] : ['REPLICATION SLAVE'];
  return [
    { check: 'grants: read', purpose: 'backing up', privileges: ['SELECT'], scope: 'SCHEMA', severity: 'ERROR' },
    {
      check: 'grants: structure',
      purpose: 'keeping triggers and views',
      privileges: ['TRIGGER', 'SHOW VIEW'],
      scope: 'SCHEMA',
      severity: 'WARNING',
    },
    {
      check: 'grants: consistent read',
      purpose: `reading one moment over several connections by ${reload}`,
      privileges: ['RELOAD'],
      scope: 'GLOBAL',
      severity: 'WARNING',
    },
    {
      check: 'grants: lock watch',
      purpose: 'giving way to statements that wait on a backup',
      privileges: ['PROCESS'],
      scope: 'GLOBAL',
      severity: 'WARNING',
    },
    HIDDEN_REFERENCES,
    {
      check: 'grants: log position',
      purpose: 'recording where the binary log stands',
      privileges: [monitor],
      scope: 'GLOBAL',
      severity: 'WARNING',
    },
    {
      check: 'grants: log reading',
      purpose: 'finding changes in the binary log, which is cheaper than comparing every row,',
      privileges: reading,
      scope: 'GLOBAL',
      severity: 'WARNING',
    },
    {
      check: 'grants: restore in place',
      purpose: 'restoring differences',
      privileges: ['INSERT', 'UPDATE', 'DELETE', 'CREATE', 'LOCK TABLES'],
      scope: 'SCHEMA',
      severity: 'WARNING',
    },
    {
      check: 'grants: restore tables',
      purpose: 'restoring missing or empty tables',
      privileges: ['CREATE', 'DROP', 'ALTER', 'INDEX', 'REFERENCES'],
      scope: 'SCHEMA',
      severity: 'WARNING',
    },
    {
      check: 'grants: restore beside',
      purpose: `rehearsing restores, and restoring into scratch schemas, their names beginning with ${SCRATCH_PREFIX},`,
      privileges: ['SELECT', 'INSERT', 'UPDATE', 'CREATE', 'DROP', 'ALTER', 'INDEX', 'REFERENCES'],
      scope: 'SCRATCH',
      severity: 'WARNING',
    },
  ];
}

interface Granted {
  account: string;
  /** What holds on all databases holds in the other scopes too. */
  on: Record<Scope, Set<string>>;
}

function privilegeFinding(capability: Capability, granted: Granted, session: Session): SourceFinding {
  const { check, purpose, privileges, scope, severity } = capability;
  const has = (name: string): boolean =>
    granted.on[scope].has(name) || (name === 'BINLOG MONITOR' && granted.on.GLOBAL.has('REPLICATION CLIENT'));
  const missing = privileges.filter((name) => !has(name));
  if (missing.length === 0) return info(check, `This user may do what ${purpose} needs.`);
  const databases = { GLOBAL: '*', SCHEMA: quoteName(session.target.schema), SCRATCH: quoteName(SCRATCH_PATTERN) };
  return {
    check,
    ok: false,
    severity,
    message: `For ${purpose} this user lacks ${missing.join(', ')}.`,
    statement: `GRANT ${privileges.join(', ')} ON ${databases[scope]}.* TO ${granted.account};`,
  };
}

/** From SHOW GRANTS, roles that are active included; the account is spelled as GRANT wants it. */
async function readGrants(session: Session): Promise<Granted> {
  const rows = await session.values('SHOW GRANTS');
  const [who] = await session.values('SELECT CURRENT_USER()');
  const [user = '', host = '%'] = splitAccount(String(who?.[0] ?? ''));
  const on = { GLOBAL: new Set<string>(), SCHEMA: new Set<string>(), SCRATCH: new Set<string>() };
  const granted: Granted = { account: `${quoteText(user)}@${quoteText(host)}`, on };
  for (const [grant] of rows) addGrant(granted, String(grant), session.target.schema);
  return granted;
}

function splitAccount(account: string): [string, string] {
  const at = account.lastIndexOf('@');
  return [account.slice(0, at), account.slice(at + 1)];
}

const ALL_SCHEMA_PRIVILEGES = [
  'SELECT',
  'INSERT',
  'UPDATE',
  'DELETE',
  'CREATE',
  'DROP',
  'ALTER',
  'INDEX',
  'REFERENCES',
  'TRIGGER',
  'SHOW VIEW',
  'LOCK TABLES',
];
const ALL_GLOBAL_PRIVILEGES = [
  ...ALL_SCHEMA_PRIVILEGES,
  'RELOAD',
  'PROCESS',
  'REPLICATION CLIENT',
  'REPLICATION SLAVE',
  'BINLOG MONITOR',
  'SLAVE MONITOR',
  'SUPER',
];

function addGrant(granted: Granted, grant: string, schema: string): void {
  const match = /^GRANT (.+?) ON (?:TABLE )?(\*|`(?:[^`]|``)*`|[^. ]+)\.(\*|`(?:[^`]|``)*`|\S+) TO /i.exec(grant);
  if (!match || match[3] !== '*') return;
  const [, list = '', on = ''] = match;
  const scopes = scopesOf(on, schema);
  const all = scopes.includes('GLOBAL') ? ALL_GLOBAL_PRIVILEGES : ALL_SCHEMA_PRIVILEGES;
  const names = /^ALL PRIVILEGES/i.test(list) ? all : list.split(',').map((name) => name.trim().toUpperCase());
  for (const scope of scopes) for (const name of names) granted.on[scope].add(name);
}

/** The scopes that a grant on this database, or pattern, reaches. */
function scopesOf(on: string, schema: string): Scope[] {
  if (on === '*') return ['GLOBAL', 'SCHEMA', 'SCRATCH'];
  const pattern = on.replace(/^`|`$/g, '').replaceAll('``', '`');
  const reached: Scope[] = schemaMatches(pattern, schema) ? ['SCHEMA'] : [];
  return schemaMatches(pattern, SCRATCH_EXAMPLE) ? [...reached, 'SCRATCH'] : reached;
}

/** Schema names in grants are patterns: _ and % stand for any character and any text unless escaped. */
function schemaMatches(pattern: string, schema: string): boolean {
  const parts = pattern.match(/\\[_%]|[\s\S]/g) ?? [];
  const source = parts
    .map((part) => {
      if (part === '%') return '.*';
      return part === '_' ? '.' : part.slice(-1).replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    })
    .join('');
  return new RegExp(`^${source}$`, 'is').test(schema);
}

/** With a binary log, TRIGGER is not enough to create one. */
async function triggerFindings(session: Session, { on }: Granted): Promise<SourceFinding[]> {
  const [row] = await session.rows(
    'SELECT @@GLOBAL.log_bin AS log_bin, @@GLOBAL.log_bin_trust_function_creators AS trusting',
  );
  if (Number(row?.log_bin) !== 1 || Number(row?.trusting) === 1 || on.GLOBAL.has('SUPER')) return [];
  const message = 'Tables that have triggers can only be restored where the binary log trusts those who create them.';
  return [warning('grants: restore triggers', message, 'SET GLOBAL log_bin_trust_function_creators = 1;')];
}

async function logFindings(session: Session): Promise<SourceFinding[]> {
  const [row] = await session.rows(
    'SELECT @@GLOBAL.log_bin AS log_bin, @@GLOBAL.binlog_format AS format, @@GLOBAL.binlog_row_image AS image',
  );
  if (Number(row?.log_bin) !== 1) {
    return [
      warning(
        'binary log',
        'There is no binary log: incremental backups compare every row, which costs more.',
        'log_bin = ON  # in the server configuration',
      ),
    ];
  }
  const findings = [info('binary log', 'The binary log is on.')];
  if (row?.format !== 'ROW') {
    findings.push(
      warning(
        'binary log format',
        `It is ${row?.format}: changes can't be read from it, so incremental backups compare every row, which costs more.`,
        "SET GLOBAL binlog_format = 'ROW';",
      ),
    );
  }
  if (row?.image !== 'FULL') {
    findings.push(
      warning(
        'binary log row image',
        `It is ${row?.image}: changes can't be read from it, so incremental backups compare every row, which costs more.`,
        "SET GLOBAL binlog_row_image = 'FULL';",
      ),
    );
  }
  return findings;
}

function warning(check: string, message: string, statement?: string): SourceFinding {
  return { check, ok: false, severity: 'WARNING', message, ...(statement === undefined ? {} : { statement }) };
}

async function serverFindings({ session, clock }: DiagnoseOptions): Promise<SourceFinding[]> {
  const before = clock.now().getTime();
  const [row] = await session.rows(
    'SELECT UNIX_TIMESTAMP(NOW(6)) * 1000 AS now_ms, @@GLOBAL.local_infile AS infile_allowed, @@GLOBAL.read_only AS is_read_only, @@GLOBAL.max_allowed_packet AS packet_bytes',
  );
  const findings: SourceFinding[] = [];
  const offMs = Math.round(Number(row?.now_ms) - (before + clock.now().getTime()) / 2);
  findings.push(
    Math.abs(offMs) <= CLOCK_TOLERANCE_MS
      ? info('clock', `The source's clock and this one differ by ${Math.abs(offMs)} ms.`)
      : warning(
          'clock',
          `The source's clock is ${Math.abs(offMs)} ms ${offMs > 0 ? 'ahead' : 'behind'}. Set both by NTP.`,
        ),
  );
  findings.push(
    Number(row?.infile_allowed) === 1
      ? info('local_infile', 'Rows can be loaded by LOAD DATA LOCAL.')
      : warning(
          'local_infile',
          'It is off: restoring tables uses INSERT, which is slower.',
          'SET GLOBAL local_infile = 1;',
        ),
  );
  if (Number(row?.is_read_only) !== 0)
    findings.push(warning('read_only', 'The server takes no writes: nothing can be restored into it.'));
  findings.push(
    info('max_allowed_packet', `The longest row that can be read or written is about ${row?.packet_bytes} bytes.`),
  );
  return findings;
}

/** A check that this user may not make is itself a finding. */
export async function diagnoseSafely(options: DiagnoseOptions): Promise<SourceFinding[]> {
  try {
    return await diagnose(options);
  } catch (error) {
    if (!isAccessDenied(error)) throw error;
    const message = `A check was refused: ${error instanceof Error ? error.message : String(error)}`;
    return [{ check: 'grants', ok: false, severity: 'ERROR', message }];
  }
}
