import { expect, test } from 'bun:test';
import { RequestOrigin } from '../../../src/api/request/origin.ts';
import type { Origin } from '../../../src/core/actor.ts';
import { loadConfig } from '../../../src/core/config/config.ts';

/** What a handler reads of the origin after its client has hung up. */
async function afterHangUp(isKept: boolean): Promise<Origin> {
  const client = new AbortController();
  const hungUp = Promise.withResolvers<Origin>();
  await using server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async (request, server) => {
      const set = { headers: { 'x-request-id': 'one' } };
      const origin = new RequestOrigin(loadConfig({}, {}), { request, server, set });
      if (isKept) origin.readPeer();
      request.signal.addEventListener('abort', () => {
        const { address, user_agent, request_id } = origin;
        hungUp.resolve({ address, user_agent, request_id });
      });
      client.abort();
      await hungUp.promise;
      return new Response();
    },
  });
  const headers = { 'user-agent': 'Firefox' };
  await fetch(server.url, { signal: client.signal, headers }).catch(() => {});
  return await hungUp.promise;
}

test('the address of a client is lost when it disconnects, unless it was read before', async () => {
  const known = { user_agent: 'Firefox', request_id: 'one' };
  expect(await afterHangUp(true)).toEqual({ ...known, address: '127.0.0.1' });
  expect(await afterHangUp(false)).toEqual({ ...known, address: null });
});
