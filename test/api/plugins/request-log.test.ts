import { expect, test } from 'bun:test';
import { testApp } from '../../support.ts';

// proves: data.secret-hashed, logs.lines-of-the-process-json-or-text-on, 16.2.5
test('at level debug each request is a line, without its token or query', async () => {
  await using t = await testApp({ logLevel: 'debug' });
  const { token } = await t.signUp('ada');
  const answer = await t.request('GET', '/api/v1/items/9?secret=hush', { token });
  await Bun.sleep(5);
  const line = JSON.parse(t.logLines.at(-1) ?? '{}');
  expect(line).toMatchObject({ method: 'GET', path: '/api/v1/items/9', status: 404 });
  expect(line.request_id).toBe(answer.headers.get('x-request-id'));
  expect(t.logLines.join('')).not.toContain(token);
  expect(t.logLines.join('')).not.toContain('hush');
});

test('at level info requests are not logged', async () => {
  await using t = await testApp({ logLevel: 'info' });
  t.logLines.length = 0;
  await t.request('GET', '/api/v1/items/');
  await Bun.sleep(5);
  expect(t.logLines).toEqual([]);
});
