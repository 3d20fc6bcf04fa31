/**
 * A key of the service's own, in a file beside its other data: random, made where there is none, readable for the service's user alone. Two
 * services that start at once on one folder get the same one.
 */
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Random } from '../domain/ambient';
import { AppError } from '../domain/errors';

const KEY_BYTES = 32;

/** Throws CONFIG_INVALID for a file that holds no key. */
export async function openKeyFile(path: string, random: Random): Promise<Buffer> {
  return (await readKey(path)) ?? (await makeKey(path, random));
}

async function readKey(path: string): Promise<Buffer | null> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  const key = Buffer.from(text.trim(), 'hex');
  if (key.length === KEY_BYTES) return key;
  throw new AppError('CONFIG_INVALID', `The file ${path} holds no key.`, {
    hint: 'Remove it: a new one is made, and links to downloads that were given before open nothing any more.',
  });
}

/** Whole before it has its name, which it gets only where no other has it. */
async function makeKey(path: string, random: Random): Promise<Buffer> {
  await mkdir(dirname(path), { recursive: true });
  const unfinished = `${path}.${random.uuid()}`;
  const file = await open(unfinished, 'wx', 0o600);
  try {
    await file.writeFile(`${random.bytes(KEY_BYTES).toString('hex')}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await link(unfinished, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await rm(unfinished);
  return (await readKey(path)) as Buffer;
}
