/** The key under which links to downloads are made: kept over restarts, one for all, private. */
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemRandom } from '../../../src/ops/ambient';
import { openKeyFile } from '../../../src/ops/key-file';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'riskvault-key-'))));
afterEach(() => rmSync(folder, { recursive: true }));

test('is made once, whoever asks at the same time, and can be read by its owner alone', async () => {
  const path = join(folder, 'data', 'downloads.key');
  const keys = await Promise.all([1, 2, 3, 4].map(() => openKeyFile(path, systemRandom)));
  keys.push(await openKeyFile(path, systemRandom));
  expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(1);
  expect(keys[0]).toHaveLength(32);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(folder, 'data'))).toEqual(['downloads.key']);
});

test('that is none is told, and not replaced', async () => {
  const path = join(folder, 'downloads.key');
  writeFileSync(path, 'short');
  await expect(openKeyFile(path, systemRandom)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
});
