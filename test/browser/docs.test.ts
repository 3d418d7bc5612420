import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Browser, Page } from 'playwright-core';
import { hasBrowser, launchBrowser, type Visit, visit } from '../browser.ts';
import { ADMIN, type RunningHutch, serve } from '../process/hutch.ts';
import { tempDir } from '../support.ts';

/** An operation that answers only to an admin's token. */
const OPERATION = '/api/v1/users/';
const SCREENSHOT = process.env['SCREENSHOT'];

async function authorize(page: Page): Promise<void> {
  await page.locator('button.authorize').first().click();
  await page.locator('#oauth_username').fill(ADMIN.username);
  await page.locator('#oauth_password').fill(ADMIN.password);
  await page.getByRole('button', { name: 'Apply given OAuth2 credentials' }).click();
  await page.locator('.auth-btn-wrapper button', { hasText: 'Logout' }).waitFor();
  await page.locator('.auth-btn-wrapper button.btn-done').last().click();
}

async function tryOut(page: Page, operationId: string): Promise<void> {
  await page.locator(`[id$="-${operationId}"] .opblock-summary`).click();
  await page.locator('.opblock.is-open .try-out__btn').click();
  await page.locator('.opblock.is-open button.execute').click();
}

describe.skipIf(!(await hasBrowser()))('the docs page in Chromium', () => {
  let site: RunningHutch;
  let browser: Browser;

  beforeAll(async () => {
    [site, browser] = await Promise.all([serve(tempDir(), { env: ADMIN.env }), launchBrowser()]);
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
    expect(form.get('username')).toBe(ADMIN.username);

    const call = page.waitForRequest((request) => request.url().includes(`${OPERATION}?`));
    await tryOut(page, 'listUsers');
    expect((await call).headers().authorization).toMatch(/^Bearer \S+$/);
    await page.locator('.live-responses-table .response-col_status', { hasText: '200' }).waitFor();
    if (SCREENSHOT) await page.screenshot({ path: SCREENSHOT });
    expect(outside).toEqual([]);
    expect(errors).toEqual([]);
    await page.context().close();
  }, 30_000);
});
