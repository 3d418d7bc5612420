import { expect, test } from 'bun:test';
import { PASSWORD, testApp } from '../support.ts';

interface Declared {
  operationId: string;
  parameters?: { name: string; in: string }[];
  responses: Record<string, { headers?: Record<string, unknown> }>;
}

/** Headers that only some operations send; the others depend on settings or failures. */
const OWN = ['ETag', 'Location', 'Idempotency-Replayed', 'X-Cache', 'Age'];
/** Operations that need a provider, an authenticator or an external API; other tests check them. */
const ELSEWHERE = ['linkIdentity', 'returnFromProvider', 'addPasskey', 'callSource'];
/** Needs a setting; test/api/v2/auth/idempotent-accounts.test.ts checks it. */
const WITH_MAIL = 'register 202 Idempotency-Replayed';

const SOURCE = { name: 'weather', base_url: 'https://api.example.com', path: '/', access: 'user' };
const WEBHOOK = { url: 'https://hooks.example.com/hutch', events: ['items.*'] };

async function declaredBy(t: Awaited<ReturnType<typeof testApp>>): Promise<Declared[]> {
  const document = await (await t.request('GET', '/openapi.json')).json();
  const { paths } = document as { paths: Record<string, Record<string, Declared>> };
  return Object.values(paths)
    .flatMap((methods) => Object.values(methods))
    .filter(({ operationId }) => !ELSEWHERE.includes(operationId));
}

/** The request headers that the document declares. */
const READ = ['If-Match', 'If-None-Match', 'Idempotency-Key', 'Last-Event-ID'];

/** Records which headers of READ are read, until it is disposed. */
function recordReads() {
  const names = new Set<string>();
  const { get, has } = Headers.prototype;
  const record = (name: string) => names.add(name.toLowerCase());
  Object.assign(Headers.prototype, {
    get(this: Headers, name: string) {
      record(name);
      return get.call(this, name);
    },
    has(this: Headers, name: string) {
      record(name);
      return has.call(this, name);
    },
  });
  return {
    seen: () => READ.filter((name) => names.has(name.toLowerCase())),
    [Symbol.dispose]: () => Object.assign(Headers.prototype, { get, has }),
  };
}

test('an operation reads the request headers and sends the response headers that it declares', async () => {
  await using t = await testApp();
  const { token } = await t.signUp('root', 'admin');
  const read = new Set<string>();
  const seen = new Set<string>();
  const send = async (id: string, call: string, body?: unknown, extra: object = {}) => {
    const [method = '', path = ''] = call.split(' ');
    const headers = { ...(body ? { 'content-type': 'application/json' } : {}), ...extra };
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const init = body === undefined ? {} : { body: text };
    using reads = recordReads();
    const response = await t.request(method, path, { ...init, headers, token });
    for (const name of reads.seen()) read.add(`${id} ${name}`);
    expect(response.status, `${id}: ${await response.clone().text()}`).toBeLessThan(400);
    for (const name of OWN)
      if (response.headers.has(name)) seen.add(`${id} ${response.status} ${name}`);
  };
  const account = (username: string) => ({
    email: `${username}@example.com`,
    username,
    password: 'straw-and-carrots-1',
  });
  const twice = async (id: string, call: string, body?: unknown) => {
    for (let i = 0; i < 2; i++) await send(id, call, body, { 'idempotency-key': id });
  };
  await twice('register', 'POST /api/v2/auth/register', account('anna'));
  await twice('createAccount', 'POST /api/v2/users', account('bert'));
  const proof = { name: 'backup', scopes: ['items:read'], password: PASSWORD };
  await twice('createToken', 'POST /api/v2/tokens', proof);
  await twice('createItemV2', 'POST /api/v2/items', { title: 'A warm hutch' });
  await twice('batchItems', 'POST /api/v2/items/batch', {
    operations: [{ op: 'create', item: { title: 'Another' } }],
  });
  for (let i = 0; i < 2; i++) {
    const headers = { 'content-type': 'text/csv', 'idempotency-key': 'importItems' };
    const body = 'title\nA third\n';
    await send('importItems', 'POST /api/v2/items/import', body, headers);
  }
  await send('getItemV2', 'GET /api/v2/items/1');
  await send('getItemV2', 'GET /api/v2/items/1', undefined, { 'if-none-match': '*' });
  await send('updateItemV2', 'PATCH /api/v2/items/1', { title: 'A warmer hutch' });
  await twice('revertItem', 'POST /api/v2/items/1/revisions', { version: 1 });
  await send('deleteItemV2', 'DELETE /api/v2/items/1');
  await twice('restoreItem', 'POST /api/v2/items/1/restore');
  await twice('createSource', 'POST /api/v2/sources', SOURCE);
  await send('getSource', 'GET /api/v2/sources/weather/definition');
  await send('getSource', 'GET /api/v2/sources/weather/definition', undefined, {
    'if-none-match': '*',
  });
  await send('updateSource', 'PATCH /api/v2/sources/weather', { is_enabled: false });
  await send('deleteSource', 'DELETE /api/v2/sources/weather');
  const webhook = '/api/v2/webhooks/1';
  await twice('createWebhook', 'POST /api/v2/webhooks', WEBHOOK);
  await send('getWebhook', `GET ${webhook}`);
  await send('getWebhook', `GET ${webhook}`, undefined, { 'if-none-match': '*' });
  await send('updateWebhook', `PATCH ${webhook}`, { description: 'Orders' });
  await twice('rotateWebhookSecret', `POST ${webhook}/rotate-secret`, {});
  await twice('testWebhook', `POST ${webhook}/test`);
  t.deps.db.client.run("update webhook_deliveries set state = 'failed'");
  await twice('replayWebhookDelivery', `POST ${webhook}/deliveries/1/replay`);
  await send('deleteWebhook', `DELETE ${webhook}`);
  await send('listenToItems', 'HEAD /api/v2/items/events');
  await send('listItemsV2', 'GET /api/v2/items');
  await send('getMe', 'GET /api/v2/users/me');
  await send('listPopularItemsV2', 'GET /api/v2/items/popular');
  await send('listPopularItems', 'GET /api/v1/items/popular');
  const operations = await declaredBy(t);
  const declared = operations.flatMap(({ operationId, responses }) =>
    Object.entries(responses).flatMap(([status, { headers = {} }]) =>
      Object.keys(headers).flatMap((name) =>
        OWN.includes(name) ? [`${operationId} ${status} ${name}`] : [],
      ),
    ),
  );
  expect(declared.length).toBeGreaterThan(20);
  expect([...seen].toSorted()).toEqual(declared.filter((it) => it !== WITH_MAIL).toSorted());
  const parameters = operations.flatMap(({ operationId, parameters: all = [] }) =>
    all.flatMap((it) => (it.in === 'header' ? [`${operationId} ${it.name}`] : [])),
  );
  expect(parameters.length).toBeGreaterThan(8);
  expect([...read].toSorted()).toEqual(parameters.toSorted());
});
