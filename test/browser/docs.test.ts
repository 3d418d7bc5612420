import { Database } from 'bun:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { hasBrowser, launchBrowser, type Visit, visit } from '../browser.ts';
import { ADMIN, isBinary, type RunningHutch, serve } from '../process/hutch.ts';
import { upstream } from '../sources.ts';
import { tempDir } from '../support.ts';

/** An operation that answers only to an admin's token. */
const OPERATION = '/api/v1/users/';
/** Sources of the tests may call this machine. */
const ENV = { ...ADMIN.env, HUTCH_EXTERNAL_ALLOW_HOSTS: '127.0.0.1' };
const dataDir = tempDir();
const SCREENSHOT = process.env['SCREENSHOT'];

async function authorize(page: Page): Promise<void> {
  await page.locator('button.authorize').first().click();
  await page.locator('#oauth_username').fill(ADMIN.username);
  await page.locator('#oauth_password').fill(ADMIN.password);
  await page.getByRole('button', { name: 'Apply given OAuth2 credentials' }).click();
  await page.locator('.auth-btn-wrapper button', { hasText: 'Logout' }).waitFor();
  await page.locator('.auth-btn-wrapper button.btn-done').last().click();
}

/** Shows the operations of every tag. */
async function openTags(page: Page): Promise<void> {
  for (const tag of await page.locator('.opblock-tag').all()) await tag.click();
  await page.locator('.opblock').first().waitFor();
}

async function openOperation(page: Page, operationId: string) {
  const operation = page.locator(`.opblock[id$="-${operationId}"]`);
  await operation.locator('.opblock-summary-control').click();
  await operation.locator('.opblock-body').waitFor();
  return operation;
}

/** Executes an operation with what the page has filled in, and returns the status. */
async function execute(page: Page, tag: string, operationId: string, url: string): Promise<number> {
  const section = page.locator(`.opblock-tag[data-tag="${tag}"]`);
  if ((await section.getAttribute('data-is-open')) === 'false') await section.click();
  const operation = await openOperation(page, operationId);
  // The address in the example is of the internet, which a test does not reach.
  if (operationId === 'fetchExternalData') await operation.locator('input').first().fill(url);
  await operation.locator('button.execute').click();
  const status = operation.locator('.live-responses-table .response .response-col_status');
  const text = await status.first().textContent({ timeout: 15_000 });
  await operation.locator('.opblock-summary-control').click();
  return Number.parseInt(text ?? '', 10);
}

describe.skipIf(!(await hasBrowser()))('the docs page in Chromium', () => {
  let site: RunningHutch;
  let browser: Browser;

  beforeAll(async () => {
    [site, browser] = await Promise.all([serve(dataDir, { env: ENV }), launchBrowser()]);
  }, 30_000);

  afterAll(async () => {
    await browser?.close();
    await site?.stop();
  });

  async function open(path: string): Promise<Visit> {
    const seen = await visit(browser);
    await seen.page.goto(site.url + path);
    await seen.page.locator('.opblock-tag').first().waitFor();
    await openTags(seen.page);
    return seen;
  }

  test.each(['/docs', '/swagger'])(
    '%s shows the operations, alone and without an error',
    async (path) => {
      const { page, outside, errors } = await open(path);
      expect(await page.locator('.opblock-summary-path').allTextContents()).not.toBeEmpty();
      await page.waitForLoadState('networkidle');
      expect(outside).toEqual([]);
      expect(errors).toEqual([]);
      await page.context().close();
    },
    30_000,
  );

  // proves: 3.7.1
  test('a signed-in user tries out an operation with the token', async () => {
    const { page, outside, errors } = await open('/docs');
    const login = page.waitForRequest((request) => request.method() === 'POST');
    await authorize(page);
    const form = new URLSearchParams((await login).postData() ?? '');
    expect((await login).url()).toBe(`${site.url}/api/v1/login/access-token`);
    expect(form.get('grant_type')).toBe('password');
    expect(form.get('username')).toBe(ADMIN.username);

    const call = page.waitForRequest((request) => request.url().includes(`${OPERATION}?`));
    await openOperation(page, 'listUsers');
    await page.locator('.opblock.is-open button.execute').click();
    expect((await call).headers().authorization).toMatch(/^Bearer \S+$/);
    await page.locator('.live-responses-table .response-col_status', { hasText: '200' }).waitFor();
    if (SCREENSHOT) await page.screenshot({ path: SCREENSHOT });
    expect(outside).toEqual([]);
    expect(errors).toEqual([]);
    await page.context().close();
  }, 30_000);

  test.if(isBinary)(
    'Execute succeeds for every GET with the values that the page fills in',
    async () => {
      await using outside = upstream(() => Response.json({ temperature: 21 }));
      await fillServer(site, outside.url);
      const { page, outside: asked, errors } = await visit(browser);
      await page.goto(`${site.url}/docs`);
      await page.locator('.opblock-tag').first().waitFor();
      await authorize(page);
      const refused = [];
      const operations = await executableGets(site);
      expect(operations.length).toBeGreaterThan(30);
      for (const { operationId, tags, responses } of operations) {
        const status = await execute(page, tags[0] ?? '', operationId, outside.url);
        const isSuccess = status >= 200 && status < 400 && String(status) in responses;
        if (!isSuccess) refused.push({ operationId, status });
      }
      expect(refused).toEqual([]);
      expect(asked).toEqual([]);
      expect(errors).toEqual([]);
      await page.context().close();
    },
    600_000,
  );

  test('the sections are closed at first, those of items come first, and a word filters them', async () => {
    const { page } = await visit(browser);
    await page.goto(`${site.url}/docs`);
    await page.locator('.opblock-tag').first().waitFor();
    expect(await page.locator('.opblock').count()).toBe(0);
    expect(await page.locator('.opblock-tag').first().getAttribute('data-tag')).toBe('items');
    await page.locator('.operation-filter-input').fill('token');
    await page.locator('.opblock-tag[data-tag="items"]').waitFor({ state: 'detached' });
    expect(await page.locator('.opblock-tag').allTextContents()).toEqual([
      expect.stringContaining('tokens'),
      expect.stringContaining('login'),
    ]);
    await page.context().close();
  }, 30_000);

  test('parameters have descriptions, and filters are one field', async () => {
    const { page } = await open('/docs');
    const list = await openOperation(page, 'listItemsV2');
    const rows = await list.locator('tr[data-param-name]').all();
    expect(rows.length).toBeGreaterThan(5);
    for (const row of rows) {
      const words = await row
        .locator('.parameters-col_description .renderedMarkdown')
        .first()
        .textContent();
      expect(words).toMatch(/\w+ \w+/);
    }
    expect(await list.locator('tr[data-param-name^="filter["]').count()).toBe(0);
    expect(await list.locator('tr[data-param-name="where"]').count()).toBe(1);
    await page.context().close();
  }, 30_000);

  test('a stream is labelled and cannot be executed', async () => {
    const { page } = await open('/docs');
    const events = await openOperation(page, 'listenToItems');
    await events.getByText('This page cannot display a stream.').waitFor();
    expect(await events.locator('button.execute, .try-out__btn').count()).toBe(0);
    await page.context().close();
  }, 30_000);

  test('follows the color scheme of the system, also when it changes', async () => {
    const { page, errors } = await visit(browser);
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.goto(`${site.url}/docs`);
    await page.locator('html.dark-mode').waitFor({ state: 'attached' });
    await page.emulateMedia({ colorScheme: 'light' });
    await page.locator('html:not(.dark-mode)').waitFor({ state: 'attached' });
    expect(errors).toEqual([]);
    await page.context().close();
  }, 30_000);
});

/** Makes what the examples of the page name: an item, and the source of the document's example. */
async function fillServer(site: RunningHutch, base_url: string): Promise<void> {
  const anonymous = site.clientFor();
  const { username: login, password } = ADMIN;
  const { data } = await anonymous.api.v2.auth.login.post({ login, password });
  const { v2 } = site.clientFor(data && 'token' in data ? data.token : undefined).api;
  const item = await v2.items.post({ title: 'A warm hutch' });
  expect(item.status).toBe(201);
  const source = await v2.sources.post({
    name: 'weather',
    base_url,
    access: 'public',
    path: '/',
    parameters: [{ name: 'city', type: 'string' }],
    query: { q: '{city}' },
  });
  expect(source.status).toBe(201);
  const webhook = await v2.webhooks.post({
    url: 'https://hooks.example.com/',
    events: ['items.*'],
  });
  expect(webhook.status).toBe(201);
  expect((await v2.webhooks({ webhook_id: 1 }).test.post()).status).toBe(201);
  addDeadLetter();
}

/** Adds a job that failed: a job that succeeds is deleted. */
function addDeadLetter(): void {
  const client = new Database(join(dataDir, 'hutch.db'));
  client.run('pragma busy_timeout = 10000');
  const at = new Date().toISOString();
  client.run(
    `insert into jobs (id, name, state, payload, attempts, due_at, last_error, created_at)
     values (1, 'example', 'dead', '{}', 10, ?1, 'The receiver refused it.', ?1)`,
    [at],
  );
  client.close();
}

interface Operation {
  operationId: string;
  tags: string[];
  responses: Record<string, { content?: object }>;
}

/** Every GET of the document but streams. */
async function executableGets(site: RunningHutch): Promise<Operation[]> {
  const document = (await (await fetch(`${site.url}/openapi.json`)).json()) as {
    paths: Record<string, { get?: Operation }>;
  };
  return Object.values(document.paths)
    .flatMap(({ get }) => get ?? [])
    .filter(({ responses }) => !('text/event-stream' in (responses['200']?.content ?? {})));
}
