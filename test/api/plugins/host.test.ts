import { describe, expect, test } from 'bun:test';
import { testApp } from '../../support.ts';

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
  ])('%s, a request for the host %p is %d', async (publicUrl, host, status) => {
    expect(await statusFor(publicUrl, host)).toBe(status);
  });

  test.each(['10.42.0.7:3000', '[fd00::7]:3000', 'hutch.default.svc', 'evil.example', ''])(
    'only probes are served for the host %p',
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

describe('without a public URL', () => {
  const statusOn = async (bound: string, host: string, path = '/api/v2/system/version') => {
    await using t = await testApp({ config: { host: bound } });
    return (await t.request('GET', path, { headers: { host } })).status;
  };

  test.each(['127.0.0.1', 'localhost', '::1'])(
    // proves: outbound-calls.inbound
    'a server on %s alone refuses names that a stranger may own',
    async (bound) => {
      const foreign = [
        ...['evil.example', 'evil.example:3000', 'evil.example.', '127.0.0.1.evil.example'],
        ...['localhost.evil.example', 'evil-localhost.com', 'a.notlocal'],
      ];
      for (const host of foreign) {
        expect(`${host} ${await statusOn(bound, host)}`).toBe(`${host} 421`);
      }
    },
  );

  test.each([
    ...['localhost', 'localhost:3000', 'LOCALHOST.', 'app.localhost:5173', '127.0.0.1:3000'],
    ...[
      '[::1]:3000',
      '10.0.0.5:3000',
      '192.168.1.2',
      'x',
      'hutch:3000',
      'hutch.internal',
      'box.local',
    ],
    // proves: outbound-calls.inbound
  ])('it serves %s', async (host) => {
    expect(await statusOn('127.0.0.1', host)).toBe(200);
  });

  test('it serves probes for any host', async () => {
    expect(await statusOn('127.0.0.1', 'evil.example', '/health/live')).toBe(200);
  });

  test('a server on other addresses serves every host', async () => {
    expect(await statusOn('0.0.0.0', 'anything.example')).toBe(200);
  });
});

test('malformed_request for two Host headers, which Bun joins, also without a public URL', async () => {
  expect(await statusFor('', 'one.example, two.example')).toBe(400);
});
