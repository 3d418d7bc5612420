import { describe, expect, test } from 'bun:test';
import { Elysia } from 'elysia';
import { createDocsRoutes } from '../../src/api/docs/docs.ts';
import { loadConfig } from '../../src/core/config/config.ts';

const app = new Elysia()
  .onError(({ code }) => new Response(String(code), { status: 404 }))
  .use(createDocsRoutes({ config: loadConfig({}, {}) }));

function request(path: string, init?: RequestInit): Promise<Response> {
  return app.handle(new Request(`http://localhost${path}`, init));
}

const pages = ['/docs', '/docs/', '/swagger'];
const assets: [path: string, type: string][] = [
  ['/docs/swagger-ui.css', 'text/css; charset=utf-8'],
  ['/docs/swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
  ['/docs/swagger-initializer.js', 'text/javascript; charset=utf-8'],
  ['/docs/theme.js', 'text/javascript; charset=utf-8'],
];
const everything = [...pages, ...assets.map(([path]) => path)];

describe('docs', () => {
  test.each(pages)('%s is the page', async (path) => {
    const response = await request(path);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(await response.text()).toContain('<div id="swagger-ui">');
  });

  test.each(assets)('%s is served as %s', async (path, type) => {
    const response = await request(path);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(type);
    expect((await response.bytes()).length).toBeGreaterThan(0);
  });

  // proves: data.the-file-is-not-encrypted-operator-encrypt-the, 14.2.3
  test('the page refers only to files that this server serves', async () => {
    const html = await (await request('/docs')).text();
    const links = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map((match) => match[1] ?? '');
    expect(links.toSorted()).toEqual(
      [...assets.map(([path]) => path), '/pages/icon.svg'].toSorted(),
    );
  });

  // proves: 1.2.3
  test('the page has no inline script and no inline style', async () => {
    const html = await (await request('/docs')).text();
    expect(html).not.toMatch(/<style|style=|<script(?![^>]* src=)|\son\w+=/);
  });

  // proves: 14.2.3
  test('the page reads /openapi.json and calls no validator', async () => {
    const script = await (await request('/docs/swagger-initializer.js')).text();
    expect(script).toContain("url: '/openapi.json'");
    expect(script).toContain('validatorUrl: null');
    expect(script).toContain('persistAuthorization: false');
  });

  // proves: 3.4.3, 3.4.6
  test.each(everything)('%s allows nothing from another host', async (path) => {
    const { headers } = await request(path);
    const policy = headers.get('content-security-policy')?.split('; ');
    expect(policy).toEqual(
      expect.arrayContaining(["default-src 'self'", "script-src 'self'", "img-src 'self' data:"]),
    );
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  test.each(everything)('%s is 304 for a client that has it', async (path) => {
    const etag = (await request(path)).headers.get('etag') ?? '';
    const again = await request(path, { headers: { 'if-none-match': `"old", W/${etag}` } });
    expect(again.status).toBe(304);
    expect(again.headers.get('etag')).toBe(etag);
    expect(again.headers.get('cache-control')).toBe('public, no-cache');
    expect(await again.text()).toBe('');
  });

  test('an outdated copy is sent again', async () => {
    const headers = { 'if-none-match': '"old"' };
    expect((await request('/docs/swagger-ui.css', { headers })).status).toBe(200);
  });

  test.each(everything)('HEAD %s has no body', async (path) => {
    const response = await request(path, { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(response.headers.get('etag')).toBeTruthy();
    expect(await response.text()).toBe('');
  });

  test('texts are compressed for clients that accept gzip, with their own ETag', async () => {
    const path = '/docs/swagger-ui-bundle.js';
    const plain = await request(path);
    const size = (await plain.bytes()).length;
    for (const coding of ['gzip', 'br, gzip;q=0.5', 'GZIP']) {
      const packed = await request(path, { headers: { 'accept-encoding': coding } });
      expect(packed.headers.get('content-encoding')).toBe('gzip');
      expect(packed.headers.get('vary')).toBe('Accept-Encoding');
      const bytes = await packed.arrayBuffer();
      expect(bytes.byteLength).toBeLessThan(size / 3);
      expect(Bun.gunzipSync(bytes).length).toBe(size);
      const etag = packed.headers.get('etag') ?? '';
      expect(etag).not.toBe(plain.headers.get('etag') ?? '');
      const headers = { 'accept-encoding': coding, 'if-none-match': etag };
      expect((await request(path, { headers })).status).toBe(304);
    }
    for (const coding of ['', 'br', 'gzip;q=0', 'gzip; q=0.000', 'x-gzipped']) {
      const response = await request(path, { headers: { 'accept-encoding': coding } });
      expect(response.headers.get('content-encoding')).toBeNull();
      expect(response.headers.get('vary')).toBe('Accept-Encoding');
    }
  });

  // proves: files.no-uploaded-file-is-stored-or-served-as, 5.3.2
  test('not_found for a missing file', async () => {
    expect(await (await request('/docs/package.json')).text()).toBe('not_found');
  });

  test('no route of the page is in the OpenAPI document', () => {
    expect(app.routes.filter(({ hooks }) => hooks.detail?.hide !== true)).toEqual([]);
  });
});
