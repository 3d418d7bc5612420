import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Elysia, t } from 'elysia';
import type { Browser, Page } from 'playwright-core';
import { docs } from '../../src/api/docs.ts';
import { hasBrowser, launchBrowser, type Visit, visit } from '../browser.ts';

const ACCOUNT = { username: 'ada@example.com', password: 'correct horse battery staple' };

const openapi = {
  openapi: '3.1.0',
  info: { title: 'Small API', version: '1.0.0' },
  paths: {
    '/api/v1/users/me': {
      get: {
        operationId: 'getMe',
        summary: 'Read the own account',
        tags: ['users'],
        security: [{ password: [] }],
        responses: { 200: { description: 'The account' } },
      },
    },
  },
  components: {
    securitySchemes: {
      password: {
        type: 'oauth2',
        flows: { password: { tokenUrl: '/api/v1/login/access-token', scopes: {} } },
      },
    },
  },
};

interface Site {
  url: string;
  stop(): Promise<unknown>;
}

/** The site under test: it serves the docs page and has the account of ACCOUNT. */
async function startSite(): Promise<Site> {
  const app = new Elysia()
    .use(docs())
    .get('/openapi.json', () => openapi)
    .post(
      '/api/v1/login/access-token',
      ({ body, status }) => {
        const known = Object.entries(ACCOUNT).every(([name, value]) => body[name] === value);
        return known ? { access_token: 'token-of-ada', token_type: 'bearer' } : status(400);
      },
      { body: t.Record(t.String(), t.String()) },
    )
    .get('/api/v1/users/me', ({ headers }) => ({ seen: headers.authorization ?? null }))
    .listen({ port: 0, hostname: '127.0.0.1' });
  return { url: `http://127.0.0.1:${app.server?.port}`, stop: () => app.stop(true) };
}

async function authorize(page: Page): Promise<void> {
  await page.locator('button.authorize').first().click();
  await page.locator('#oauth_username').fill(ACCOUNT.username);
  await page.locator('#oauth_password').fill(ACCOUNT.password);
  await page.locator('.auth-btn-wrapper button.authorize').click();
  await page.locator('.auth-btn-wrapper button', { hasText: 'Logout' }).waitFor();
  await page.locator('.auth-btn-wrapper button.btn-done').click();
}

async function tryOut(page: Page, path: string): Promise<void> {
  await page.locator('.opblock', { hasText: path }).first().locator('.opblock-summary').click();
  await page.locator('.opblock.is-open .try-out__btn').click();
  await page.locator('.opblock.is-open button.execute').click();
}

describe.skipIf(!(await hasBrowser()))('the docs page in Chromium', () => {
  let site: Site;
  let browser: Browser;

  beforeAll(async () => {
    [site, browser] = await Promise.all([startSite(), launchBrowser()]);
  }, 30_000);

  afterAll(async () => {
    await browser?.close();
    await site?.stop();
  });

  async function open(path: string): Promise<Visit> {
    const seen = await visit(browser);
    await seen.page.goto(site.url + path);
    await seen.page.locator('.opblock').first().waitFor();
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

  test('a signed-in visitor tries an operation out with the token', async () => {
    const { page, outside, errors } = await open('/docs');
    const login = page.waitForRequest((request) => request.method() === 'POST');
    await authorize(page);
    const form = new URLSearchParams((await login).postData() ?? '');
    expect((await login).url()).toBe(`${site.url}/api/v1/login/access-token`);
    expect(form.get('grant_type')).toBe('password');
    expect(form.get('username')).toBe(ACCOUNT.username);

    const call = page.waitForRequest((request) => request.url().endsWith('/users/me'));
    await tryOut(page, '/api/v1/users/me');
    expect((await call).headers().authorization).toMatch(/^Bearer \S+$/);
    await page.locator('.live-responses-table .response-col_status', { hasText: '200' }).waitFor();
    expect(outside).toEqual([]);
    expect(errors).toEqual([]);
    await page.context().close();
  }, 30_000);
});
