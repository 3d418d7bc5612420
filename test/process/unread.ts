import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '../support.ts';
import { COMMAND, freePort } from './hutch.ts';

/** A path that causes a long log line. */
const PATH = `/health/live?${'x'.repeat(400)}`;
/** More lines than fit into a pipe and the buffer of the writer. */
const REQUESTS = 6_000;
const AT_ONCE = 30;

/** Starts a server whose standard output is open and never read. */
export async function serveUnread() {
  const dir = tempDir();
  const pipe = join(dir, 'pipe');
  await Bun.$`mkfifo ${pipe}`;
  // Opened for reading and writing, so that the pipe has a reader, which never reads.
  const fd = openSync(pipe, constants.O_RDWR);
  const port = freePort();
  const args = ['serve', '--port', String(port), '--data-dir', dir, '--log-level', 'debug'];
  const env = { PATH: process.env['PATH'] ?? '', HUTCH_RATE_LIMIT: 'off' };
  const child = Bun.spawn([...COMMAND, ...args], { env, stdout: fd, stderr: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  while (!(await fetch(`${url}/health/live`).catch(() => undefined))) await Bun.sleep(20);
  return {
    child,
    /** Causes more log lines than fit; returns the numbers of requests and of responses. */
    flood: async () => {
      let answered = 0;
      const send = async () => {
        for (let count = 0; count < REQUESTS / AT_ONCE; count++) {
          const { status } = await fetch(url + PATH);
          if (status === 200) answered += 1;
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, send));
      return { answered, sent: REQUESTS };
    },
    [Symbol.dispose]: () => {
      child.kill('SIGKILL');
      closeSync(fd);
    },
  };
}
