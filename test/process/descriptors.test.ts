import { expect, test } from 'bun:test';
import { connect, type Socket } from 'node:net';
import { tempDir } from '../support.ts';
import { COMMAND, freePort } from './hutch.ts';

const LIMIT = 200;
const REQUEST = 'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n';

/** Opens a connection, sends a request and leaves it open; undefined if the connection fails. */
function idleConnection(port: number): Promise<Socket | undefined> {
  const { promise, resolve } = Promise.withResolvers<Socket | undefined>();
  const socket = connect(port, '127.0.0.1', () => socket.write(REQUEST));
  socket.once('data', () => resolve(socket));
  socket.on('error', () => resolve(undefined));
  setTimeout(() => resolve(socket), 500);
  return promise;
}

// Only Linux reports descriptors.
test.skipIf(process.platform !== 'linux')(
  // proves: costly-work.connections
  'idle connections that use every descriptor are closed for new ones, with a warning',
  async () => {
    const port = freePort();
    const dir = tempDir();
    const serve = [...COMMAND, 'serve', '--port', String(port), '--data-dir', dir];
    const limited = ['sh', '-c', `ulimit -n ${LIMIT}; exec "$@"`, 'sh', ...serve];
    const env = { PATH: process.env['PATH'] ?? '', HUTCH_LOG_FORMAT: 'json' };
    const child = Bun.spawn(limited, { env, stdout: 'pipe', stderr: 'ignore' });
    const url = `http://127.0.0.1:${port}/health/live`;
    while (!(await fetch(url).catch(() => undefined))) await Bun.sleep(20);
    const sockets = await Promise.all(
      Array.from({ length: LIMIT + 20 }, () => idleConnection(port)),
    );
    const response = await fetch(url, { keepalive: false });
    expect(response.status).toBe(200);
    child.kill('SIGTERM');
    for (const socket of sockets) socket?.destroy();
    expect(await child.stdout.text()).toContain('File descriptors are running out');
    await child.exited;
  },
  30_000,
);
