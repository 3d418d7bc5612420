import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Browser, Page } from 'playwright-core';
import { hasBrowser, launchBrowser, visit } from '../browser.ts';
import { ADMIN, type RunningHutch, serve } from '../process/hutch.ts';
import { tempDir } from '../support.ts';

interface Answer {
  status: number;
  body: { data?: unknown[]; token?: string; code?: string; flow?: string; options?: object };
}

/** Calls the API from within the page, as its own script would. */
function call(page: Page, method: string, path: string, body?: object, token?: string) {
  return page.evaluate(
    async ([method, path, sent, token]): Promise<Answer> => {
      const headers = {
        ...(sent && { 'content-type': 'application/json' }),
        ...(token && { authorization: `Bearer ${token}` }),
      };
      const init = { method, headers, ...(sent && { body: JSON.stringify(sent) }) };
      const answer = await fetch(`/api/v2${path}`, init);
      const body = answer.status === 204 ? {} : ((await answer.json()) as Answer['body']);
      return { status: answer.status, body };
    },
    [method, path, body, token] as const,
  );
}

/** Has the browser make or use a passkey and gives WebAuthn's JSON of it. */
function credential(page: Page, act: 'create' | 'get', options: object | undefined) {
  return page.evaluate(
    async ([act, options]) => {
      const { PublicKeyCredential: Key, navigator } = globalThis as never as {
        PublicKeyCredential: Record<string, (json: unknown) => unknown>;
        navigator: { credentials: Record<string, (o: unknown) => Promise<{ toJSON(): object }>> };
      };
      const parse =
        act === 'create' ? 'parseCreationOptionsFromJSON' : 'parseRequestOptionsFromJSON';
      const publicKey = Key[parse]?.(options);
      const made = await navigator.credentials[act]?.({ publicKey });
      return made?.toJSON() ?? {};
    },
    [act, options] as const,
  );
}

async function addAuthenticator(page: Page): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
    },
  });
}

describe.skipIf(!(await hasBrowser()))('a passkey in Chromium', () => {
  let server: RunningHutch;
  let browser: Browser;

  beforeAll(async () => {
    [server, browser] = await Promise.all([serve(tempDir(), { env: ADMIN.env }), launchBrowser()]);
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await server?.[Symbol.asyncDispose]();
  });

  // proves: sign-in-methods.passkey-auth-passkeys-login, cryptography.passkeys, 11.6.1
  test('is added, signs in without a password, and no longer signs in once removed', async () => {
    const { page } = await visit(browser);
    await page.goto(`${server.url.replace('127.0.0.1', 'localhost')}/docs`);
    await addAuthenticator(page);
    const { password } = ADMIN;
    const token = await server.signIn(ADMIN.username, password);

    const refused = await call(page, 'POST', '/auth/passkeys/options', { password: 'no' }, token);
    expect(refused.status).toBe(401);
    const begun = await call(page, 'POST', '/auth/passkeys/options', { password }, token);
    const made = await credential(page, 'create', begun.body.options);
    const passkey = { flow: begun.body.flow, name: 'laptop', response: made };
    expect((await call(page, 'POST', '/auth/passkeys', passkey, token)).status).toBe(201);
    expect((await call(page, 'POST', '/auth/passkeys', passkey, token)).status).toBe(400);

    const signIn = async () => {
      const { body } = await call(page, 'POST', '/auth/passkeys/login/options');
      const response = await credential(page, 'get', body.options);
      const answer = { flow: body.flow, response };
      return { answer, first: await call(page, 'POST', '/auth/passkeys/login', answer) };
    };
    const { answer, first } = await signIn();
    expect(first.status).toBe(200);
    const me = await call(page, 'GET', '/users/me', undefined, first.body.token);
    expect(me.body).toMatchObject({ username: ADMIN.username });
    const replayed = await call(page, 'POST', '/auth/passkeys/login', answer);
    expect(replayed.body.code).toBe('invalid_action_token');

    await page.goto(new URL('/sign-in', page.url()).href);
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.getByText(`Signed in as ${ADMIN.username}`).waitFor();
    expect((await call(page, 'GET', '/users/me')).body).toMatchObject({ username: 'root' });

    const list = await call(page, 'GET', '/auth/passkeys', undefined, token);
    expect(list.body.data).toMatchObject([{ id: 1, name: 'laptop' }]);
    expect((await call(page, 'DELETE', '/auth/passkeys/1', undefined, token)).status).toBe(204);
    expect((await signIn()).first.status).toBe(401);
    const isMailed = (what: string) => server.lines.some((line) => line['subject'] === what);
    while (!isMailed('A passkey was added to your account')) await Bun.sleep(10);
    while (!isMailed('A passkey of your account was removed')) await Bun.sleep(10);
    await page.context().close();
  }, 60_000);
});
