/** A catalog whose database is dropped under a running service: an outage like any other, and not ready. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCatalog } from '../../src/catalog/open-catalog';
import { testAmbient } from '../support/sqlite';
import { backupSpec, onCatalogServer, openCatalogStand, type CatalogStand } from '../support/catalog-stand';

test('a catalog file that is none any more is told with what brings it back', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'riskvault-catalog-'));
  try {
    writeFileSync(join(folder, 'catalog.sqlite'), randomBytes(8192));
    const opening = openCatalog({ url: `sqlite:${folder}/catalog.sqlite`, ...testAmbient });
    await expect(opening).rejects.toMatchObject({
      code: 'CATALOG_UNAVAILABLE',
      hint: expect.stringMatching(/move the file .* rebuilt/) as string,
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe('a catalog on mariadb', () => {
  let stand: CatalogStand;
  const database = (): string => new URL(stand.place.url).pathname.slice(1);

  beforeEach(async () => {
    stand = await openCatalogStand('mariadb');
  });
  afterEach(async () => {
    await onCatalogServer(`CREATE DATABASE IF NOT EXISTS ${database()}`);
    await stand.close();
  });

  it.each([
    ['database', () => `DROP DATABASE ${database()}`],
    ['table', () => `DROP TABLE ${database()}.counters`],
  ])('whose %s was dropped is unavailable to whoever asks', async (_what, statement) => {
    const { catalog } = stand;
    await catalog.ping();
    await onCatalogServer(statement());
    const unavailable = { code: 'CATALOG_UNAVAILABLE', hint: expect.any(String) as string };
    await expect(catalog.ping()).rejects.toMatchObject(unavailable);
    const enqueued = catalog.queue.enqueue({ spec: backupSpec(), createdBy: 'local' });
    await expect(enqueued).rejects.toMatchObject(unavailable);
  });
});
