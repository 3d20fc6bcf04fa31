/** The offline command as an operator runs it, with a repository and nothing else. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BackupId, HoldId } from '../../src/domain/ids';
import {
  bareEnvironment,
  contentOf,
  execSqlite,
  OFFLINE,
  OfflineStand,
  STAND_PASSPHRASE,
  type Ended,
} from '../support/offline-stand';

let stand: OfflineStand;
let full: BackupId;
let later: BackupId;
let whole: Record<string, string[]>;

beforeAll(async () => {
  stand = await OfflineStand.open();
  full = await stand.backup({ labels: { reason: 'before the move' } });
  whole = contentOf(stand.sourceFile);
  execSqlite(
    stand.sourceFile,
    "UPDATE business SET name = 'changed' WHERE id = 'b1'",
    'DELETE FROM factor WHERE id = 0',
  );
  later = await stand.backup({ type: 'INCREMENTAL' });
});
afterAll(() => stand.close());

/** A database that holds the first backup. */
function restored(name: string): string {
  const file = stand.path(name);
  expect(stand.run(['restore', full, '--to', `sqlite:${name}`])).toMatchObject({ status: 0 });
  return file;
}

describe('looking', () => {
  it('lists the backups, newest first, for people and for programs', () => {
    const { stdout, status } = stand.run(['list']);
    expect(status).toBe(0);
    expect(stdout.split('\n')[1]).toMatch(new RegExp(`^${later} +INCREMENTAL .* ${full}$`));
    expect(stdout.split('\n')[2]).toMatch(new RegExp(`^${full} +FULL .* never +- +-$`));
    const [newest, oldest] = JSON.parse(stand.run(['list', '--json']).stdout) as Record<string, unknown>[];
    expect(newest).toMatchObject({ id: later, parentId: full, held: false });
    expect(oldest).toMatchObject({ id: full, rowCount: 553, labels: { reason: 'before the move' }, expiresAt: null });
  });

  it('shows the tables of one, named as the repository or as the API names it', () => {
    const { stdout } = stand.run(['show', later]);
    expect(stdout).toMatch(/^FACTORS +factor +399 .* base.* SCAN$/m);
    expect(stdout).toContain(`parent      ${full}`);
    expect(stand.run(['show', Buffer.from(`Backup:${later}`).toString('base64url')]).stdout).toBe(stdout);
  });

  it('tells a backup that legal holds keep, since when, by whom and why, of one that can not be read as well', async () => {
    const hold = { backupId: full, holdId: full as string as HoldId, reason: 'case 4711', createdBy: 'user:ada', createdAt: '2026-03-01T08:00:00.000Z' }; // prettier-ignore
    await stand.repository.placeHold(hold);
    const unreadable = join(stand.repositoryFolder, 'holds', `${full}-${later}.json`);
    writeFileSync(unreadable, '{}');
    const why = 'since 2026-03-01T08:00:00Z by user:ada: case 4711';
    const { stdout } = stand.run(['list']);
    expect(stdout).toMatch(new RegExp(`^${full}.* held +-$`, 'm'));
    expect(stdout).toContain(`\n${full} is held ${why}\n${full} is held since`);
    expect(stand.run(['show', full]).stdout).toMatch(
      new RegExp(`^hold +${why}\nhold +since .* can(no|')t be read`, 'm'),
    );
    const [, entry] = JSON.parse(stand.run(['list', '--json']).stdout) as { holds: unknown[] }[];
    expect(entry?.holds[0]).toEqual(hold);
    rmSync(unreadable);
    await stand.repository.releaseHold(hold);
  });

  it('names a wrong place, and makes no repository there', () => {
    const empty = stand.path('empty');
    mkdirSync(empty);
    for (const place of [stand.path('nowhere'), empty, `file:${empty}`]) {
      const { status, stderr } = stand.run(['list', '--repository', place]);
      expect(status).toBe(1);
      expect(stderr).toMatch(/There is no repository at file:.*\n.*see that its disk is mounted/);
      expect(stderr).not.toMatch(/\n +at /);
    }
    expect([existsSync(stand.path('nowhere')), readdirSync(empty)]).toEqual([false, []]);
  });
});

describe('restoring', () => {
  it('makes a missing SQLite file that equals the source of that moment', () => {
    const file = restored('new.sqlite');
    expect(contentOf(file)).toEqual(whole);
  });

  it('refuses rows that are there; --dry-run counts them, and --in-place makes them as they were', () => {
    const file = restored('filled.sqlite');
    execSqlite(file, "UPDATE config SET name = 'drifted' WHERE id < 4", "INSERT INTO config VALUES (99, 'stray', 99)");
    const drifted = contentOf(file);
    const target = ['--to', 'sqlite:filled.sqlite'];
    const refused = stand.run(['restore', full, ...target]);
    expect([refused.status, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/holds rows in .*config[^]*--in-place/),
    ]);
    const dry = stand.run(['restore', full, ...target, '--dry-run']);
    expect([dry.status, dry.stdout]).toEqual([
      0,
      expect.stringMatching(/^Nothing was written[^]*^config +0 +4 +1 +26$/m),
    ]);
    expect(contentOf(file)).toEqual(drifted);
    expect(stand.run(['restore', full, ...target, '--in-place'])).toMatchObject({ status: 0 });
    expect(contentOf(file)).toEqual(whole);
  });

  it('fits rows to tables that changed since, and says what it left out', () => {
    const file = restored('changed.sqlite');
    execSqlite(file, 'ALTER TABLE config ADD COLUMN extra BIGINT NULL', 'ALTER TABLE factor DROP COLUMN note');
    execSqlite(file, 'UPDATE config SET extra = 5', "UPDATE config SET name = 'drifted' WHERE id < 4");
    const { status, stdout } = stand.run(['restore', full, '--to', 'sqlite:changed.sqlite', '--in-place']);
    expect([status, stdout]).toEqual([
      0,
      expect.stringMatching(/warning: factor: Not in the table any more.*: note\./),
    ]);
    expect(contentOf(file).config).toEqual(whole.config?.map((row) => `${row},5`));
  });

  it('takes the rows of one business, or some data types, as the manifest maps them', () => {
    const target = { RISKVAULT_TARGET_URL: `sqlite:${stand.path('part.sqlite')}` };
    expect(stand.run(['restore', full, '--business', 'b7'], target)).toMatchObject({ status: 0 });
    const { business, assessment, factor, config, tenant } = contentOf(stand.path('part.sqlite'));
    expect([business?.length, assessment?.length, factor?.length, tenant?.length]).toEqual([1, 2, 10, 1]);
    expect(config).toEqual([]);
    expect(stand.run(['restore', full, '--types', 'config'], target)).toMatchObject({ status: 0 });
    expect(contentOf(stand.path('part.sqlite')).config).toEqual(whole.config);
  });

  it('puts a scratch schema beside the rows', () => {
    const file = restored('beside.sqlite');
    execSqlite(file, 'DELETE FROM config');
    expect(stand.run(['restore', full, '--to', 'sqlite:beside.sqlite', '--scratch', 'scratch_look']).status).toBe(0);
    expect(contentOf(`${file}.scratch_look.scratch.sqlite`)).toEqual(whole);
    expect(contentOf(file).config).toEqual([]);
  });

  it('leaves no file behind where it can not restore', () => {
    const nobody = stand.run(['restore', full, '--business', 'nobody', '--to', 'sqlite:left.sqlite']);
    expect([nobody.status, nobody.stderr]).toEqual([1, expect.stringContaining('no row of the business nobody')]);
    const other = stand.run(['restore', full, '--to', 'mysql://root:secret@127.0.0.1:1/kyb']);
    expect([other.status, other.stderr]).toEqual([1, expect.stringContaining('is of a sqlite database')]);
    expect(readdirSync(stand.folder).filter((name) => name.startsWith('left'))).toEqual([]);
  });
});

describe('passphrases', () => {
  const second = 'another one, kept elsewhere';

  it('are proven, added and removed, and never shown', () => {
    expect(stand.run(['check-passphrase'])).toMatchObject({ status: 0, stdout: expect.stringContaining('2 backups') });
    const added = stand.run(['keys', 'add', '--label', 'the safe'], { RISKVAULT_NEW_PASSPHRASE: second });
    expect(added).toMatchObject({ status: 0 });
    const other = { RISKVAULT_PASSPHRASE: second };
    expect(stand.run(['check-passphrase'], other)).toMatchObject({ status: 0, stderr: '' });
    const listed = stand.run(['keys', 'list']).stdout;
    const keyId = /^(\S+) .* the safe$/m.exec(listed)?.[1] ?? '';
    expect(stand.run(['keys', 'remove', keyId], other)).toMatchObject({ status: 1, stdout: '' });
    expect(stand.run(['keys', 'remove', keyId])).toMatchObject({ status: 0 });
    expect(stand.run(['check-passphrase'], other)).toMatchObject({ status: 1 });
    expect([added.stdout, added.stderr, listed].join()).not.toContain(second);
  });

  it('that are wrong or missing end with a message and a hint', () => {
    const wrong = stand.run(['list'], { RISKVAULT_PASSPHRASE: 'not this one' });
    expect([wrong.status, wrong.stderr]).toEqual([1, expect.stringMatching(/opens none[^]*RISKVAULT_PASSPHRASE/)]);
    const none = stand.run(['list'], { RISKVAULT_PASSPHRASE: '' });
    expect([none.status, none.stderr]).toEqual([1, expect.stringMatching(/no passphrase is set/)]);
    expect(stand.run(['keys', 'add'])).toMatchObject({ status: 2, stderr: expect.stringContaining('_NEW_PASSPHRASE') });
  });
});

describe('a damaged repository', () => {
  let copy: string;
  let pack: string;
  beforeAll(async () => {
    execSqlite(stand.sourceFile, `UPDATE factor SET note = hex(randomblob(200))`);
    const known = new Set(packsOf(stand.repositoryFolder));
    const hurt = await stand.backup();
    copy = stand.path('damaged');
    cpSync(stand.repositoryFolder, copy, { recursive: true });
    await stand.repository.deleteManifest(hurt);
    pack = packsOf(copy).find((name) => !known.has(name)) ?? '';
    const bytes = readFileSync(join(copy, pack));
    bytes[1000]! ^= 1;
    writeFileSync(join(copy, pack), bytes);
  });

  it('is verified with every damaged object, the backups it hurts and those that are sound', () => {
    const { status, stdout } = stand.run(['verify', '--all', '--repository', copy]);
    expect(status).toBe(1);
    expect(stdout).toMatch(new RegExp(`^DAMAGED ${pack}: .*\n    hurts backup \\S+\n`));
    expect(stdout).toContain(`SOUND backup ${full}`);
    expect(stdout).toContain(`SOUND backup ${later}`);
    expect(stdout).toContain('1 backup hurt, 2 sound.');
    expect(stand.run(['verify', full, '--repository', copy])).toMatchObject({ status: 0 });
    expect(stand.run(['verify'])).toMatchObject({ status: 0, stdout: expect.stringContaining('all sound') });
  });

  it('names a manifest that can not be read, and lists the others', () => {
    const name = readdirSync(copy, { recursive: true, encoding: 'utf8' }).find((path) => path.includes(later)) ?? '';
    writeFileSync(join(copy, name), 'nothing');
    const { status, stdout, stderr } = stand.run(['list', '--repository', copy]);
    expect([status, stdout, stderr]).toEqual([1, expect.stringContaining(full), expect.stringContaining(name)]);
  });
});

it('needs no setting but the repository’s: others may be wrong or missing', () => {
  const file = stand.path('settings.yaml');
  writeFileSync(file, 'server: { port: abc }\nsources: [{ url: "${NOWHERE}" }]\n');
  const wrong = { RISKVAULT_CONFIG: file, RISKVAULT_PORT: 'abc', RISKVAULT_SOURCE_URL: 'nonsense', RISKVAULT_CATALOG_URL_FILE: '/nowhere' }; // prettier-ignore
  expect(stand.run(['check-passphrase'], wrong)).toMatchObject({ status: 0 });
  const own = stand.run(['list'], { ...wrong, RISKVAULT_REPOSITORY_URL: 'gopher://nowhere' });
  expect([own.status, own.stderr]).toEqual([2, expect.stringMatching(/repository\.url/)]);
  expect(own.stderr).not.toMatch(/PORT|SOURCE/);
});

describe('output that nobody reads to its end', () => {
  /** As `| head -1` does. */
  const intoClosedPipe = (args: string[]): Ended => {
    const script = '"$0" "$@" | exec true; echo "ended with ${PIPESTATUS[0]}"';
    const env = { ...bareEnvironment(), RISKVAULT_REPOSITORY_URL: `file:${stand.repositoryFolder}`, RISKVAULT_PASSPHRASE: STAND_PASSPHRASE }; // prettier-ignore
    return spawnSync('bash', ['-c', script, process.execPath, ...args], { env, cwd: stand.folder, encoding: 'utf8' });
  };

  it.each([
    ['a list', () => [OFFLINE, 'list']],
    ['a restore', () => [OFFLINE, 'restore', full, '--to', 'sqlite:unread.sqlite']],
    ['the doctor', () => [join(OFFLINE, '../doctor.js')]],
  ])('%s ends as it would', (_, args) => {
    const { stdout, stderr } = intoClosedPipe(args());
    expect([stdout, stderr]).toEqual(['ended with 0\n', expect.not.stringMatching(/EPIPE|\n +at /)]);
  });

  it('a restore is whole then too', () => {
    expect(contentOf(stand.path('unread.sqlite'))).toEqual(whole);
  });
});

const readOnly = mountReadOnly();
(readOnly ? it : it.skip)('a read-only medium is listed, verified and restored from (needs the right to mount)', () => {
  try {
    cpSync(stand.repositoryFolder, readOnly!.path, { recursive: true });
    rmSync(join(readOnly!.path, 'config.copy.json'));
    readOnly!.freeze();
    const there = ['--repository', readOnly!.path];
    expect(stand.run(['list', ...there])).toMatchObject({ status: 0, stdout: expect.stringContaining(full) });
    expect(stand.run(['verify', full, ...there])).toMatchObject({ status: 0 });
    expect(stand.run(['restore', full, '--to', 'sqlite:from-ro.sqlite', ...there])).toMatchObject({ status: 0 });
    expect(contentOf(stand.path('from-ro.sqlite'))).toEqual(whole);
  } finally {
    readOnly!.unmount();
  }
});

describe('a line that is not understood', () => {
  it.each([
    [[], /begins with a verb/],
    [['lits'], /"lits" is no verb/],
    [['show'], /does not take 0 operands/],
    [['show', '../../etc'], /is no backup id/],
    [['list', '--all'], /^"list" takes no option --all\.\nIt takes: --json, --repository <value>\.$/m],
    [['list', '-x'], /takes no option -x/],
    [['list', '--json=yes'], /--json takes no value/],
    [['restore', '<id>', '--to', '--in-place'], /--to needs a value/],
    [['keys', 'add', '--label'], /--label needs a value/],
    [['verify', '--level', 'RESTORE'], /STRUCTURE or DATA/],
    [['restore', STAND_PASSPHRASE], /is no backup id/],
    [['restore', '<id>', '--types', 'CONFIG', '--business', 'b1'], /--types and --business/],
    [['restore', '<id>', '--scratch', 'x', '--in-place'], /--scratch goes with neither/],
    [['restore', '<id>'], /Where to restore is not said/],
    [['restore', '<id>', '--to', 'postgres://secret@host/db'], /give mysql:/],
  ])('%j ends with exit code 2 and says why', (args, reason) => {
    const { status, stderr } = stand.run(args.map((arg) => arg.replace('<id>', full)));
    expect([status, stderr]).toEqual([2, expect.stringMatching(reason)]);
    expect(stderr).not.toMatch(/secret|\n +at /);
  });

  it('help is no error', () => {
    expect(stand.run(['--help'])).toMatchObject({ status: 0, stdout: expect.stringContaining('check-passphrase') });
  });
});

function packsOf(repository: string): string[] {
  return readdirSync(repository, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.pack'));
}

/** A small file system that is made read-only; null where this user may not mount one. */
function mountReadOnly(): { path: string; freeze(): void; unmount(): void } | null {
  const path = mkdtempSync(join(tmpdir(), 'riskvault-read-only-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', path], { stdio: 'ignore' });
  } catch {
    // Mounting is for root, and often not even for root in a container.
    rmSync(path, { recursive: true });
    return null;
  }
  return {
    path,
    freeze: () => void execFileSync('mount', ['-o', 'remount,ro', path]),
    unmount() {
      execFileSync('umount', [path]);
      rmSync(path, { recursive: true });
    },
  };
}
