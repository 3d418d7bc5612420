import { expect, test } from 'bun:test';
import { serveUnread } from './unread.ts';

// proves: costly-work.the-log-of-the-process
test('a log that nobody reads delays neither requests nor a stop', async () => {
  using server = await serveUnread();
  const { answered, sent } = await server.flood();
  expect(answered).toBe(sent);
  server.child.kill('SIGTERM');
  expect(await server.child.exited).toBe(0);
}, 30_000);
