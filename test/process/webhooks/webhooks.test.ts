import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { tempDir } from '../../support.ts';
import { until } from '../../until.ts';
import { receiver, verify } from '../../webhooks.ts';
import { ADMIN, hutch, type RunningHutch, serve } from '../hutch.ts';

/** Serves `dir` with webhooks to the host of `hooks`. */
function serveFor(dir: string, hooks: { host: string }) {
  return serve(dir, { env: { ...ADMIN.env, HUTCH_EXTERNAL_ALLOW_HOSTS: hooks.host } });
}

async function post<T>({ url }: RunningHutch, token: string, path: string, body: object) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const init = { method: 'POST', headers, body: JSON.stringify(body) };
  const response = await fetch(`${url}/api/v2/${path}`, init);
  expect(response.status).toBe(201);
  return (await response.json()) as T;
}

/** Creates a webhook for all events of items. */
async function createWebhook(server: RunningHutch, url: string) {
  const token = await server.signIn(ADMIN.username, ADMIN.password);
  const webhook = { url, events: ['items.*'] };
  const { secret } = await post<{ secret: string }>(server, token, 'webhooks', webhook);
  return { token, secret };
}

test('an event whose delivery kill -9 interrupts is sent after the next start', async () => {
  const dir = tempDir();
  let isAnswering = false;
  await using hooks = receiver(() => (isAnswering ? new Response() : new Promise(() => {})));
  const first = await serveFor(dir, hooks);
  const { token, secret } = await createWebhook(first, hooks.url);
  const item = await post<{ id: number }>(first, token, 'items', { title: 'Hay' });
  await until(() => hooks.asked.length === 1);
  first.kill('SIGKILL');
  await first.exited;

  isAnswering = true;
  await using again = await serveFor(dir, hooks);
  await until(() => hooks.asked.length === 2);
  const events = hooks.asked.map((request) => verify(request, secret));
  expect(events.map(({ data }) => data.id)).toEqual([item.id, item.id]);
  const ids = hooks.asked.map(({ headers }) => headers.get('webhook-id'));
  expect(new Set(ids).size).toBe(1);
  const log = async () => {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${again.url}/api/v2/webhooks/1/deliveries`, { headers });
    return ((await response.json()) as { data: { state: string }[] }).data;
  };
  await until(async () => (await log())[0]?.state === 'succeeded');
  expect(await log()).toMatchObject([{ attempts: 1, resource_id: item.id }]);
}, 60_000);

test('an event that was committed just before kill -9 is sent after the next start', async () => {
  const dir = tempDir();
  await using hooks = receiver();
  const first = await serveFor(dir, hooks);
  const { token } = await createWebhook(first, hooks.url);
  const sent = 50;
  const items = Array.from({ length: sent }, (_, index) =>
    post<{ id: number }>(first, token, 'items', { title: `Hay ${index}` }),
  );
  const ids = (await Promise.all(items)).map(({ id }) => id);
  first.kill('SIGKILL');
  await first.exited;
  await using _again = await serveFor(dir, hooks);
  const arrived = () => new Set(hooks.events().map(({ data }) => data.id));
  await until(() => arrived().size === sent);
  expect([...arrived()].toSorted()).toEqual(ids.toSorted());
}, 60_000);

test('the items that a command imports are sent by the server', async () => {
  const dir = tempDir();
  await using hooks = receiver();
  await using server = await serveFor(dir, hooks);
  await createWebhook(server, hooks.url);
  const file = join(dir, 'items.jsonl');
  await Bun.write(file, '{"title":"Hay"}\n{"title":"Straw"}\n');
  const imported = await hutch([
    ...['items', 'import', file, '--owner', ADMIN.username, '--data-dir', dir],
  ]);
  expect([imported.status, imported.stderr]).toEqual([0, expect.any(String)]);
  await until(() => hooks.asked.length === 2);
  expect(
    hooks
      .events()
      .map(({ data }) => data['title'])
      .toSorted(),
  ).toEqual(['Hay', 'Straw']);
}, 60_000);

test('a stop waits for a delivery in flight', async () => {
  const dir = tempDir();
  const { promise, resolve } = Promise.withResolvers<Response>();
  await using hooks = receiver(() => promise);
  const server = await serveFor(dir, hooks);
  const { token } = await createWebhook(server, hooks.url);
  await post(server, token, 'items', { title: 'Hay' });
  await until(() => hooks.asked.length === 1);
  const stopped = server.stop();
  resolve(new Response());
  expect(await stopped).toBe(0);
  await using _again = await serveFor(dir, hooks);
  await post(_again, token, 'items', { title: 'Straw' });
  await until(() => hooks.asked.length === 2);
  expect(hooks.events().map(({ data }) => data['title'])).toEqual(['Hay', 'Straw']);
}, 60_000);
