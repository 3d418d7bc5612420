import { describe, expect, test } from 'bun:test';
import { hasBrowser, launchBrowser, visit } from '../browser.ts';
import { openidProvider } from '../openid.ts';
import { freePort, serve } from '../process/hutch.ts';
import { tempDir } from '../support.ts';

const ada = { sub: '7', email: 'ada@example.com', email_verified: true };

describe.skipIf(!(await hasBrowser()))('a provider in Chromium', () => {
  test('signs in with its button and sets the cookie', async () => {
    const port = String(freePort());
    const page_url = `http://localhost:${port}/sign-in`;
    await using openid = await openidProvider([page_url]);
    openid.become({ ...ada, preferred_username: 'ada' });
    const { oidcIssuer, oidcClientId, oidcClientSecret } = openid.settings;
    const env = {
      HUTCH_OIDC_ISSUER: oidcIssuer,
      HUTCH_OIDC_CLIENT_ID: oidcClientId,
      HUTCH_OIDC_CLIENT_SECRET: oidcClientSecret,
      HUTCH_OIDC_TITLE: 'Staff',
    };
    await using _server = await serve(tempDir(), { args: ['--port', port], env });
    const browser = await launchBrowser();
    try {
      const { page, outside, errors } = await visit(browser);
      await page.goto(page_url);
      await page.getByRole('button', { name: 'Staff' }).click();
      await page.getByRole('status').filter({ hasText: 'Signed in as ada' }).waitFor();
      expect(page.url()).toBe(page_url);
      const me = await page.evaluate(async () => (await fetch('/api/v2/users/me')).json());
      expect(me).toMatchObject({ username: 'ada', email_verified: true, has_password: false });
      expect([...outside, ...errors]).toEqual([]);
    } finally {
      await browser.close();
    }
  }, 60_000);
});
