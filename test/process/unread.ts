import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '../support.ts';
import { COMMAND, freePort } from './hutch.ts';

/** A path that makes a long line of the log. */
const PATH = `/health/live?${'x'.repeat(400)}`;
/** More lines than a pipe and the writer together hold. */
const REQUESTS = 6_000;
const AT_ONCE = 30;

/** Serves with a standard output that is open and never read. */
export async function serveUnread() {
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
    child,
    /** Creates more log lines than fit; returns the number of `asked` requests with a response. */
    flood: async () => {
      let answered = 0;
      const ask = async () => {
        for (let count = 0; count < REQUESTS / AT_ONCE; count++) {
          const { status } = await fetch(url + PATH);
          if (status === 200) answered += 1;
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, ask));
      return { answered, asked: REQUESTS };
    },
    [Symbol.dispose]: () => {
      child.kill('SIGKILL');
      closeSync(fd);
    },
  };
}
