// GraphiQL as a person meets it, in a real browser: the page loads under a strict Content-Security-Policy, its tabs hold the
// walk, a query and a subscription run, and nothing leaves the machine.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { createLatestIds } from '../../../src/console/latest-ids';
import { findChromium, launchChromium } from '../../support/chromium';
import { startConsoleFixture, startRefusingProxy } from '../../support/console-fixture';

/** Chromium's own calls home, which no flag stops wholly; the page's requests are seen one by one besides. */
const BROWSERS_OWN =
  /^(https?:\/\/)?(accounts\.google|(update|content-autofill|optimizationguide-pa)\.googleapis)\.com[:/]/;
const built = existsSync(join(__dirname, '../../../dist/console/index.html'));
const chromium = findChromium();
if (!chromium) console.warn('No Chromium here: GraphiQL in a browser is NOT tested (install chromium to test it).');

(chromium ? describe : describe.skip)('GraphiQL in a browser', () => {
  let fixture: Awaited<ReturnType<typeof startConsoleFixture>>;
  let proxy: Awaited<ReturnType<typeof startRefusingProxy>>;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  const requests: string[] = [];

  beforeAll(async () => {
    if (!built) throw new Error('dist/console is missing: run `npm run build:console`.');
    [fixture, proxy] = await Promise.all([startConsoleFixture(), startRefusingProxy()]);
    browser = await launchChromium(chromium!, proxy.address);
    page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
    page.context().on('request', (request) => requests.push(request.url()));
    page.on('websocket', (socket) => requests.push(socket.url()));
    await page.goto(fixture.url);
    await page.waitForSelector('.graphiql-query-editor .view-line');
  });

  afterAll(async () => {
    await browser?.close();
    await Promise.all([fixture?.close(), proxy?.close()]);
  });

  async function type(editor: 'graphiql-query-editor' | 'graphiql-editor-tool', text: string): Promise<void> {
    await page.locator(`.${editor} .monaco-editor`).first().click();
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.insertText(text);
  }

  async function run(expected: string): Promise<string> {
    await page.click('.graphiql-execute-button');
    const response = page.locator('.result-window .view-lines');
    await response.filter({ hasText: expected }).waitFor({ timeout: 20_000 });
    return (await response.innerText()).replaceAll('\u00a0', ' ');
  }

  test('opens with the walk in its tabs', async () => {
    const titles = await page.locator('.graphiql-tab-button').allInnerTexts();
    expect(titles).toEqual(['CreateBackup', 'WatchJob', 'GetBackup', 'RestoreBackup', 'GetRestore', 'Overview']);
  });

  test('runs a query, and a subscription that follows the job of the tab before', async () => {
    await type('graphiql-query-editor', 'mutation Start { createBackup { job { id } } overview: __typename }');
    expect(await run('job-1')).toContain('"id": "job-1"');
    await page.locator('.graphiql-tab-button', { hasText: 'WatchJob' }).click();
    await type(
      'graphiql-query-editor',
      'subscription Watch($jobId: ID!) { jobEvents(jobId: $jobId) { sequence message } }',
    );
    expect(await run('event 3')).toContain('job-1 event 3');
    if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });
  });

  test('asked nobody but the service, and nothing broke its policy', () => {
    const origins = new Set(
      requests.filter((url) => !url.startsWith('data:') && !url.startsWith('blob:')).map((url) => new URL(url).host),
    );
    expect([...origins]).toEqual([new URL(fixture.url).host]);
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
