import { describe, expect, test } from 'bun:test';
import { connect, type Socket } from 'node:net';
import { tempDir } from '../support.ts';
import { type RunningHutch, serve } from './hutch.ts';

const CLIENTS = 32;
const REQUEST = 'GET /api/v2/system/version HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** The end of a client's connection. */
type End = 'closed by header' | 'reset' | 'closed without a header';

/**
 * Sends sequential requests on one connection until a response has `Connection: close`. HTTP/1.1
 * requires this of a client, which then connects to another server.
 */
function sendUntilClosed({ url }: RunningHutch, onResponse: () => void): Promise<End> {
  const { hostname, port } = new URL(url);
  const { promise, resolve } = Promise.withResolvers<End>();
  let text = '';
  const socket: Socket = connect({ host: hostname, port: Number(port) }, () => send());
  const send = () => {
    text = '';
    socket.write(REQUEST);
  };
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
    if (!isComplete(text)) return;
    onResponse();
    if (/^connection: close\r$/im.test(text)) resolve('closed by header');
    else send();
  });
  socket.on('error', () => resolve('reset'));
  socket.on('close', () => resolve('closed without a header'));
  return promise.finally(() => socket.destroy());
}

function isComplete(text: string): boolean {
  const head = text.indexOf('\r\n\r\n');
  const length = Number(text.match(/content-length: (\d+)/i)?.[1] ?? 0);
  return head !== -1 && text.length >= head + 4 + length;
}

describe('a stop', () => {
  test('under load sends Connection: close to every client, and resets no connection', async () => {
    for (let round = 0; round < 3; round++) {
      await using server = await serve(tempDir(), { env: { HUTCH_RATE_LIMIT: 'off' } });
      let responses = 0;
      const { promise: isBusy, resolve } = Promise.withResolvers<void>();
      const ends = Array.from({ length: CLIENTS }, () =>
        sendUntilClosed(server, () => {
          if (++responses === 500) resolve();
        }),
      );
      await isBusy;
      expect(await server.stop()).toBe(0);
      const seen = await Promise.all(ends);
      expect(seen.filter((end) => end !== 'closed by header')).toEqual([]);
    }
  }, 30_000);

  test('reports that the server is not ready, and continues to respond', async () => {
    await using server = await serve(tempDir());
    const get = (path: string) => fetch(`${server.url}${path}`, { keepalive: false });
    expect((await get('/health/ready')).status).toBe(200);
    const exit = server.stop();
    let ready = 200;
    while (ready === 200) ready = (await get('/health/ready')).status;
    const others = [await get('/health/live'), await get('/api/v1/items/'), await get('/nowhere')];
    expect([ready, ...others.map(({ status }) => status)]).toEqual([503, 200, 200, 404]);
    const closes = others.map(({ headers }) => headers.get('connection'));
    expect(closes).toEqual(['close', 'close', 'close']);
    expect(await exit).toBe(0);
  });

  test('also sends Connection: close to a request in progress', async () => {
    using upstream = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: async () => {
        await Bun.sleep(1000);
        return Response.json({ slow: true });
      },
    });
    const host = `127.0.0.1:${upstream.port}`;
    const env = { HUTCH_EXTERNAL_ALLOW_HOSTS: host };
    await using server = await serve(tempDir(), { env });
    const account = { email: 'ada@example.com', username: 'ada', password: 'straw-bed-77' };
    const { data } = await server.clientFor().api.v2.auth.register.post(account);
    const token = data && 'token' in data ? data.token : '';
    const slow = fetch(`${server.url}/api/v1/external/?url=http://${host}/`, {
      headers: { authorization: `Bearer ${token}` },
    });
    await Bun.sleep(200);
    const exit = server.stop();
    const response = await slow;
    expect(await response.json()).toEqual([{ slow: true }]);
    expect(response.headers.get('connection')).toBe('close');
    expect(await exit).toBe(0);
  });
});
