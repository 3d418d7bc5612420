import { describe, expect, test } from 'bun:test';
import { mailsIn } from '../../../outbox.ts';
import { until } from '../../../until.ts';
import { receiver, type WebhooksApp, webhooksApp } from '../../../webhooks.ts';

const HOUR_MS = 3_600_000;
const DELAYS_S = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];

/** Sends the next attempt of the only pending delivery, when it is due. Returns the waited seconds. */
async function nextAttempt(t: WebhooksApp, id: number): Promise<number> {
  const [pending] = await t.log(id, '?state=pending');
  const waitMs = Date.parse(String(pending?.next_attempt_at)) - t.clock.at;
  t.clock.at += waitMs - 1;
  await t.send();
  t.clock.at += 1;
  await t.send();
  return waitMs / 1000;
}

describe('a delivery that fails', () => {
  test('is tried ten times over three days, and then has failed', async () => {
    // Not a 5xx: after five of them the host would be left alone for some real seconds.
    await using hooks = receiver(() => new Response('no', { status: 400 }));
    await using t = await webhooksApp([hooks.host]);
    const { id } = await t.create({ url: hooks.url });
    await t.item();
    await t.send();
    for (const [index, delay] of DELAYS_S.entries()) {
      const waited = await nextAttempt(t, id);
      expect(waited).toBeGreaterThanOrEqual(delay);
      expect(waited).toBeLessThanOrEqual(delay * 1.25);
      expect(hooks.asked).toHaveLength(index + 2);
    }
    expect(await t.log(id)).toMatchObject([
      { state: 'failed', attempts: 10, next_attempt_at: null, response_status: 400 },
    ]);
    expect(new Set(hooks.asked.map(({ headers }) => headers.get('webhook-id'))).size).toBe(1);
    const times = hooks.asked.map(({ headers }) => Number(headers.get('webhook-timestamp')));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(new Set(times).size).toBe(10);
    // One event that no one accepts does not disable the webhook.
    expect(await t.get(id)).toMatchObject({ is_active: true, failing_since: expect.any(String) });
  });

  test('waits as long as Retry-After says, up to a day', async () => {
    let after = '7200';
    const busy = () => new Response(null, { status: 429, headers: { 'retry-after': after } });
    await using hooks = receiver(busy);
    await using t = await webhooksApp([hooks.host]);
    const { id } = await t.create({ url: hooks.url });
    await t.item();
    await t.send();
    after = '999999';
    expect(await nextAttempt(t, id)).toBeGreaterThanOrEqual(7200);
    const waited = await nextAttempt(t, id);
    expect(waited).toBeGreaterThanOrEqual(86_400);
    expect(waited).toBeLessThanOrEqual(86_400 * 1.25);
  });

  test('is not retried after it succeeded, and the webhook is healthy again', async () => {
    let status = 500;
    await using hooks = receiver(() => new Response(null, { status }));
    await using t = await webhooksApp([hooks.host]);
    const { id } = await t.create({ url: hooks.url });
    await t.item();
    await t.send();
    expect(await t.get(id)).toMatchObject({ failing_since: new Date(t.clock.at).toISOString() });
    status = 202;
    await nextAttempt(t, id);
    expect(await t.get(id)).toMatchObject({ failing_since: null });
    t.clock.at += 48 * HOUR_MS;
    await t.send();
    expect(hooks.asked).toHaveLength(2);
    expect(await t.log(id)).toMatchObject([
      { state: 'succeeded', attempts: 2, response_status: 202, error: null },
    ]);
  });

  test('does not hold back later events', async () => {
    const refuse = (request: Request) =>
      new Response(null, { status: request.url.endsWith('/1') ? 500 : 200 });
    await using bad = receiver(refuse);
    await using t = await webhooksApp([bad.host]);
    await t.create({ url: `${bad.url}/1` });
    const good = await t.create({ url: `${bad.url}/2` });
    await t.item();
    await t.item();
    await t.send();
    expect(await t.log(good.id)).toMatchObject([{ state: 'succeeded' }, { state: 'succeeded' }]);
    expect(bad.asked).toHaveLength(4);
  });

  test('records a connection that was refused, without an address or a path', async () => {
    const gone = receiver();
    await gone[Symbol.asyncDispose]();
    await using t = await webhooksApp([gone.host]);
    const { id } = await t.create({ url: `${gone.url}/secret-path?key=hay` });
    await t.item();
    await t.send();
    const [delivery] = await t.log(id);
    expect(delivery).toMatchObject({ state: 'pending', attempts: 1, response_status: null });
    expect(delivery?.error).toBe(`The connection to ${gone.host} failed`);
  });
});

describe('a receiver', () => {
  test('that answers 410 is disabled, and the admins are told', async () => {
    await using hooks = receiver(() => new Response(null, { status: 410 }));
    await using t = await webhooksApp([hooks.host], { logLevel: 'warn' });
    const { id } = await t.create({ url: hooks.url });
    await t.item();
    await t.send();
    expect(await t.get(id)).toMatchObject({ is_active: false, disabled_reason: 'gone' });
    expect(await t.log(id)).toMatchObject([{ state: 'failed', response_status: 410 }]);
    await t.deps.jobs.runDue();
    const mails = mailsIn(t.deps.config.dataDir).filter((it) =>
      it.includes('A webhook was disabled'),
    );
    expect(mails).toHaveLength(1);
    expect(mails[0]).toContain('To: root@example.com');
    const audit = t.deps.db.client
      .query(`select actor_id, details from audit_log where action = 'webhook.disabled'`)
      .all();
    expect(audit).toEqual([{ actor_id: null, details: `{"webhook":${id},"reason":"gone"}` }]);
    expect(t.logLines.join('')).toContain('A webhook was disabled.');
    await t.item();
    await t.send();
    expect(hooks.asked).toHaveLength(1);
  });

  test('that fails for five days is disabled; once enabled, it gets what was pending', async () => {
    let status = 404;
    await using hooks = receiver(() => new Response(null, { status }));
    await using t = await webhooksApp([hooks.host]);
    const { id } = await t.create({ url: hooks.url });
    await t.item();
    await t.send();
    t.clock.at += 4 * 24 * HOUR_MS;
    await t.item();
    await t.send();
    expect(await t.get(id)).toMatchObject({ is_active: true });
    t.clock.at += 24 * HOUR_MS;
    await t.send();
    expect(await t.get(id)).toMatchObject({ is_active: false, disabled_reason: 'failing' });
    expect((await t.log(id, '?state=pending')).length).toBeGreaterThan(0);
    status = 204;
    expect(await t.patch(id, { is_active: true })).toMatchObject({
      disabled_reason: null,
      failing_since: null,
    });
    t.clock.at += 24 * HOUR_MS;
    await t.send();
    expect(await t.log(id, '?state=pending')).toEqual([]);
    expect(await t.log(id, '?state=succeeded')).toHaveLength(2);
  });

  // proves: costly-work.deliveries-of-webhooks
  test('that hangs does not delay another', async () => {
    const { promise, resolve } = Promise.withResolvers<Response>();
    await using slow = receiver(() => promise);
    await using fast = receiver();
    await using t = await webhooksApp([slow.host, fast.host]);
    await t.create({ url: slow.url });
    await t.create({ url: fast.url });
    for (let index = 0; index < 20; index++) await t.item();
    const sending = t.send();
    await until(() => fast.asked.length === 20);
    expect(slow.asked).toHaveLength(4);
    resolve(new Response());
    await sending;
    expect(slow.asked).toHaveLength(20);
  });

  test('gets the events about one row one at a time, in order', async () => {
    let active = 0;
    let most = 0;
    await using hooks = receiver(async () => {
      active += 1;
      most = Math.max(most, active);
      await Bun.sleep(2);
      active -= 1;
      return new Response();
    });
    await using t = await webhooksApp([hooks.host]);
    await t.create({ url: hooks.url });
    const id = await t.item();
    for (let index = 0; index < 10; index++) {
      await t.json('PATCH', `/api/v2/items/${id}`, { title: `Hay ${index}` }, t.ada.token);
    }
    await t.send();
    expect(most).toBe(1);
    const log = await t.log(1);
    const sent = hooks.asked.map(({ headers }) => headers.get('webhook-id'));
    expect(sent).toEqual(log.map(({ event_id }) => event_id).toReversed());
    expect(sent).toHaveLength(11);
  });

  test('may answer with any body of any type and size', async () => {
    await using hooks = receiver(() => new Response('ok'.repeat(2_000_000)));
    await using t = await webhooksApp([hooks.host]);
    const { id } = await t.create({ url: hooks.url });
    await t.item();
    await t.send();
    expect(await t.log(id)).toMatchObject([{ state: 'succeeded', response_status: 200 }]);
  });
});
