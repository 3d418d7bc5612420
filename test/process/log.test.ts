import { expect, test } from 'bun:test';
import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '../support.ts';
import { COMMAND, freePort } from './hutch.ts';

/** More lines than a pipe and the writer together hold. */
const REQUESTS = 6_000;
const AT_ONCE = 30;
/** A path that makes a long line. */
const PATH = `/health/live?${'x'.repeat(400)}`;

/** Serves with a standard output that is open and never read. */
async function serveUnread() {
  const dir = tempDir();
  const pipe = join(dir, 'pipe');
  await Bun.$`mkfifo ${pipe}`;
  // Open for both: so it has a reader, which does not read.
  const fd = openSync(pipe, constants.O_RDWR);
  const port = freePort();
  const args = ['serve', '--port', String(port), '--data-dir', dir, '--log-level', 'debug'];
  const env = { PATH: process.env['PATH'] ?? '', HUTCH_RATE_LIMIT: 'off' };
  const child = Bun.spawn([...COMMAND, ...args], { env, stdout: fd, stderr: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  while (!(await fetch(`${url}/health/live`).catch(() => undefined))) await Bun.sleep(20);
  return {
    url,
    child,
    [Symbol.dispose]: () => {
      child.kill('SIGKILL');
      closeSync(fd);
    },
  };
}

// proves: costly-work.the-log-of-the-process
test('a log that nobody reads holds up neither requests nor a stop', async () => {
  using server = await serveUnread();
  let answered = 0;
  const ask = async () => {
    for (let count = 0; count < REQUESTS / AT_ONCE; count++) {
      const { status } = await fetch(server.url + PATH);
      if (status === 200) answered += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, ask));
  expect(answered).toBe(REQUESTS);
  server.child.kill('SIGTERM');
  expect(await server.child.exited).toBe(0);
}, 30_000);
