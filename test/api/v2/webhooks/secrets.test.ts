import { describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createSecretBox, type SecretBox } from '../../../../src/core/security/secret-box.ts';
import { createWebhookRekey } from '../../../../src/services/webhooks/rekey.ts';
import { getWebhook } from '../../../../src/services/webhooks/rows.ts';
import { openedSecrets } from '../../../../src/services/webhooks/secrets.ts';
import {
  type Created,
  expectRefused,
  receiver,
  verify,
  type WebhooksApp,
  webhooksApp,
} from '../../../webhooks.ts';

const HOUR_MS = 3_600_000;
const KEY = Buffer.alloc(32, 1).toString('base64');
const NEW_KEY = Buffer.alloc(32, 2).toString('base64');

async function rotate(t: WebhooksApp, id: number, body: object = {}): Promise<Created> {
  const response = await t.api('POST', `/${id}/rotate-secret`, body);
  expect(response.status).toBe(200);
  return (await response.json()) as Created;
}

/** The last request, once a test event was sent. */
async function testRequest(t: WebhooksApp, hooks: ReturnType<typeof receiver>, id: number) {
  await t.test(id);
  await t.send();
  const last = hooks.asked.at(-1);
  if (!last) throw new Error('Nothing arrived');
  return last;
}

const signaturesOf = ({ headers }: { headers: Headers }) =>
  String(headers.get('webhook-signature')).split(' ').length;

describe('a rotated secret', () => {
  // proves: cryptography.secrets-of-webhooks
  test('signs with the one before for 24 hours', async () => {
    await using hooks = receiver();
    await using t = await webhooksApp([hooks.host]);
    const { id, secret: old } = await t.create({ url: hooks.url });
    const { secret, version } = await rotate(t, id);
    expect([version, secret === old]).toEqual([2, false]);
    const both = await testRequest(t, hooks, id);
    expect(signaturesOf(both)).toBe(2);
    for (const it of [old, secret]) expect(verify(both, it).type).toBe('webhook.test');
    t.clock.at += 24 * HOUR_MS;
    expect(signaturesOf(await testRequest(t, hooks, id))).toBe(1);
  });

  test('replaces the one before at once if overlap_hours is 0', async () => {
    await using hooks = receiver();
    await using t = await webhooksApp([hooks.host]);
    const { id, secret: leaked } = await t.create({ url: hooks.url });
    const { secret: second } = await rotate(t, id);
    const { secret } = await rotate(t, id, { overlap_hours: 0 });
    const request = await testRequest(t, hooks, id);
    expect(signaturesOf(request)).toBe(1);
    verify(request, secret);
    for (const it of [leaked, second]) expectRefused(request, it);
  });

  test('may be chosen, and is not one of more than ten', async () => {
    await using t = await webhooksApp();
    const { id } = await t.create({ url: 'https://hooks.example.com/' });
    const chosen = `whsec_${Buffer.from('a-chosen-secret-of-a-hutch').toString('base64')}`;
    expect((await rotate(t, id, { secret: chosen })).secret).toBe(chosen);
    for (let index = 2; index <= 9; index++) await rotate(t, id);
    const refused = await t.api('POST', `/${id}/rotate-secret`, {});
    expect(await refused.json()).toMatchObject({ status: 409, code: 'conflict' });
    t.clock.at += 24 * HOUR_MS;
    await rotate(t, id);
  });
});

describe('a secret', () => {
  // proves: permissions.secret-of-a-webhook, data.secret-of-webhooks
  test('is in no response, log line, audit entry or file', async () => {
    await using hooks = receiver(() => new Response('no', { status: 500 }));
    await using t = await webhooksApp([hooks.host], { logLevel: 'debug' });
    const { id, secret } = await t.create({ url: hooks.url });
    const { secret: second } = await rotate(t, id);
    await t.item();
    await t.send();
    const told: string[] = [];
    const paths = ['', `/${id}`, `/${id}/deliveries`, `/${id}/deliveries/1`];
    for (const path of paths) told.push(await (await t.api('GET', path)).text());
    const audit = await t.request('GET', '/api/v2/audit-log', { token: t.root.token });
    told.push(await audit.text(), t.logLines.join(''), filesOf(t));
    for (const text of told) {
      for (const key of [secret, second]) {
        expect(text.includes(key.slice('whsec_'.length))).toBe(false);
      }
    }
  });

  test('of one webhook is not opened for another', async () => {
    await using hooks = receiver();
    await using t = await webhooksApp([hooks.host]);
    await t.create({ url: hooks.url, events: ['users.*'] });
    const { id } = await t.create({ url: hooks.url });
    t.deps.db.client.run(
      'update webhooks set secrets = (select secrets from webhooks where id = 1) where id = ?',
      [id],
    );
    await t.item();
    await t.send();
    expect(hooks.asked).toEqual([]);
    expect(await t.log(id)).toMatchObject([
      { state: 'pending', attempts: 1, error: expect.stringContaining('cannot be read') },
    ]);
  });

  // proves: cryptography.secrets-of-webhooks
  test('is sealed again with another key, or reported if no key opens it', async () => {
    await using t = await webhooksApp([], { secretsKey: KEY });
    const { id, secret: old } = await t.create({ url: 'https://hooks.example.com/' });
    const { secret } = await rotate(t, id);
    const { db, config } = t.deps;
    const boxWith = (key: string, oldKey = '') =>
      createSecretBox({ key, oldKey, dataDir: config.dataDir });
    const run = (box: SecretBox) => createWebhookRekey({ db, box }).run();
    expect(await run(boxWith(NEW_KEY))).toEqual({ resealed: [], unreadable: [id] });
    expect(await run(boxWith(NEW_KEY, KEY))).toEqual({ resealed: [id], unreadable: [] });
    expect(await run(boxWith(NEW_KEY, KEY))).toEqual({ resealed: [], unreadable: [] });
    const row = await getWebhook(db.read, id);
    const opened = await openedSecrets(boxWith(NEW_KEY), row, new Date(t.clock.at));
    expect(opened).toEqual([secret, old]);
  });

  test('cannot be stored if the key cannot be read', async () => {
    await using t = await webhooksApp();
    const path = join(t.deps.config.dataDir, 'secrets.key');
    await Bun.write(path, 'hay');
    const refused = await t.api('POST', '', { url: 'https://hooks.example.com/', events: ['*'] });
    expect(await refused.json()).toMatchObject({ status: 503, code: 'secrets_unreadable' });
    rmSync(path);
  });
});

/** The contents of the data directory without its key. */
function filesOf({ deps }: WebhooksApp): string {
  const { dataDir } = deps.config;
  const files = readdirSync(dataDir, { withFileTypes: true }).filter((it) => it.isFile());
  expect(files.map(({ name }) => name)).toContain('hutch.db-wal');
  return files.map(({ name }) => readFileSync(join(dataDir, name), 'latin1')).join();
}
