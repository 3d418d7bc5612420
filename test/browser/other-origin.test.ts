import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Server } from 'bun';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { hasBrowser, launchBrowser, visit } from '../browser.ts';
import { freePort, type RunningHutch, serve } from '../process/hutch.ts';
import { tempDir } from '../support.ts';

/** The front end of an app: a page with the client, on an origin of its own. */
async function frontEnd(): Promise<Server<undefined>> {
  const { outputs } = await Bun.build({ entrypoints: ['src/client.ts'], target: 'browser' });
  const client = (await outputs[0]?.text()) ?? '';
  const page = `<!doctype html><title>App</title><script type="module">
    import { createClient, orThrow, subscribe } from '/client.js';
    Object.assign(window, { createClient, orThrow, subscribe });
  </script>`;
  return Bun.serve({
    port: 0,
    routes: {
      '/client.js': new Response(client, { headers: { 'content-type': 'text/javascript' } }),
      '/': new Response(page, { headers: { 'content-type': 'text/html' } }),
    },
  });
}

/** Runs a body of statements in the page, with \`hutch\` as its client for the API. */
function inPage(page: Page, api: string, statements: string): Promise<unknown> {
  return page.evaluate(`(async () => {
    const hutch = createClient('${api}', { credentials: 'include', retries: 0 }).v2;
    ${statements}
  })()`);
}

const register = (username: string) => `
  const account = { email: '${username}@example.com', username: '${username}', password: 'oats-and-barley-9' };
  return (await hutch.auth.register.post({ ...account, transport: 'cookie' })).status;`;
const me = `const { status, error } = await hutch.users.me.get(); return [status, error?.code ?? error?.kind];`;

describe.skipIf(!(await hasBrowser()))('pages of other origins in Chromium', () => {
  let app: Server<undefined>;
  let stranger: Server<undefined>;
  let server: RunningHutch;
  let browser: Browser;

  beforeAll(async () => {
    [app, stranger] = await Promise.all([frontEnd(), frontEnd()]);
    const env = {
      HUTCH_CORS_ORIGINS: `http://localhost:${app.port}`,
      HUTCH_RATE_LIMIT: 'off',
    };
    const args = ['--port', String(freePort())];
    [server, browser] = await Promise.all([serve(tempDir(), { args, env }), launchBrowser()]);
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await Promise.all([app?.stop(true), stranger?.stop(true)]);
  });

  /** The API as pages on localhost see it: of their own site, or of another. */
  const apiOn = (host: string) => server.url.replace('127.0.0.1', host);

  async function open(port: number | undefined, context?: BrowserContext): Promise<Page> {
    const page = context ? await context.newPage() : (await visit(browser)).page;
    await page.goto(`http://localhost:${port}/`);
    await page.waitForFunction('window.createClient');
    return page;
  }

  describe.each([
    ['the same site', 'localhost', 'ada', 0],
    ['another site', '127.0.0.1', 'bob', 2],
  ])('a listed origin of %s', (_, host, username, lastEventId) => {
    // proves: cookies-and-other-origins.of-hutch-cors-origins
    test('signs up with a cookie, writes, imports a file, receives events and signs out', async () => {
      const page = await open(app.port);
      const api = apiOn(host);
      expect(await inPage(page, api, register(username))).toBe(201);
      await page.reload();
      await page.waitForFunction('window.createClient');
      expect(await inPage(page, api, me)).toEqual([200, undefined]);
      const heard = await inPage(
        page,
        api,
        `const lastEventId = ${lastEventId};
        const firstCreated = async () => {
          for await (const { event, data } of subscribe(hutch.items.events, { lastEventId })) {
            if (event === 'created') return data.item.title;
          }
        };
        const lines = ['{"title":"one","visibility":"private"}', '{"title":"two"}'].join('\\n');
        const file = new File([lines], 'items.jsonl');
        const report = orThrow(await hutch.items.import.post(file));
        const stream = orThrow(await hutch.items.export.get({}));
        const text = await new Response(stream).text();
        return [report.created, text.trim().split('\\n').length, await firstCreated()];`,
      );
      expect(heard).toEqual([2, 2, 'one']);
      expect(await page.evaluate('document.cookie')).toBe('');
      expect(await inPage(page, api, 'return (await hutch.auth.logout.post()).status')).toBe(204);
      expect(await inPage(page, api, me)).toEqual([401, 'unauthenticated']);
      expect(await page.context().cookies(api)).toEqual([
        expect.objectContaining({ name: 'hutch_device', httpOnly: true }),
      ]);
      await page.context().close();
    }, 60_000);

    // proves: cookies-and-other-origins.a-listed-page-that-the-browser-reports-as, 3.5.1
    test('does not work from a page that is not listed', async () => {
      const page = await open(app.port);
      const api = apiOn(host);
      expect(await inPage(page, api, register(`${username}2`))).toBe(201);
      const foreign = await open(stranger.port, page.context());
      expect(await inPage(foreign, api, me)).toEqual([0, 'network']);
      const post = `return (await hutch.items.post({ title: 'forged' })).error?.kind`;
      expect(await inPage(foreign, api, post)).toBe('network');
      // A form needs no preflight, and carries cookies of the same site.
      const sent = foreign.waitForResponse('**/auth/logout');
      await foreign.evaluate(`(() => {
        const form = document.createElement('form');
        form.method = 'POST';
        form.enctype = 'text/plain';
        form.action = '${api}/api/v2/auth/logout';
        document.body.append(form);
        form.submit();
      })()`);
      await sent;
      expect(await inPage(page, api, me)).toEqual([200, undefined]);
      await page.context().close();
    }, 60_000);
  });
});
