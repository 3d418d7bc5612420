import { expect, test } from 'bun:test';
import { testApp } from '../../support.ts';

test.each([
  ['/api/v1/items/', '/api/v2/items'],
  ['/api/v1/items/7', '/api/v2/items/7'],
  ['/api/v1/items/popular', '/api/v2/items/popular'],
  ['/api/v1/users/1', '/api/v2/users/1'],
  ['/api/v1/external/?url=x', '/api/v2/sources/fetch'],
  ['/api/v1/login/access-token', '/api/v2/auth/login'],
  ['/api/v1/items/%3E%0a', '/api/v2/items'],
])('%s links to its v2 counterpart', async (path, next) => {
  await using t = await testApp();
  const { headers } = await t.request('GET', path);
  expect(headers.get('link')).toBe(`<${next}>; rel="successor-version"`);
});

test.each(['/api/v2/system/version', '/health/live', '/api/v1/nowhere', '/api/v1'])(
  '%s has no successor',
  async (path) => {
    await using t = await testApp();
    expect((await t.request('GET', path)).headers.has('link')).toBe(false);
  },
);
