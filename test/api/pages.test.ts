import { describe, expect, test } from 'bun:test';
import { Elysia } from 'elysia';
import { createPageRoutes } from '../../src/api/pages/pages.ts';
import { loadConfig } from '../../src/core/config/config.ts';
import { VERSION } from '../../src/core/version.ts';
import { testApp } from '../support.ts';

const app = new Elysia()
  .onError(({ code }) => new Response(String(code), { status: 404 }))
  .use(createPageRoutes({ config: loadConfig({}, {}), users: { hasAdmin: async () => true } }));

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

/** Asks as a browser does that opens a page. */
function request(path: string, init?: RequestInit): Promise<Response> {
  const headers = { accept: BROWSER, ...init?.headers };
  return app.handle(new Request(`http://localhost${path}`, { ...init, headers }));
}

const html = ['/', '/verify', '/reset', '/confirm-email', '/sign-in'];
const JAVASCRIPT = 'text/javascript; charset=utf-8';
const assets: [path: string, type: string][] = [
  ['/pages/pages.css', 'text/css; charset=utf-8'],
  ['/pages/home.css', 'text/css; charset=utf-8'],
  ['/pages/icon.svg', 'image/svg+xml'],
  ['/favicon.ico', 'image/x-icon'],
  ['/pages/shared.js', JAVASCRIPT],
  ['/pages/verify.js', JAVASCRIPT],
  ['/pages/reset.js', JAVASCRIPT],
  ['/pages/confirm-email.js', JAVASCRIPT],
  ['/pages/sign-in.js', JAVASCRIPT],
  ['/pages/ways-in.js', JAVASCRIPT],
];
const everything = [...html, ...assets.map(([path]) => path)];

describe('the pages', () => {
  test.each([...html, '/sign-in/', '/sign-in?code=x&state=y'])('%s is a page', async (path) => {
    const response = await request(path);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(await response.text()).toContain('<main>');
  });

  test.each(assets)('%s is served as %s', async (path, type) => {
    const response = await request(path);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(type);
    expect((await response.text()).length).toBeGreaterThan(100);
  });

  test('refer only to files that this server serves', async () => {
    await using t = await testApp();
    const links = [];
    for (const path of everything) {
      const text = await (await request(path)).text();
      const names = [...text.matchAll(/(?:src|href)="([^"]*)"|from '\.\/([^']*)'/g)];
      links.push(...names.map(([, link, module]) => link ?? `/pages/${module}`));
    }
    expect(links.length).toBeGreaterThan(html.length);
    for (const link of new Set(links)) {
      expect([link, (await t.request('GET', link)).status]).toEqual([link, 200]);
    }
  });

  test('call only existing routes of the API', async () => {
    await using t = await testApp();
    const known = new Set(t.app.routes.map(({ method, path }) => `${method} ${path}`));
    const calls = [];
    for (const [path] of assets.filter(([path]) => path.endsWith('.js'))) {
      const text = await (await request(path)).text();
      const found = [...text.matchAll(/call\('([A-Z]+)', '([^']+)'/g)];
      calls.push(...found.map(([, method, route]) => `${method} /api/v2${route}`));
    }
    expect(calls.length).toBeGreaterThan(5);
    expect(calls.filter((call) => !known.has(call))).toEqual([]);
  });

  // proves: 3.2.2
  test.each(html)('%s has no script, style or handler of its own', async (path) => {
    const text = await (await request(path)).text();
    expect(text).not.toMatch(/<style|style=|<script(?![^>]* src=)|\son\w+=|javascript:/);
    // A form that is sent before its script runs must not put a password into an address.
    expect(text).not.toMatch(/<form(?![^>]* method="post")/);
  });

  const forms = html.filter((path) => path !== '/');
  // proves: 6.2.7
  test.each(forms)('every field of %s has a label, and its status is announced', async (path) => {
    const text = await (await request(path)).text();
    const ids = [...text.matchAll(/<input id="([^"]+)"/g)].map(([, id]) => id);
    expect([...text.matchAll(/<input /g)]).toHaveLength(ids.length);
    expect(ids.filter((id) => !text.includes(`<label for="${id}">`))).toEqual([]);
    expect(text).toContain('<p id="status" role="status"></p>');
    expect(text).toContain('<html lang="en">');
  });

  test.each(everything)('%s allows nothing from another host and nothing inline', async (path) => {
    const { headers } = await request(path);
    expect(headers.get('content-security-policy')?.split('; ')).toEqual([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self'",
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
    ]);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
  });

  test('are never cached, and their files are revalidated each time', async () => {
    for (const path of html) {
      expect((await request(path)).headers.get('cache-control')).toBe('no-store');
    }
    for (const [path] of assets) {
      expect((await request(path)).headers.get('cache-control')).toBe('public, no-cache');
    }
  });

  test.each(everything)(
    '%s is 304 for a client that has it, and HEAD has no body',
    async (path) => {
      const { headers } = await request(path);
      const etag = headers.get('etag') ?? '';
      const again = await request(path, { headers: { 'if-none-match': etag } });
      expect([again.status, await again.text()]).toEqual([304, '']);
      expect(again.headers.get('cache-control')).toBe(headers.get('cache-control'));
      const head = await request(path, { method: 'HEAD' });
      expect([head.status, head.headers.get('etag'), await head.text()]).toEqual([200, etag, '']);
    },
  );

  test('not_found for a missing file', async () => {
    for (const path of ['/pages/', '/pages/verify.htm', '/pages/../../pages.ts', '/pages/x.js']) {
      expect(await (await request(path)).text()).toMatch(/not_found|NOT_FOUND/);
    }
  });

  test('are not in the OpenAPI document', () => {
    expect(app.routes.filter(({ hooks }) => hooks.detail?.hide !== true)).toEqual([]);
  });

  test('keep their headers in the whole application and are public', async () => {
    await using t = await testApp();
    const { status, headers } = await t.request('GET', '/verify', { token: 'made-up' });
    expect(status).toBe(200);
    expect(headers.get('content-security-policy')).toStartWith("default-src 'none'; script-src");
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect((await t.request('POST', '/verify')).status).toBe(405);
  });
});

describe('the home page', () => {
  async function home(accept?: string, own: Parameters<typeof testApp>[0] = {}) {
    await using t = await testApp(own);
    const response = await t.request(
      'GET',
      '/',
      accept === undefined ? {} : { headers: { accept } },
    );
    return { response, text: await response.text() };
  }

  test.each([
    BROWSER,
    'text/html',
    'TEXT/HTML;level=1, application/json;q=0.9',
    'text/*, application/json;q=0.5',
    'application/json; q=0, */*',
  ])('is HTML for Accept: %s', async (accept) => {
    const { response, text } = await home(accept);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('vary')).toContain('Accept');
    expect(text).toContain(`Hutch ${VERSION}`);
    for (const link of ['/sign-in', '/docs', '/openapi.json']) {
      expect(text).toContain(`href="${link}"`);
    }
  });

  test.each([
    undefined,
    '',
    '*/*',
    'application/json',
    'application/json, text/html',
    'text/html;q=0.5, application/json',
    'text/html;q=x',
    ',;q=1,/',
  ])('is JSON for Accept: %s', async (accept) => {
    const { response, text } = await home(accept);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('vary')).toContain('Accept');
    expect(JSON.parse(text)).toEqual({
      name: 'Hutch',
      version: VERSION,
      api: '/api/v2',
      openapi: '/openapi.json',
      docs: '/docs',
      sign_in: '/sign-in',
      health: '/health/ready',
    });
  });

  test('explains how to create the first admin until one exists', async () => {
    await using t = await testApp();
    const open = async () => (await t.request('GET', '/', { headers: { accept: BROWSER } })).text();
    expect(await open()).toContain('admin create --email you@example.com --username you');
    await t.signUp('ada', 'admin');
    expect(await open()).not.toContain('admin create');
  });

  test('shows no path of the machine', async () => {
    await using t = await testApp();
    const response = await t.request('GET', '/', { headers: { accept: BROWSER } });
    expect(await response.text()).not.toContain(t.deps.config.dataDir);
  });

  test('and all other pages show the escaped name of the app', async () => {
    const appName = 'Fish & <b>Chips</b>';
    await using t = await testApp({ config: { appName } });
    for (const path of html) {
      const text = await (await t.request('GET', path, { headers: { accept: BROWSER } })).text();
      expect(text).toContain('Fish &amp; &lt;b&gt;Chips&lt;/b&gt;');
      expect(text).not.toMatch(/<b>|\{\{|> ?Hutch ?</);
    }
    expect(await (await t.request('GET', '/')).json()).toMatchObject({ name: appName });
  });
});

test('robots are excluded', async () => {
  await using t = await testApp();
  const response = await t.request('GET', '/robots.txt');
  expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  expect(await response.text()).toBe('User-agent: *\nDisallow: /\n');
});
