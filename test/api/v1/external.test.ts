import { describe, expect, test } from 'bun:test';
import { testApp } from '../../support.ts';

function upstream(handler: (request: Request) => Response | Promise<Response>) {
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: handler });
  const host = `127.0.0.1:${server.port}`;
  return { host, url: `http://${host}/`, [Symbol.asyncDispose]: () => server.stop(true) };
}

async function fetchAs(hosts: string[], urls: string[]) {
  await using t = await testApp({ config: { externalAllowHosts: hosts } });
  const { client } = await t.signUp('ada');
  return await client.api.v1.external.get({ query: { url: urls } });
}

describe('GET /external/', () => {
  test('returns the JSON of each URL in the requested order', async () => {
    await using up = upstream(async ({ url }) => {
      const { pathname } = new URL(url);
      await Bun.sleep(pathname === '/slow' ? 30 : 0);
      return Response.json({ pathname });
    });
    const { data } = await fetchAs([up.host], [`${up.url}slow`, `${up.url}a,b`, `${up.url}c`]);
    expect(data).toEqual([{ pathname: '/slow' }, { pathname: '/a,b' }, { pathname: '/c' }]);
  });

  test('passes numbers on with the digits that they have', async () => {
    const json = '{"id":1234567890123456789,"huge":1e400,"list":[-9007199254740993],"plain":0.5}';
    await using up = upstream(
      () => new Response(json, { headers: { 'content-type': 'application/json' } }),
    );
    await using t = await testApp({ config: { externalAllowHosts: [up.host] } });
    const { token } = await t.signUp('ada');
    const answer = await t.request('GET', `/api/v1/external/?url=${up.url}`, { token });
    expect(await answer.text()).toBe(`[${json}]`);
  });

  // proves: input.json-size
  test('upstream_failed for more structure than can be read at once', async () => {
    await using up = upstream(() => Response.json(Array(120_000).fill(0)));
    const { status, error } = await fetchAs([up.host], [up.url]);
    expect(status).toBe(502);
    expect(JSON.stringify(error?.value)).toContain('more than 100000 values');
  });

  test('upstream_failed names the first URL that failed', async () => {
    await using up = upstream(({ url }) =>
      url.endsWith('/bad') ? new Response('down', { status: 500 }) : Response.json(1),
    );
    const { status, error } = await fetchAs([up.host], [up.url, `${up.url}bad`]);
    expect(status).toBe(502);
    expect(JSON.stringify(error?.value)).toContain(up.host);
  });

  // proves: costly-work.outside-calls
  test('failures of one account at a host do not affect other accounts', async () => {
    let hits = 0;
    await using up = upstream(() => {
      hits++;
      return new Response('down', { status: 500 });
    });
    await using t = await testApp({ config: { externalAllowHosts: [up.host] }, logLevel: 'warn' });
    const [ada, bob] = [await t.signUp('ada'), await t.signUp('bob')];
    const query = { url: [up.url] };
    for (let call = 0; call < 6; call++) await ada.client.api.v1.external.get({ query });
    expect(hits).toBe(5);
    expect((await bob.client.api.v1.external.get({ query })).status).toBe(502);
    expect(hits).toBe(6);
    // Told as the fault of others that it is: without a stack of ours.
    expect(t.logLines.filter((line) => line.includes('upstream_failed'))).toHaveLength(7);
    expect(t.logLines.join('')).not.toContain('    at ');
  });

  test('upstream_failed for a private address, which nothing dials', async () => {
    let hits = 0;
    await using up = upstream(() => {
      hits++;
      return Response.json(1);
    });
    const urls = [`http://localhost:80/`, `http://[::ffff:127.0.0.1]/`, 'http://169.254.169.254/'];
    for (const url of urls) expect((await fetchAs([], [url])).status).toBe(502);
    expect((await fetchAs([], [up.url])).status).toBe(422);
    expect(hits).toBe(0);
  });

  // proves: 1.2.2
  test.each(['file:///etc/hostname', 'data:text/plain,hi', 'http://u:p@example.com/', 'nonsense'])(
    // proves: input.outside-url
    'validation_failed for %s, naming it',
    async (url) => {
      const { status, error } = await fetchAs([], [url]);
      expect(status).toBe(422);
      expect(error?.value).toMatchObject({ detail: [{ loc: ['query', 'url', 0] }] } as never);
    },
  );

  // proves: input.outside-url
  test('validation_failed without a URL or with too many', async () => {
    await using t = await testApp({ config: { externalMaxUrls: 2 } });
    const { token } = await t.signUp('ada');
    const type = async (search: string) => {
      const answer = await t.request('GET', `/api/v1/external/${search}`, { token });
      return ((await answer.json()) as { detail: { type: string }[] }).detail[0]?.type;
    };
    expect(await type('')).toBe('missing');
    expect(await type('?url=a&url=b&url=c')).toBe('too_long');
  });

  test('unauthenticated without credentials, before anything is fetched', async () => {
    await using t = await testApp();
    const query = { url: ['http://example.com/'] };
    expect((await t.client.api.v1.external.get({ query })).status).toBe(401);
  });
});
