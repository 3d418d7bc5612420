import { describe, expect, test } from 'bun:test';
import { createApp } from '../../../src/app.ts';
import { loadConfig } from '../../../src/core/config/config.ts';
import { testApp } from '../../support.ts';

/** An application that has no time for any request. */
async function overloaded() {
  const t = await testApp();
  const admission = {
    isOverloaded: () => true,
    refusal: <T>(refuse: () => T) => refuse(),
    refused: () => 0,
  };
  const app = createApp({ ...t.deps, admission });
  const send = (method: string, path: string, init: RequestInit = {}) =>
    app.handle(new Request(`http://localhost${path}`, { ...init, method }));
  return { ...t, send };
}

describe('overloaded', () => {
  test('is a problem in v2, with the usual headers and Retry-After', async () => {
    await using t = await overloaded();
    const headers = { 'x-request-id': 'request-0001' };
    const refused = await t.send('GET', '/api/v2/items/1?x="', { headers });
    expect(refused.status).toBe(503);
    expect(Object.fromEntries(refused.headers)).toMatchObject({
      'retry-after': '1',
      'content-type': 'application/problem+json',
      'x-request-id': 'request-0001',
      'x-content-type-options': 'nosniff',
    });
    expect(refused.headers.get('connection')).toBeNull();
    expect(await refused.json()).toEqual({
      type: 'about:blank',
      title: 'Overloaded',
      status: 503,
      detail: 'The server is overloaded, try again later',
      instance: '/api/v2/items/1',
      code: 'overloaded',
      request_id: 'request-0001',
    });
  });

  test('has the form of v1 elsewhere, with a new request id each time', async () => {
    await using t = await overloaded();
    const responses = [await t.send('GET', '/api/v1/items/'), await t.send('GET', '/nowhere')];
    for (const response of responses) {
      expect(response.status).toBe(503);
      expect(await response.json()).toEqual({
        detail: 'The server is overloaded, try again later',
      });
    }
    expect(new Set(responses.map(({ headers }) => headers.get('x-request-id'))).size).toBe(2);
  });

  // proves: costly-work.overload
  test('comes before any work: nothing is read, counted or looked up', async () => {
    await using t = await overloaded();
    let isRead = false;
    const body = new ReadableStream(
      {
        pull: (controller) => {
          isRead = true;
          controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    const headers = { 'content-type': 'application/json', authorization: 'Bearer wrong' };
    const refused = await t.send('POST', '/api/v2/items', { body, headers });
    expect(refused.status).toBe(503);
    expect(isRead).toBe(false);
  });

  test('closes a connection whose body is not read', async () => {
    await using t = await overloaded();
    const send = (headers: Record<string, string>) => t.send('POST', '/api/v2/items', { headers });
    const chunked = await send({ 'transfer-encoding': 'chunked' });
    const long = await send({ 'content-length': '2000000' });
    const short = await send({ 'content-length': '1000' });
    const ends = [chunked, long, short].map(({ headers }) => headers.get('connection'));
    expect(ends).toEqual(['close', 'close', null]);
  });

  // proves: costly-work.overload
  test('never applies to probes', async () => {
    await using t = await overloaded();
    for (const path of ['/health/live', '/health/ready']) {
      expect((await t.send('GET', path)).status).toBe(200);
      expect((await t.send('HEAD', path)).status).toBe(200);
    }
    expect((await t.send('GET', '/health/other')).status).toBe(503);
  });
});

test('is on by default and can be turned off', async () => {
  expect(loadConfig({}, {}).admissionControl).toBe('on');
  await using on = await testApp({ config: { admissionControl: 'on' } });
  await using off = await testApp({ config: { admissionControl: 'off' } });
  expect([on.deps.admission, off.deps.admission]).toEqual([expect.anything(), undefined]);
});
