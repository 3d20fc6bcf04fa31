// GraphiQL as a person meets it, in a real browser: the page loads under a strict Content-Security-Policy, its tabs hold the
// walk, a query and a subscription run, and nothing leaves the machine.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { createLatestIds } from '../../../src/console/latest-ids';
import { openApiStand, type ApiStand } from '../../support/api-stand';
import { findChromium, launchChromium } from '../../support/chromium';
import { startRefusingProxy, type RefusingProxy } from '../../support/refusing-proxy';

/** Chromium's own calls home, which no flag stops wholly; the page's requests are seen one by one besides. */
const BROWSERS_OWN =
  /^(https?:\/\/)?(accounts\.google|(update|content-autofill|optimizationguide-pa)\.googleapis)\.com[:/]/;
const consoleDir = join(__dirname, '../../../dist/console');
const chromium = findChromium();
if (!chromium) console.warn('No Chromium here: GraphiQL in a browser is NOT tested (install chromium to test it).');

(chromium ? describe : describe.skip)('GraphiQL in a browser', () => {
  let stand: ApiStand;
  let proxy: RefusingProxy;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  const requests: string[] = [];

  beforeAll(async () => {
    if (!existsSync(join(consoleDir, 'index.html')))
      throw new Error('dist/console is missing: run `npm run build:console`.');
    [stand, proxy] = await Promise.all([openApiStand({ consoleDir }), startRefusingProxy()]);
    browser = await launchChromium(chromium!, proxy.address);
    page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
    page.context().on('request', (request) => requests.push(request.url()));
    page.on('websocket', (socket) => requests.push(socket.url()));
    await page.goto(`${stand.server.address}/graphiql`);
    await page.waitForSelector('.graphiql-query-editor .view-line');
  });

  afterAll(async () => {
    await browser?.close();
    await Promise.all([stand?.close(), proxy?.close()]);
  });

  const openTab = (title: string) => page.locator('.graphiql-tab-button', { hasText: title }).click();
  const response = () => page.locator('.result-window .view-lines');

  async function answer(expected: string): Promise<string> {
    await response().filter({ hasText: expected }).waitFor({ timeout: 20_000 });
    return (await response().innerText()).replaceAll('\u00a0', ' ');
  }

  test('opens with the walk in its tabs', async () => {
    const titles = await page.locator('.graphiql-tab-button').allInnerTexts();
    expect(titles).toEqual(['CreateBackup', 'WatchJob', 'GetBackup', 'RestoreBackup', 'GetRestore', 'Overview']);
  });

  test('creates a backup, watches its job live, and looks at it, tab after tab without typing', async () => {
    await page.click('.graphiql-execute-button');
    expect(await answer('PENDING')).toContain('"type": "FULL"');
    await openTab('WatchJob');
    await page.waitForTimeout(1_500); // GraphiQL notices a tab's operation a moment after it shows it
    await page.click('.graphiql-execute-button');
    expect(await answer('STATE_CHANGED')).toContain('PENDING');
    await stand.completeNext(2);
    expect(await answer('COMPLETED')).toContain('"jobEvents"');
    if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });
    await openTab('GetBackup');
    await page.waitForTimeout(1_500); // GraphiQL notices a tab's operation a moment after it shows it
    await page.click('.graphiql-execute-button');
    expect(await answer('risk_trends')).toContain('"status": "COMPLETED"');
  });

  test('asked nobody but the service, and nothing broke its policy', () => {
    const origins = new Set(
      requests.filter((url) => !url.startsWith('data:') && !url.startsWith('blob:')).map((url) => new URL(url).host),
    );
    expect([...origins]).toEqual([new URL(stand.server.address).host]);
    expect(requests.some((url) => url.startsWith('ws://'))).toBe(true);
    expect(proxy.asked.filter((target) => !BROWSERS_OWN.test(target))).toEqual([]);
    expect(complaints).toEqual([]);
  });
});

describe('the newest ids of the page', () => {
  test('stand in for their placeholders, deep in the variables', () => {
    const latest = createLatestIds();
    expect(latest.fillIn({ input: { backupId: 'LATEST_BACKUP' } }).missing).toEqual(['backup']);
    latest.remember({
      data: { createBackup: { job: { id: 'j' }, backup: { id: 'b' }, restore: null, errors: [] }, other: null },
    });
    expect(latest.fillIn({ input: { backupId: 'LATEST_BACKUP', n: 1 }, list: ['LATEST_JOB', 'x'] })).toEqual({
      variables: { input: { backupId: 'b', n: 1 }, list: ['j', 'x'] },
      missing: [],
    });
    expect(latest.fillIn(undefined)).toEqual({ variables: undefined, missing: [] });
  });
});
