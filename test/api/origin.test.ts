import { expect, test } from 'bun:test';
import { RequestOrigin } from '../../src/api/origin.ts';
import { loadConfig } from '../../src/core/config.ts';

/** The address that a handler reads after its client has hung up. */
async function addressAfterHangUp(isKept: boolean): Promise<string | null> {
  const client = new AbortController();
  const address = Promise.withResolvers<string | null>();
  await using server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async (request, server) => {
      const set = { headers: { 'x-request-id': 'one' } };
      const origin = new RequestOrigin(loadConfig({}, {}), { request, server, set });
      if (isKept) origin.keepAddress();
      request.signal.addEventListener('abort', () => address.resolve(origin.address));
      client.abort();
      await address.promise;
      return new Response();
    },
  });
  await fetch(server.url, { signal: client.signal }).catch(() => {});
  return await address.promise;
}

test('a client that hangs up does not take along an address that was kept', async () => {
  expect(await addressAfterHangUp(true)).toBe('127.0.0.1');
  expect(await addressAfterHangUp(false)).toBe(null);
});
