import { expect, test } from 'bun:test';
import { serveUnread } from './unread.ts';

// proves: costly-work.the-log-of-the-process
test('a log that nobody reads holds up neither requests nor a stop', async () => {
  using server = await serveUnread();
  const { answered, asked } = await server.flood();
  expect(answered).toBe(asked);
  server.child.kill('SIGTERM');
  expect(await server.child.exited).toBe(0);
}, 30_000);
