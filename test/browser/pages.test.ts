import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Secret, TOTP } from 'otpauth';
import type { Browser, Page } from 'playwright-core';
import { hasBrowser, launchBrowser, type Visit, visit } from '../browser.ts';
import { mailedLink } from '../outbox.ts';
import { freePort, type RunningHutch, serve } from '../process/hutch.ts';
import { tempDir } from '../support.ts';

const PASSWORD = 'oats-and-barley-9';
const NEXT = 'clover-and-dandelion';

/** What is wrong with a page; that the API refuses what it was sent is not. */
function faults({ outside, errors }: Visit): string[] {
  const isRefusal = (text: string) => /^Failed to load resource: .* status of 4\d\d/.test(text);
  return [...outside, ...errors.filter((text) => !isRefusal(text))];
}

/** Waits until the page says `text`, in the place that a screen reader is told of. */
const says = (page: Page, text: string) =>
  page.getByRole('status').filter({ hasText: text }).waitFor({ timeout: 10_000 });

const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();

/** Fills fields by their labels and presses a button. */
async function send(page: Page, fields: Record<string, string>, button: string): Promise<void> {
  for (const [label, text] of Object.entries(fields)) {
    await page.getByLabel(label, { exact: true }).locator('visible=true').fill(text);
  }
  await press(page, button);
}

const signIn = (page: Page, login: string, password: string) =>
  send(page, { 'Email or username': login, Password: password }, 'Sign in');

/** Asks the API as the page's own script would, with the cookie alone. */
const me = (page: Page) =>
  page.evaluate(async () => (await fetch('/api/v2/users/me')).json() as Promise<object>);

describe.skipIf(!(await hasBrowser()))('the pages in Chromium', () => {
  const dataDir = tempDir();
  let site: RunningHutch;
  let browser: Browser;

  beforeAll(async () => {
    // A port that is known beforehand: the links in mails have it.
    const args = ['--port', String(freePort())];
    const env = { HUTCH_LIMIT_MAILS: '100', HUTCH_LIMIT_SIGN_UPS: '100' };
    [site, browser] = await Promise.all([serve(dataDir, { args, env }), launchBrowser()]);
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await site?.stop();
  });

  /** Signs up by the API and gives a client with a session. */
  async function signUp(username: string) {
    const email = `${username}@example.com`;
    const account = { email, username, password: PASSWORD };
    const { data } = await site.clientFor().api.v2.auth.register.post(account);
    const token = data && 'token' in data ? data.token : undefined;
    return { email, client: site.clientFor(token) };
  }

  /** Opens a page and, once `work` is done, expects that nothing was wrong with it. */
  async function on(url: string, work: (page: Page) => Promise<void>): Promise<void> {
    const seen = await visit(browser);
    await seen.page.goto(new URL(url, site.url).href);
    await work(seen.page);
    expect(faults(seen)).toEqual([]);
    await seen.page.context().close();
  }

  test('a new user confirms the address with the mailed link and signs in', async () => {
    const { email } = await signUp('ada');
    await on(await mailedLink(dataDir, email, '/verify'), async (page) => {
      expect(page.url()).toBe(`${site.url}/verify`);
      await send(page, { 'Password of your account': 'wrong-password' }, 'Confirm');
      await says(page, 'The password is wrong');
      await send(page, { 'Password of your account': PASSWORD }, 'Confirm');
      await says(page, 'Your address is confirmed.');
      await page.getByRole('link', { name: 'Sign in' }).click();
      await signIn(page, 'ada', PASSWORD);
      await says(page, 'Signed in as ada');
      expect(await me(page)).toMatchObject({ email, email_verified: true });
      await page.reload();
      await says(page, 'Signed in as ada');
      expect(await page.getByText('not confirmed yet').isVisible()).toBe(false);
      await press(page, 'Sign out');
      await says(page, 'You are signed out.');
      expect(await me(page)).toMatchObject({ status: 401 });
    });
  }, 60_000);

  test('a user without the password confirms the address and sets a new password', async () => {
    const { email, client } = await signUp('bob');
    await on(await mailedLink(dataDir, email, '/verify'), async (page) => {
      await page.getByText('I do not know the password').click();
      await press(page, 'Confirm and start over');
      await says(page, 'Now choose a new password.');
      expect((await client.api.v2.users.me.get()).status).toBe(401);
      await send(page, { 'New password': NEXT }, 'Set password');
      await says(page, 'your password is set.');
      await page.getByRole('link', { name: 'Sign in' }).click();
      await signIn(page, email, NEXT);
      await says(page, 'Signed in as bob');
    });
  }, 60_000);

  // proves: 6.2.6
  test('a forgotten password is reset with the mailed link', async () => {
    const { email } = await signUp('carol');
    await on('/sign-in', async (page) => {
      await signIn(page, 'carol', 'forgotten-one');
      await says(page, 'Incorrect email or password');
      await page.getByText('Forgot your password?').click();
      const form = page.locator('#forgot');
      await form.getByLabel('Email or username').fill('carol');
      await press(page, 'Send a link');
      await says(page, 'a mail is on its way');
    });
    await on(await mailedLink(dataDir, email, '/reset'), async (page) => {
      await send(page, { 'New password': 'short' }, 'Set password');
      await says(page, 'New password: String should have at least 8 characters');
      expect(await page.evaluate('document.activeElement.id')).toBe('new_password');
      await send(page, { 'New password': 'password123' }, 'Set password');
      await says(page, 'New password: The password is one of the most common.');
      await send(page, { 'New password': NEXT }, 'Set password');
      await says(page, 'Your password is set.');
      await page.getByRole('link', { name: 'Sign in' }).click();
      await signIn(page, 'carol', NEXT);
      await says(page, 'Signed in as carol');
    });
  }, 60_000);

  test('a new address is confirmed with the password of the account', async () => {
    const { client } = await signUp('dan');
    const new_email = 'dan@example.org';
    await client.api.v2.users.me.email.post({ new_email, password: PASSWORD });
    await on(await mailedLink(dataDir, new_email, '/confirm-email'), async (page) => {
      await send(page, { 'Password of your account': 'wrong-password' }, 'Confirm');
      await says(page, 'The password is wrong');
      expect((await client.api.v2.users.me.get()).data?.email).toBe('dan@example.com');
      await send(page, { 'Password of your account': PASSWORD }, 'Confirm');
      await says(page, 'Your account uses this address now.');
    });
    expect((await client.api.v2.users.me.get()).data?.email).toBe(new_email);
  }, 60_000);

  test.each([
    ['/verify', { 'Password of your account': PASSWORD }, 'Confirm'],
    ['/reset', { 'New password': NEXT }, 'Set password'],
    ['/confirm-email', { 'Password of your account': PASSWORD }, 'Confirm'],
  ])(
    '%s says in words that a link is wrong, or is none',
    async (path, fields, button) => {
      await on(path, async (page) => {
        await says(page, 'This page needs the link from your email');
        expect(await page.locator('form').locator('visible=true').count()).toBe(0);
      });
      await on(`${path}#token=${'x'.repeat(43)}`, async (page) => {
        await send(page, fields, button);
        await says(page, 'The link is spent, expired or wrong');
      });
    },
    60_000,
  );

  // proves: 3.2.2, 14.3.3
  test('a token is in no address, storage or markup, and a spent one shows an error', async () => {
    const { email } = await signUp('eve');
    const link = await mailedLink(dataDir, email, '/verify');
    const token = link.replace(/.*=/, '');
    await on(link, async (page) => {
      await page.getByRole('button', { name: 'Confirm', exact: true }).waitFor();
      const traces = await page.evaluate(`JSON.stringify([location.href, document.referrer,
        {...sessionStorage}, {...localStorage}, document.cookie, document.documentElement.outerHTML])`);
      expect(traces).not.toContain(token);
      await send(page, { 'Password of your account': PASSWORD }, 'Confirm');
      await says(page, 'Your address is confirmed.');
      // In the tab that is open already: the fragment alone changes.
      await page.goto(link);
      await send(page, { 'Password of your account': PASSWORD }, 'Confirm');
      await says(page, 'The link is spent, expired or wrong');
    });
  }, 60_000);

  test('a code is required if an authenticator is on', async () => {
    const { client } = await signUp('frank');
    const { data } = await client.api.v2.auth.totp.post({ password: PASSWORD });
    const totp = new TOTP({ secret: Secret.fromBase32(data?.secret ?? '') });
    const confirmed = await client.api.v2.auth.totp.confirm.post({ code: totp.generate() });
    await on('/sign-in', async (page) => {
      await signIn(page, 'frank', PASSWORD);
      await says(page, 'Enter your code, too.');
      expect(await page.evaluate('document.activeElement.id')).toBe('code');
      await send(page, { Code: '000000' }, 'Sign in');
      await says(page, 'The code is wrong');
      await send(page, { Code: confirmed.data?.recovery_codes[0] ?? '' }, 'Sign in');
      await says(page, 'Signed in as frank');
    });
  }, 60_000);

  // proves: 3.7.2
  test('sign-in redirects to pages of this server, and to no other', async () => {
    await signUp('grace');
    await on('/sign-in?return_to=%2Fdocs%3Fx%3D1', async (page) => {
      await signIn(page, 'grace', PASSWORD);
      await page.waitForURL(`${site.url}/docs?x=1`);
    });
    await on('/sign-in?return_to=/.//evil.example', async (page) => {
      await signIn(page, 'grace', PASSWORD);
      await page.waitForURL(`${site.url}//evil.example`);
    });
    const others = ['https://evil.example/', '//evil.example', '/\\evil.example', 'docs'];
    for (const other of [...others, '/\t/evil.example', 'javascript:alert(1)']) {
      await on(`/sign-in?return_to=${encodeURIComponent(other)}`, async (page) => {
        await signIn(page, 'grace', PASSWORD);
        await says(page, 'Signed in as grace');
      });
    }
  }, 60_000);

  test('a refusal by a provider and an unsolicited response show an error', async () => {
    await on('/sign-in?error=access_denied&state=s', async (page) => {
      await says(page, 'The provider did not sign you in: access_denied');
      expect(page.url()).toBe(`${site.url}/sign-in`);
    });
    await on('/sign-in?error=Call+555+now&state=s', async (page) => {
      await says(page, 'The provider did not sign you in.');
    });
    await on('/sign-in?code=c&state=s', async (page) => {
      await says(page, 'This sign-in was not started in this tab');
      expect(page.url()).toBe(`${site.url}/sign-in`);
      await page.getByLabel('Password', { exact: true }).waitFor();
    });
  }, 60_000);

  test('a signed-in user can request a lost link again', async () => {
    const { email } = await signUp('ivan');
    const lost = await mailedLink(dataDir, email, '/verify');
    await on('/sign-in', async (page) => {
      await signIn(page, 'ivan', PASSWORD);
      await press(page, 'Send the link again');
      await says(page, 'A mail is on its way');
    });
    let link = lost;
    while (link === lost) link = await mailedLink(dataDir, email, '/verify');
    await on(link, async (page) => {
      await send(page, { 'Password of your account': PASSWORD }, 'Confirm');
      await says(page, 'Your address is confirmed.');
    });
  }, 60_000);

  test('an unreachable server shows an error', async () => {
    const seen = await visit(browser);
    await seen.page.goto(`${site.url}/sign-in`);
    await seen.page.context().setOffline(true);
    await signIn(seen.page, 'ada', PASSWORD);
    await says(seen.page, 'The server cannot be reached. Try again.');
    await seen.page.context().close();
  }, 60_000);

  test('the keyboard alone signs in', async () => {
    await signUp('heidi');
    await on('/sign-in', async (page) => {
      await page.getByLabel('Password', { exact: true }).waitFor();
      expect(await page.evaluate('document.activeElement.id')).toBe('login');
      await page.keyboard.type('heidi');
      await page.keyboard.press('Tab');
      await page.keyboard.type(PASSWORD);
      await page.keyboard.press('Enter');
      await says(page, 'Signed in as heidi');
    });
  }, 60_000);
});
