// The walk of the README's first screen, as a newcomer takes it: the whole service with its demo source and worker threads, GraphiQL
// in a real browser, tab after tab. What the demo's damage took away is there again in the end, byte by byte.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Libsql from 'libsql';
import type { Browser, Page } from 'playwright-core';
import { createApp, type App } from '../../../src/app';
import { systemClock, systemRandom } from '../../../src/ops/ambient';
import { loadConfig } from '../../../src/ops/config/load-config';
import { damageDemoDatabase } from '../../../src/sources/sqlite/demo-damage';
import { silentLog } from '../../support/silent-log';
import { findChromium, launchChromium } from '../../support/chromium';
import { startRefusingProxy, type RefusingProxy } from '../../support/refusing-proxy';

/** A browser on a machine that others use too is slow to paint. */
const PATIENCE_MS = 60_000;
const chromium = findChromium();

(chromium ? describe : describe.skip)('the walk through the tabs, on the whole service', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rv-walk-'));
  const demo = join(folder, 'demo.sqlite');
  let app: App;
  let proxy: RefusingProxy;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    const environment = { RISKVAULT_DATA_FOLDER: folder, RISKVAULT_PORT: '0' };
    const { settings } = loadConfig({ environment });
    const distFolder = join(__dirname, '../../../dist');
    app = await createApp({ settings, clock: systemClock, random: systemRandom, log: silentLog, distFolder });
    proxy = await startRefusingProxy();
    browser = await launchChromium(chromium!, proxy.address);
    page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    await page.goto(`${app.address}/graphiql`);
    await page.waitForSelector('.graphiql-query-editor .view-line');
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await Promise.all([app?.close(), proxy?.close()]);
    rmSync(folder, { recursive: true, force: true });
  });

  async function run(tab: string, expected: string): Promise<string> {
    await page.locator('.graphiql-tab-button', { hasText: tab }).click();
    await page.click('.graphiql-execute-button');
    const shown = page.locator('.result-window .view-lines');
    const text = async (): Promise<string> => (await shown.innerText()).replaceAll('\u00a0', ' ');
    const deadline = performance.now() + PATIENCE_MS;
    for (let seen = await text(); !seen.includes(expected); seen = await text()) {
      if (performance.now() > deadline) throw new Error(`${tab} shows ${seen} instead of ${expected}`);
      // GraphiQL notices a new tab's operation a moment after it shows the tab; a robot can be faster.
      if (/Unknown operation named|Unable to identify operation/.test(seen))
        await page.click('.graphiql-execute-button');
      await page.waitForTimeout(200);
    }
    if (process.env.SCREENSHOTS) await page.screenshot({ path: join(process.env.SCREENSHOTS, `${tab}.png`) });
    return text();
  }

  test('backs up, watches, looks, is harmed, restores and looks again', async () => {
    const before = contents(demo);
    await run('CreateBackup', 'PENDING');
    await run('WatchJob', '"state": "COMPLETED"');
    await run('GetBackup', '"status": "COMPLETED"');

    const { deletedBusinesses } = await damageDemoDatabase(demo, systemClock);
    expect(deletedBusinesses).toBeGreaterThan(0);
    expect(contents(demo)).not.toEqual(before);
    const tab = page.locator('.graphiql-tab-button', { hasText: 'RestoreBackup' });
    await tab.click();
    await page.locator('.graphiql-query-editor .view-lines', { hasText: 'npm run demo:damage' }).waitFor();

    await run('RestoreBackup', '"state": "COMPLETED"');
    expect(await run('GetRestore', '"inserts"')).toContain('"mode": "IN_PLACE"');
    expect(contents(demo)).toEqual(before);
  }, 480_000);
});

/** Every table with its number of rows and a hash over all of them. */
function contents(path: string): Record<string, string> {
  const database = new Libsql(path, { readonly: true });
  try {
    const names = database
      .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%riskvault%' ORDER BY name")
      .all() as { name: string }[];
    return Object.fromEntries(
      names.map(({ name }) => [name, digest(database.prepare(`SELECT * FROM "${name}" ORDER BY 1, 2`).all())]),
    );
  } finally {
    database.close();
  }
}

function digest(rows: unknown[]): string {
  return `${rows.length} ${createHash('sha256').update(JSON.stringify(rows)).digest('hex')}`;
}
