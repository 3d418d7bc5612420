import { expect, test } from 'bun:test';
import { rawUpstream } from '../core/outbound/upstream.ts';
import { atOnce, tempDir } from '../support.ts';
import { until } from '../until.ts';
import { ADMIN, isBinary, serve } from './hutch.ts';

/**
 * One account gets half of the concurrent calls and half of the queue. Bun's fetch makes 256 concurrent
 * requests unless the environment sets another limit, as the binary does, and 64 are reserved for
 * sign-in.
 */
const IN_FLIGHT = isBinary ? 128 : 96;
const QUEUED = 2_048;
const HOSTS = Array.from({ length: 16 }, (_, index) => `127.0.0.${index + 1}`);
const READS = 1_000;
const READS_AT_ONCE = 16;
const RESPONSE_TIMEOUT_MS = 100;

/** Starts a server and an upstream that never responds, and counts completed calls. */
async function openScene() {
  const hanging = await rawUpstream(() => {}, '0.0.0.0');
  const server = await serve(tempDir(), {
    env: {
      ...ADMIN.env,
      HUTCH_RATE_LIMIT: 'off',
      HUTCH_EXTERNAL_ALLOW_HOSTS: HOSTS.join(),
      HUTCH_EXTERNAL_TIMEOUT_MS: '60000',
    },
  });
  const token = await server.signIn(ADMIN.username, ADMIN.password);
  const leaving = new AbortController();
  const scene = { hanging, server, ended: 0, call, [Symbol.asyncDispose]: close };
  /** Calls `count` URLs of the upstream in one request. */
  async function call(count: number): Promise<Response> {
    const urls = [1, 2].flatMap((path) => HOSTS.map((host) => `${host}:${hanging.port}/${path}`));
    const query = urls.slice(0, count).map((url) => `url=http://${url}`);
    const headers = { authorization: `Bearer ${token}` };
    const path = `${server.url}/api/v1/external/?${query.join('&')}`;
    return fetch(path, { headers, signal: leaving.signal }).finally(() => {
      scene.ended += 1;
    });
  }
  async function close() {
    leaving.abort();
    await server[Symbol.asyncDispose]();
  }
  return scene;
}

/** Starts `count` calls in requests of 30 and waits until all places are taken. */
async function hang({ call, hanging }: Awaited<ReturnType<typeof openScene>>, count: number) {
  for (let left = count; left > 0; left -= 30) call(Math.min(left, 30)).catch(() => {});
  await until(() => hanging.connections === IN_FLIGHT);
}

test('a thousand reads complete while 300 calls hang', async () => {
  await using scene = await openScene();
  await hang(scene, 300);
  let completed = 0;
  const read = async () => {
    const response = await fetch(`${scene.server.url}/api/v1/items/`);
    await response.text();
    if (response.status === 200) completed += 1;
  };
  await atOnce(READS_AT_ONCE, async () => {
    for (let count = 0; count < Math.ceil(READS / READS_AT_ONCE); count++) await read();
  });
  expect(completed).toBeGreaterThanOrEqual(READS);
  expect([scene.ended, scene.hanging.connections]).toEqual([0, IN_FLIGHT]);
}, 30_000);

test('a call beyond the queue is refused immediately with Retry-After', async () => {
  await using scene = await openScene();
  await hang(scene, IN_FLIGHT + QUEUED);
  // While the queue is still filling, a call may be queued, so another one is tried.
  let refused: Response | undefined;
  while (!refused) {
    refused = await Promise.race([
      scene.call(1),
      Bun.sleep(RESPONSE_TIMEOUT_MS).then(() => undefined),
    ]);
  }
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
  expect(((await refused.json()) as { detail: string }).detail).toContain('Too many calls wait');
  expect(scene.ended).toBeLessThanOrEqual(2);
}, 30_000);
