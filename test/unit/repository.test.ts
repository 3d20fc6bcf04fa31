/** The repository through its public interface: what backups, restores, checks and cleanups rely on. */
import {
  openWorld,
  newWorld,
  takeBackup,
  readBackup,
  payloadOf,
  labelsOf,
  backupIdOf,
  HOUR_MS,
} from '../support/repository-fixtures';

describe.each([
  ['plain', undefined],
  ['encrypted', 'correct horse'],
])('a repository, %s', (_, passphrase) => {
  test('gives back what was stored, also to another process', async () => {
    const world = newWorld();
    const labels = labelsOf('row', 300);
    const stored = await takeBackup(await openWorld(world, { passphrase }), 1, labels);
    const other = await openWorld(world, { passphrase });
    expect(await readBackup(other, 1)).toEqual(labels.map((label) => payloadOf(label)));
    expect(await other.findManifest(backupIdOf(1))).toEqual(stored);
    const { findings, checkedChunks } = await other.check({ level: 'DATA' });
    expect(findings).toEqual([]);
    expect(checkedChunks).toBeGreaterThan(300);
  });
});
