import { expect, test } from 'bun:test';
import { treaty } from '@elysia/eden';
import type { App } from '../../src/app.ts';
import { testApp } from '../support.ts';

test('Eden has the types of the routes, too', async () => {
  await using t = await testApp();
  const { token } = await t.signUp('ada');
  const headers = { authorization: `Bearer ${token}` };
  const eden = treaty<App>('http://localhost', {
    headers,
    fetcher: ((url: string, init: RequestInit) =>
      t.app.handle(new Request(url, init))) as typeof fetch,
  });
  const { data } = await eden.api.v1.items.post({ title: 'straw' });
  const title: string | undefined = data?.title;
  expect(title).toBe('straw');
});
