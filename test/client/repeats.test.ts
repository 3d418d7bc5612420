import { describe, expect, test } from 'bun:test';
import { isKeyed } from '../../src/client/retry.ts';
import { createClient } from '../../src/client.ts';
import { testApp } from '../support.ts';

type Step = number | 'lost' | [status: number, headers: Record<string, string>];

/** A client of a server that sends one step per request, and then 200. */
function scripted(steps: Step[], options: Parameters<typeof createClient>[1] = {}) {
  const requests: Request[] = [];
  const fetch = async (request: Request) => {
    requests.push(request);
    const step = steps.shift() ?? 200;
    if (step === 'lost') throw new TypeError('fetch failed');
    const [status, headers] = typeof step === 'number' ? [step, { 'retry-after': '0' }] : step;
    return Response.json(
      { code: status === 401 ? 'unauthenticated' : 'busy', title: '' },
      { status, headers },
    );
  };
  const client = createClient('http://localhost', { fetch, ...options });
  return { requests, v1: client.v1, v2: client.v2 };
}

describe('a call is retried', () => {
  test.each<[string, Step[], number]>([
    ['a 503', [503], 200],
    ['two 503', [503, 503], 200],
    ['a lost connection', ['lost'], 200],
    ['a 429', [429], 200],
    ['gateway errors', [502, 504], 200],
    ['a Retry-After that is a date', [[503, { 'retry-after': new Date(0).toUTCString() }]], 200],
    ['more than the maximum', [503, 503, 503], 503],
    ['a Retry-After beyond the maximum delay', [[429, { 'retry-after': '31' }]], 429],
    ['a permanent error', [500], 500],
    ['a refusal', [422], 422],
  ])('after %s, or not', async (_, steps, status) => {
    expect((await scripted(steps).v2.items.get()).status).toBe(status);
  });

  test('only if that is safe', async () => {
    const item = { title: 'straw' };
    const outcomes = async (
      call: (it: ReturnType<typeof scripted>) => Promise<{ status: number }>,
    ) =>
      Promise.all(
        ([['lost'], [503], [429]] as Step[][]).map(
          async (steps) => (await call(scripted(steps))).status,
        ),
      );
    expect(await outcomes(({ v2 }) => v2.items.post(item))).toEqual([200, 200, 200]);
    expect(await outcomes(({ v2 }) => v2.items({ item_id: 1 }).delete())).toEqual([200, 200, 200]);
    expect(await outcomes(({ v1 }) => v1.items.post(item))).toEqual([0, 503, 200]);
    expect(await outcomes(({ v2 }) => v2.items({ item_id: 1 }).patch(item))).toEqual([0, 503, 200]);
    const login = { login: 'ada', password: 'password123' };
    expect(await outcomes(({ v2 }) => v2.auth.login.post(login))).toEqual([0, 503, 200]);
    expect(await outcomes(({ v2 }) => v2.items.import.post('{}'))).toEqual([200, 200, 200]);
  });

  test('as often as the client or the call allows', async () => {
    const statusOf = async (client: object, own: object) => {
      const { v2, requests } = scripted(Array(9).fill(503), client);
      await v2.items.get(own);
      return requests.length;
    };
    expect(await statusOf({}, {})).toBe(3);
    expect(await statusOf({ retries: 0 }, {})).toBe(1);
    expect(await statusOf({ retries: 5 }, {})).toBe(6);
    expect(await statusOf({ retries: { count: 1 } }, {})).toBe(2);
    expect(await statusOf({ retries: 5 }, { retries: 0 })).toBe(1);
  });

  test('with the same body and Idempotency-Key', async () => {
    const { v2, requests } = scripted(['lost', 503]);
    await v2.items.post({ title: 'straw' });
    const keys = requests.map(({ headers }) => headers.get('idempotency-key'));
    expect(keys).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/), keys[0], keys[0]] as never);
    expect(await Promise.all(requests.map((it) => it.text()))).toEqual(
      Array(3).fill('{"title":"straw"}'),
    );
  });

  test('but not after its signal is aborted', async () => {
    const abort = new AbortController();
    const { v2, requests } = scripted([[503, { 'retry-after': '20' }]]);
    const call = v2.items.get({ signal: abort.signal });
    await Bun.sleep(0);
    abort.abort();
    expect((await call).error?.kind).toBe('aborted');
    expect(requests).toHaveLength(1);
  });

  test('but not with a stream, which can be read only once', async () => {
    const { v2, requests } = scripted([429]);
    const stream = new Blob(['{}']).stream();
    expect((await v2.items.import.post(stream)).status).toBe(429);
    expect(requests).toHaveLength(1);
  });
});

test('the client knows the routes that accept an Idempotency-Key', async () => {
  await using t = await testApp();
  const document = await (await t.request('GET', '/openapi.json')).json();
  const { paths } = document as {
    paths: Record<string, { post?: { parameters?: { name: string }[] } }>;
  };
  const posts = Object.entries(paths).flatMap(([path, { post }]) => (post ? [{ path, post }] : []));
  const keyed = posts.filter(({ post: { parameters = [] } }) =>
    parameters.some(({ name }) => name.toLowerCase() === 'idempotency-key'),
  );
  expect(keyed.length).toBeGreaterThan(5);
  const known = posts.filter(({ path }) => isKeyed(path.replace(/{\w+}/g, '7')));
  expect(known).toEqual(keyed);
});

describe('a token', () => {
  test('may be asynchronous', async () => {
    const { v2, requests } = scripted([], { token: async () => 'later' });
    await v2.items.get();
    expect(requests[0]?.headers.get('authorization')).toBe('Bearer later');
  });

  /** A client of a server that accepts only the token `new`, and its number of renewals. */
  const renewing = (isRenewed: boolean) => {
    let token = 'old';
    let renewals = 0;
    const fetch = async ({ headers }: Request) => {
      const isNew = headers.get('authorization') === 'Bearer new';
      return isNew
        ? Response.json([])
        : Response.json({ code: 'unauthenticated', title: '' }, { status: 401 });
    };
    const client = createClient('http://localhost', {
      fetch,
      token: () => token,
      onUnauthorized: async (error) => {
        expect(error.status).toBe(401);
        renewals++;
        await Bun.sleep(0);
        if (isRenewed) token = 'new';
        return isRenewed;
      },
    });
    return { items: client.v2.items, renewals: () => renewals };
  };

  test('that was refused is renewed once for all calls, which are retried', async () => {
    const { items, renewals } = renewing(true);
    const results = await Promise.all(Array.from({ length: 5 }, () => items.get()));
    expect(results.map(({ status }) => status)).toEqual(Array(5).fill(200));
    expect(renewals()).toBe(1);
  });

  test('that cannot be renewed leaves the 401', async () => {
    const { items, renewals } = renewing(false);
    expect([(await items.get()).status, renewals()]).toEqual([401, 1]);
  });

  test('is not renewed after a wrong password, nor by the calls that renew it', async () => {
    await using t = await testApp();
    await t.signUp('ada');
    let renewals = 0;
    const client = createClient('http://localhost', {
      fetch: (request) => t.app.handle(request),
      onUnauthorized: async (_, { v2 }) => {
        renewals++;
        return (await v2.users.me.get()).error === null;
      },
    });
    const wrong = { login: 'ada', password: 'wrong-password' };
    expect((await client.v2.auth.login.post(wrong)).status).toBe(401);
    expect(renewals).toBe(0);
    expect((await client.v2.users.me.get()).status).toBe(401);
    expect(renewals).toBe(1);
  });
});

test('requests have the credentials mode of the client', async () => {
  const { v2, requests } = scripted([], { credentials: 'include' });
  await v2.items.get();
  expect(requests[0]?.credentials).toBe('include');
});
