import { describe, expect, test } from 'bun:test';
import { receiver, webhooksApp } from '../../../webhooks.ts';

describe('a webhook', () => {
  // proves: outbound-calls.the-url-of-a-webhook, 15.3.2
  test.each([301, 302, 303, 307, 308])('does not follow a redirect with %i', async (status) => {
    await using inner = receiver();
    await using hooks = receiver(
      () => new Response(null, { status, headers: { location: `${inner.url}/x` } }),
    );
    await using t = await webhooksApp([hooks.host, inner.host]);
    const { id } = await t.create({ url: hooks.url });
    await t.item();
    await t.send();
    expect([hooks.asked.length, inner.asked.length]).toEqual([1, 0]);
    expect(await t.log(id)).toMatchObject([
      { state: 'pending', attempts: 1, error: `${hooks.host} redirected the call` },
    ]);
  });

  test('is not sent to a host that may be called no longer', async () => {
    await using hooks = receiver();
    await using t = await webhooksApp();
    const { id } = await t.create({ url: 'https://hooks.example.com/' });
    // As if an operator had removed the host from HUTCH_EXTERNAL_ALLOW_HOSTS.
    t.deps.db.client.run('update webhooks set url = ? where id = ?', [hooks.url, id]);
    await t.item();
    await t.send();
    expect(hooks.asked).toEqual([]);
    const [delivery] = await t.log(id);
    expect(delivery).toMatchObject({
      attempts: 1,
      error: expect.stringContaining('port 80 or 443'),
    });
  });

  test('is only for hosts of HUTCH_EXTERNAL_ONLY_HOSTS, if it is set', async () => {
    await using t = await webhooksApp([], { externalOnlyHosts: ['hooks.example.com'] });
    await t.create({ url: 'https://hooks.example.com/' });
    const refused = await t.api('POST', '', { url: 'https://example.org/', events: ['*'] });
    expect(await refused.json()).toMatchObject({
      status: 422,
      errors: [{ path: 'body.url', code: 'url_refused' }],
    });
  });
});
