import { describe, expect, test } from 'bun:test';
import { testApp } from '../support.ts';

async function statusFor(publicUrl: string, host: string): Promise<number> {
  await using t = await testApp({ config: { publicUrl } });
  return (await t.request('GET', '/api/v2/system/version', { headers: { host } })).status;
}

describe('with a public URL', () => {
  test.each([
    ['https://api.example.com', 'api.example.com', 200],
    ['https://api.example.com', 'API.Example.com', 200],
    ['https://api.example.com', 'api.example.com:443', 200],
    ['https://api.example.com', 'api.example.com.', 200],
    ['https://api.example.com', 'API.example.com.:443', 200],
    ['https://api.example.com', 'api.example.com..', 421],
    ['https://api.example.com', 'api.example.com.:8443', 421],
    ['https://api.example.com', 'localhost.:3000', 200],
    ['https://api.example.com', '.api.example.com', 421],
    ['https://api.example.com', 'api.example.com:8443', 421],
    ['https://api.example.com:8443', 'api.example.com:8443', 200],
    ['https://api.example.com:8443', 'api.example.com', 421],
    ['http://api.example.com', 'api.example.com:80', 200],
    ['https://api.example.com', 'localhost:3000', 200],
    ['https://api.example.com', '127.0.0.1:3000', 200],
    ['https://api.example.com', '[::1]:3000', 200],
    ['https://api.example.com', 'evil.example', 421],
    ['https://api.example.com', 'api.example.com.evil.example', 421],
    ['https://api.example.com', 'localhost.evil.example', 421],
    ['https://api.example.com', '127.0.0.1.evil.example', 421],
    ['https://api.example.com', 'evil.example, api.example.com', 400],
    ['https://api.example.com', '10.0.0.5', 421],
    ['https://api.example.com', '', 421],
  ])('%s, the host %p is answered with %d', async (publicUrl, host, status) => {
    expect(await statusFor(publicUrl, host)).toBe(status);
  });

  test.each(['10.42.0.7:3000', '[fd00::7]:3000', 'hutch.default.svc', 'evil.example', ''])(
    'probes are answered for the host %p, and nothing else is',
    async (host) => {
      await using t = await testApp({ config: { publicUrl: 'https://api.example.com' } });
      const statusOf = async (method: string, path: string) =>
        (await t.request(method, path, { headers: { host } })).status;
      const probes = ['/health/live', '/health/ready', '/health/ready/'];
      for (const path of probes) {
        expect([await statusOf('GET', path), await statusOf('HEAD', path)]).toEqual([200, 200]);
      }
      const others = ['/health', '/health/x', '/health/live/x', '/openapi.json', '/'];
      for (const path of others)
        expect(`${path} ${await statusOf('GET', path)}`).toBe(`${path} 421`);
      expect(await statusOf('POST', '/health/live')).toBe(421);
    },
  );

  test('misdirected_request has the form of its version', async () => {
    await using t = await testApp({ config: { publicUrl: 'https://api.example.com' } });
    const headers = { host: 'evil.example' };
    const v2 = await t.request('GET', '/api/v2/system/version', { headers });
    expect(v2.status).toBe(421);
    expect(await v2.json()).toMatchObject({ status: 421, code: 'misdirected_request' });
    const v1 = await t.request('GET', '/api/v1/items/', { headers });
    expect(await v1.json()).toEqual({ detail: 'This server does not serve that host' });
  });
});

test('without a public URL every host is served', async () => {
  expect(await statusFor('', 'anything.example')).toBe(200);
});

test('malformed_request for two Host headers, which Bun joins, with no public URL either', async () => {
  expect(await statusFor('', 'one.example, two.example')).toBe(400);
});
