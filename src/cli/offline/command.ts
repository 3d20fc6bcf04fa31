/** The command line of the offline command: its verbs, their options, and what is said of a line that can't be understood. */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { DATA_TYPES, type DataType } from '../../domain/data-type';
import { AppError } from '../../domain/errors';
import { isUuid, type BackupId, type JobId } from '../../domain/ids';

export interface RestoreCommand {
  verb: 'restore';
  backupId: BackupId;
  to: string | undefined;
  scratch: string | undefined;
  types: DataType[] | undefined;
  business: string | undefined;
  inPlace: boolean;
  dryRun: boolean;
  allowUnchecked: boolean;
  takeUp: JobId | undefined;
}

export type Command =
  | { verb: 'list'; json: boolean }
  | { verb: 'show'; backupId: BackupId; json: boolean }
  | { verb: 'verify'; backupId: BackupId | undefined; level: 'STRUCTURE' | 'DATA' }
  | RestoreCommand
  | { verb: 'keys list' }
  | { verb: 'keys add'; label: string }
  | { verb: 'keys remove'; keyId: string }
  | { verb: 'check-passphrase' };

export type ParsedCommand = { command: Command; repository: string | undefined } | 'HELP';

export const USAGE = `Works with a repository alone: needs no service and no catalog.

npm run offline -- <verb> [options]

  list [--json]                            the backups, newest first
  show <backup id> [--json]                one backup: its tables, layers and position
  verify [<backup id> | --all] [--level STRUCTURE|DATA]
                                           reads and proves what is stored (all backups, level DATA)
  restore <backup id> [--to <url>]         into mysql://, mariadb:// or sqlite:; only into missing or empty tables, or with
      [--in-place]                         ... over the rows that are there
      [--scratch <name>]                   ... into a new schema beside them
      [--dry-run]                          only says what would change
      [--types A,B | --business <id>]      only these data types, or the rows of one business
      [--allow-unchecked]                  restores what is left of a damaged backup
      [--take-up <restore id>]             settles a restore that was killed, and goes on with it
  keys list                                the passphrases' keys
  keys add [--label <text>]                makes the repository open with a further passphrase
  keys remove <key id>                     makes it open no more with that key's passphrase
  check-passphrase                         proves that the passphrase opens the repository

  --repository <folder or url>             default: the service's setting (RISKVAULT_REPOSITORY_URL, RISKVAULT_CONFIG)

The passphrase is the service's setting (RISKVAULT_PASSPHRASE or RISKVAULT_PASSPHRASE_FILE), a new one comes from
RISKVAULT_NEW_PASSPHRASE or RISKVAULT_NEW_PASSPHRASE_FILE; on a terminal they are asked for. Without --to the target is
RISKVAULT_TARGET_URL. Exit codes: 0 done, 1 damage found or failed, 2 not understood, 130 stopped.`;

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;

/** What each verb takes beside --repository; `operands` by number. */
const VERBS = {
  list: { operands: 0, options: { json: flag } },
  show: { operands: 1, options: { json: flag } },
  verify: { operands: [0, 1], options: { all: flag, level: text } },
  restore: {
    operands: 1,
    options: {
      to: text, scratch: text, types: text, business: text, 'in-place': flag, 'dry-run': flag, 'allow-unchecked': flag,
      'take-up': text,
    },
  }, // prettier-ignore
  'keys list': { operands: 0, options: {} },
  'keys add': { operands: 0, options: { label: text } },
  'keys remove': { operands: 1, options: {} },
  'check-passphrase': { operands: 0, options: {} },
} as const satisfies Record<
  Command['verb'],
  { operands: number | readonly number[]; options: ParseArgsConfig['options'] }
>;

interface Given {
  operands: string[];
  values: Record<string, string | boolean | undefined>;
}

/** Throws INVALID_INPUT. */
export function parseCommand(argv: readonly string[]): ParsedCommand {
  if (argv.includes('--help') || argv.includes('-h') || argv[0] === 'help') return 'HELP';
  const [verb, rest] = splitVerb(argv);
  const given = readOptions(verb, rest);
  const repository = given.values.repository as string | undefined;
  return { command: build(verb, given), repository: repository === undefined ? undefined : asUrl(repository) };
}

function splitVerb(argv: readonly string[]): [Command['verb'], string[]] {
  const words = argv[0] === 'keys' ? 2 : 1;
  const verb = argv.slice(0, words).join(' ');
  if (verb in VERBS) return [verb as Command['verb'], argv.slice(words)];
  const what = verb === '' || verb.startsWith('-') ? 'The command begins with a verb.' : `"${verb}" is no verb.`;
  throw notUnderstood(what, `Use one of: ${Object.keys(VERBS).join(', ')}.`);
}

function readOptions(verb: Command['verb'], args: string[]): Given {
  const { operands: wanted, options } = VERBS[verb];
  const { positionals, values } = parsed(verb, args, { ...options, repository: text });
  const allowed: readonly number[] = [wanted].flat();
  if (!allowed.includes(positionals.length)) {
    throw notUnderstood(`"${verb}" does not take ${positionals.length} operands.`, 'Look at npm run offline -- help.');
  }
  return { operands: positionals, values: values };
}

function parsed(verb: Command['verb'], args: string[], options: NonNullable<ParseArgsConfig['options']>) {
  const { positionals, values, tokens } = parseArgs({ args, options, allowPositionals: true, strict: false, tokens: true }); // prettier-ignore
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const { rawName, inlineValue, value } = token;
    const option = rawName.startsWith('--') ? options[token.name] : undefined;
    if (option === undefined) throw notUnderstood(`"${verb}" takes no option ${rawName}.`, optionsHint(options));
    const lacksValue = value === undefined || (value.startsWith('-') && !inlineValue);
    if (option.type === 'string' && lacksValue) {
      throw notUnderstood(`The option ${rawName} needs a value.`, `A value that begins with a dash is given as ${rawName}=<value>.`); // prettier-ignore
    }
    if (option.type === 'boolean' && value !== undefined) {
      throw notUnderstood(`The option ${rawName} takes no value.`, optionsHint(options));
    }
  }
  return { positionals, values };
}

function optionsHint(options: NonNullable<ParseArgsConfig['options']>): string {
  const names = Object.entries(options).map(([name, { type }]) => `--${name}${type === 'string' ? ' <value>' : ''}`);
  return `It takes: ${names.join(', ')}.`;
}

function build(verb: Command['verb'], { operands: [operand], values }: Given): Command {
  const json = values.json === true;
  switch (verb) {
    case 'list':
      return { verb, json };
    case 'show':
      return { verb, backupId: backupIdOf(operand), json };
    case 'verify':
      return verifyCommand(operand, values);
    case 'restore':
      return restoreCommand(backupIdOf(operand), values);
    case 'keys add':
      return { verb, label: (values.label as string | undefined) ?? 'added offline' };
    case 'keys remove':
      return { verb, keyId: operand ?? '' };
    case 'keys list':
    case 'check-passphrase':
      return { verb };
  }
}

function verifyCommand(operand: string | undefined, values: Given['values']): Command {
  const level = values.level ?? 'DATA';
  if (level !== 'STRUCTURE' && level !== 'DATA')
    throw notUnderstood('There is no such level.', 'Use STRUCTURE or DATA.');
  if (operand !== undefined && values.all === true)
    throw notUnderstood('A backup is named, and --all is given.', 'Give one of them.');
  return { verb: 'verify', backupId: operand === undefined ? undefined : backupIdOf(operand), level };
}

function restoreCommand(backupId: BackupId, values: Given['values']): RestoreCommand {
  const option = (name: string) => values[name] as string | undefined;
  const command: RestoreCommand = {
    verb: 'restore',
    backupId,
    to: option('to'),
    scratch: option('scratch'),
    types: option('types')?.split(',').map(dataTypeOf),
    business: option('business'),
    inPlace: values['in-place'] === true,
    dryRun: values['dry-run'] === true,
    allowUnchecked: values['allow-unchecked'] === true,
    takeUp: option('take-up') as JobId | undefined,
  };
  refuseContradictions(command);
  return command;
}

const SCRATCH_NAME = /^[A-Za-z0-9_]{1,60}$/;

function refuseContradictions({ types, business, scratch, inPlace, dryRun, takeUp }: RestoreCommand): void {
  if (types && business !== undefined) throw notUnderstood('--types and --business are both given.', 'Give one.');
  if (scratch !== undefined && (inPlace || dryRun)) {
    throw notUnderstood('--scratch goes with neither --in-place nor --dry-run.', 'A scratch schema is new and empty.');
  }
  if (scratch !== undefined && !SCRATCH_NAME.test(scratch)) {
    throw notUnderstood("That can't be the name of a scratch schema.", 'Use 1 to 60 letters, digits and underscores.');
  }
  if (takeUp !== undefined && dryRun) throw notUnderstood('--take-up writes, --dry-run does not.', 'Give one.');
  if (takeUp !== undefined && !isUuid(takeUp)) throw notUnderstood('--take-up takes the id of a restore.', ID_HINT);
}

const ID_HINT = 'It is the id that the restore printed when it began.';

function dataTypeOf(name: string): DataType {
  const wanted = name.trim().toUpperCase();
  const type = DATA_TYPES.find((candidate) => candidate === wanted);
  if (type) return type;
  throw notUnderstood(`"${name}" is no data type.`, `Use some of: ${DATA_TYPES.join(', ')}, with commas between.`);
}

/** As the repository writes it, or as the API does: base64url of `Backup:uuid`. */
function backupIdOf(operand = ''): BackupId {
  const [, ofApi] = /^Backup:(.+)$/.exec(Buffer.from(operand, 'base64url').toString('latin1')) ?? [];
  const id = ofApi ?? operand.toLowerCase();
  if (isUuid(id)) return id as BackupId;
  throw notUnderstood(`"${operand}" is no backup id.`, 'Take one that npm run offline -- list shows.');
}

/** A folder may be given as it is. */
function asUrl(repository: string): string {
  return /^[a-z][a-z0-9+.-]*:/i.test(repository) ? repository : `file:${repository}`;
}

function notUnderstood(message: string, hint: string): AppError {
  return new AppError('INVALID_INPUT', message, { hint });
}
