import { expect, test } from 'bun:test';
import { testApp } from '../../support.ts';
import { until } from '../../until.ts';

const PATH = '/api/v1/items/9';

// proves: data.secret-hashed, logs.lines-of-the-process-json-or-text-on, 16.2.5
test('at level debug each request is logged without its token and query', async () => {
  await using t = await testApp({ logLevel: 'debug' });
  const { token } = await t.signUp('ada');
  const response = await t.request('GET', `${PATH}?secret=hush`, { token });
  const lineOf = () => t.logLines.find((line) => line.includes(PATH));
  await until(() => lineOf() !== undefined);
  const line = JSON.parse(lineOf() ?? '');
  expect(line).toMatchObject({ method: 'GET', path: PATH, status: 404 });
  expect(line.request_id).toBe(response.headers.get('x-request-id'));
  expect(t.logLines.join('')).not.toContain(token);
  expect(t.logLines.join('')).not.toContain('hush');
});

test('at level info requests are not logged', async () => {
  await using quiet = await testApp({ logLevel: 'info' });
  await using loud = await testApp({ logLevel: 'debug' });
  quiet.logLines.length = 0;
  await quiet.request('GET', PATH);
  await loud.request('GET', PATH);
  // The later of the two requests is logged: the earlier one would have been by now.
  await until(() => loud.logLines.some((line) => line.includes(PATH)));
  expect(quiet.logLines).toEqual([]);
});
