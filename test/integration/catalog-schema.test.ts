/** Migrations and entities describe one schema; old catalogs are copied and upgraded, newer ones refused. */
import { readdirSync } from 'node:fs';
import { dirname, basename } from 'node:path';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createDataSource, locateCatalog } from '../../src/catalog/data-source';
import { inspectCatalog, openCatalog } from '../../src/catalog/open-catalog';
import { upgradeCatalog } from '../../src/catalog/upgrade';
import { CATALOG_ENGINES, makeCatalogPlace, testRandom, type CatalogPlace } from '../support/catalog-stand';
import { silentLog } from '../support/silent-log';
import { FakeClock } from '../support/fake-clock';

class AddNothing1999999999999 implements MigrationInterface {
  readonly name = 'AddNothing1999999999999';
  up(runner: QueryRunner): Promise<void> {
    return runner.query("INSERT INTO meta (name, value) VALUES ('upgraded', 'yes')") as Promise<void>;
  }
  down(): Promise<void> {
    return Promise.resolve();
  }
}

/** What the server is, as it says itself: a URL of either kind may lead to either. */
async function productPattern(url: string): Promise<RegExp> {
  const dataSource = createDataSource(locateCatalog(url).options);
  await dataSource.initialize();
  const [{ comment }] = await dataSource.query<[{ comment: string }]>('SELECT VERSION() AS comment');
  await dataSource.destroy();
  return /mariadb/i.test(comment) ? /^MariaDB \d+\.\d+\.\d+$/ : /^MySQL \d+\.\d+\.\d+$/;
}

describe.each(CATALOG_ENGINES)('catalog schema on %s', (engine) => {
  let place: CatalogPlace;
  const ports = { clock: new FakeClock(), random: testRandom, log: silentLog };
  const open = () => openCatalog({ url: place.url, ...ports });

  beforeEach(async () => {
    place = await makeCatalogPlace(engine);
  });
  afterEach(() => place.remove());

  /** The catalog as a program with one more migration opens it. */
  const openNewer = async (): Promise<void> => {
    const location = locateCatalog(place.url);
    const migrations = [...(location.options.migrations as []), AddNothing1999999999999];
    const dataSource = createDataSource({ ...location.options, migrations });
    await dataSource.initialize();
    await upgradeCatalog({ dataSource, location, ...ports });
    await dataSource.destroy();
  };

  it('has no difference between migrations and entities', async () => {
    await (await open()).close();
    const dataSource = createDataSource(locateCatalog(place.url).options);
    await dataSource.initialize();
    const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
    await dataSource.destroy();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
  });

  it('keeps its identity over restarts', async () => {
    const first = await open();
    const second = await open();
    expect(second.info).toEqual(first.info);
    expect(first.info.engine).toBe(engine);
    await first.close();
    await second.close();
  });

  it('can be opened by several processes at once while it is empty', async () => {
    const catalogs = await Promise.all([open(), open(), open()]);
    expect(new Set(catalogs.map((catalog) => catalog.info.catalogId)).size).toBe(1);
    for (const catalog of catalogs) await catalog.close();
  });

  it('is inspected without being changed', async () => {
    await (await open()).close();
    const { schemaVersion } = await inspectCatalog(place.url);
    const server = engine === 'sqlite' ? /^SQLite$/ : await productPattern(place.url);
    await expect(inspectCatalog(place.url)).resolves.toEqual({
      server: expect.stringMatching(server) as string,
      schemaVersion,
      outdated: false,
    });
    const dataSource = createDataSource(locateCatalog(place.url).options);
    await dataSource.initialize();
    await dataSource.query('DELETE FROM migrations');
    await expect(inspectCatalog(place.url)).resolves.toMatchObject({ outdated: true });
    expect(await dataSource.query('SELECT * FROM migrations')).toEqual([]);
    await dataSource.destroy();
  });

  it('takes along what an older catalog holds, and keys may then stand without a job', async () => {
    const location = locateCatalog(place.url);
    const migrations = (location.options.migrations as []).slice(0, 2);
    const older = createDataSource({ ...location.options, migrations });
    await older.initialize();
    await upgradeCatalog({
      dataSource: older,
      location: { ...location, options: { ...location.options, migrations } },
      ...ports,
    });
    await older.query("INSERT INTO idempotency_keys VALUES ('k', 'anna', 'createBackup', 'h', 'j', 5)");
    await older.destroy();
    await (await open()).close();
    const dataSource = createDataSource(location.options);
    await dataSource.initialize();
    expect(await dataSource.query('SELECT id, principal, mutation, input_hash, job_id FROM idempotency_keys')).toEqual([
      expect.objectContaining({ id: 'k', principal: 'anna', mutation: 'createBackup', input_hash: 'h', job_id: 'j' }),
    ]);
    await dataSource.query("INSERT INTO idempotency_keys VALUES ('l', 'anna', 'deleteBackup', 'h', NULL, 5)");
    await dataSource.destroy();
  });

  it('refuses a catalog that a newer program has upgraded', async () => {
    await (await open()).close();
    await openNewer();
    await expect(open()).rejects.toMatchObject({ code: 'FORMAT_TOO_NEW' });
    await expect(open()).rejects.toThrow(/AddNothing/);
  });

  if (engine === 'sqlite') {
    it('is copied before an upgrade, and the copy still opens', async () => {
      await (await open()).close();
      await openNewer();
      const path = locateCatalog(place.url).path!;
      const copies = readdirSync(dirname(path)).filter((name) => name.startsWith(`${basename(path)}.before-upgrade`));
      expect(copies).toHaveLength(1);
      const copy = await openCatalog({ url: `sqlite:${dirname(path)}/${copies[0]}`, ...ports });
      await copy.close();
    });
  }
});

describe('catalog URL', () => {
  const ports = { clock: new FakeClock(), random: testRandom, log: silentLog };

  it.each(['', 'sqlite:', 'sqlite::memory:', 'postgres://x/y', 'mysql://', 'mysql://host', './file'])(
    'refuses %j',
    async (url) => {
      await expect(openCatalog({ url, ...ports })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    },
  );

  it('says that a server is away, and that trying again may help', async () => {
    const opening = openCatalog({ url: 'mysql://root@127.0.0.1:1/none', ...ports });
    await expect(opening).rejects.toMatchObject({ code: 'CATALOG_UNAVAILABLE', retryable: true });
  });

  it('says what is wrong with a file that is no database', async () => {
    const opening = openCatalog({ url: `sqlite:${__filename}`, ...ports });
    await expect(opening).rejects.toMatchObject({ code: 'CATALOG_UNAVAILABLE' });
  });
});
