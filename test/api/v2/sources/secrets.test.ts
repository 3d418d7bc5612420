import { describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SECRET, sourcesApp, upstream } from '../../../sources.ts';

const KEY = Buffer.alloc(32, 1).toString('base64');
type App = Awaited<ReturnType<typeof sourcesApp>>;

/** The contents of the data directory: the database, its log and the key. */
function filesOf({ deps }: App): string {
  const { dataDir } = deps.config;
  const names = readdirSync(dataDir, { recursive: true, withFileTypes: true });
  const files = names.filter((it) => it.isFile());
  expect(files.map(({ name }) => name)).toContain('hutch.db-wal');
  return files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1')).join();
}

/** A source with one secret in a header and another in its query. */
function secretSource(base_url: string) {
  return {
    base_url,
    access: 'public',
    ttl_seconds: 60,
    retries: 0,
    headers: { authorization: { secret: `Bearer ${SECRET}` } },
    query: { key: { secret: `${SECRET}&x=1` }, city: '{city}' },
    parameters: [{ name: 'city', type: 'string' }],
  };
}

describe('a secret', () => {
  // proves: permissions.secret-of-a-source, data.secret-of-sources, 14.2.4
  test('is sent to the source unchanged and is not readable anywhere else', async () => {
    await using up = upstream(({ url }) =>
      url.includes('bad') ? new Response(`no: ${url}`, { status: 500 }) : Response.json(1),
    );
    await using t = await sourcesApp([up.host], { logLevel: 'debug' });
    const { token } = t.root;
    const told = [JSON.stringify(await t.define(secretSource(up.url)))];
    const note = async (answer: Response) => {
      told.push(await answer.text(), JSON.stringify(answer.headers.toJSON()));
      return answer.status;
    };
    expect(await note(await t.call('up?city=a'))).toBe(200);
    expect(await note(await t.call('up?city=bad'))).toBe(502);
    expect(await note(await t.call('up?town=a'))).toBe(400);
    const get = (path: string) => t.request('GET', `/api/v2/${path}`, { token });
    for (const path of ['sources', 'sources/up/definition', 'sources/up/stats', 'audit-log']) {
      expect(await note(await get(path))).toBe(200);
    }
    const calls = [{ source: 'up', params: { city: 'bad' } }];
    expect(await note(await t.json('POST', '/api/v2/sources/fetch', { calls }, token))).toBe(200);
    const dryRun = await t.json('POST', '/api/v2/sources/up/dry-run', {}, token);
    expect(await note(dryRun)).toBe(200);
    const wrong = { headers: { authorization: { secret: `${SECRET}\r\nx: y` } } };
    expect(await note(await t.json('PATCH', '/api/v2/sources/up', wrong, token))).toBe(422);

    expect(up.asked[0]?.headers.get('authorization')).toBe(`Bearer ${SECRET}`);
    expect(new URL(up.asked[0]?.url ?? '').searchParams.get('key')).toBe(`${SECRET}&x=1`);
    await t.deps.sourceStats.flush();
    for (const place of [...told, t.logLines.join(''), filesOf(t)]) {
      expect(place).not.toContain(SECRET);
    }
  });

  test('keeps its value when a definition is sent back as it was shown', async () => {
    await using up = upstream(({ headers }) => Response.json(headers.get('x-key')?.length));
    await using t = await sourcesApp([up.host]);
    const { headers } = await t.define({
      base_url: up.url,
      headers: { 'x-key': { secret: SECRET } },
    });
    const patch = await t.json('PATCH', '/api/v2/sources/up', { headers }, t.root.token);
    expect(await patch.json()).toMatchObject({ headers, version: 1 });
    expect(await (await t.call('up', t.ada.token)).json()).toBe(SECRET.length);
  });

  // proves: data.secret-of-sources, 13.3.2
  test('is never sent to another host than the one that it was set for', async () => {
    await using up = upstream(() => Response.json(1));
    await using other = upstream(() => Response.json(1));
    await using t = await sourcesApp([up.host, other.host]);
    await t.define({ base_url: up.url, headers: { 'x-key': { secret: SECRET } } });
    const patch = (body: object) => t.json('PATCH', '/api/v2/sources/up', body, t.root.token);
    const refused = await patch({ base_url: other.url });
    expect(await refused.json()).toMatchObject({
      status: 422,
      errors: [{ path: 'body.headers.x-key', code: 'secret_needed' }],
    });
    expect((await patch({ base_url: `${up.url}/v2` })).status).toBe(200);
    const given = { base_url: other.url, headers: { 'x-key': { secret: `${SECRET}-2` } } };
    expect((await patch(given)).status).toBe(200);
    await t.call('up', t.ada.token);
    expect(other.asked[0]?.headers.get('x-key')).toBe(`${SECRET}-2`);
  });

  // proves: outbound-calls.the-base-url-of-a-source-get-api, 15.3.2
  test('is not sent when a redirect leads to another host', async () => {
    await using other = upstream(() => Response.json(1));
    await using up = upstream(() => Response.redirect(`${other.url}/x`, 302));
    await using t = await sourcesApp([up.host, other.host]);
    await t.define({ base_url: up.url, headers: { 'x-key': { secret: SECRET } } });
    expect((await t.call('up', t.ada.token)).status).toBe(200);
    expect(JSON.stringify(other.asked[0]?.headers.toJSON())).not.toContain(SECRET);
  });

  test('that was moved to another source in the database is not sent', async () => {
    await using up = upstream(() => Response.json(1));
    await using t = await sourcesApp([up.host]);
    await t.define({ base_url: up.url, name: 'a', headers: { 'x-key': { secret: SECRET } } });
    await t.define({ base_url: up.url, name: 'b' });
    t.deps.db.client.run(
      `update sources set definition = (select definition from sources where name = 'a') where name = 'b'`,
    );
    const answer = await t.call('b', t.ada.token);
    expect(await answer.json()).toMatchObject({ status: 503, code: 'secrets_unreadable' });
    expect(up.asked).toEqual([]);
  });
});

describe('without the secrets key', () => {
  test('secrets_unreadable for the source, with the reason in the log; others still work', async () => {
    await using up = upstream(() => Response.json(1));
    await using t = await sourcesApp([up.host]);
    await t.define({ base_url: up.url, headers: { 'x-key': { secret: SECRET } } });
    await t.define({ base_url: up.url, name: 'plain' });
    rmSync(join(t.deps.config.dataDir, 'secrets.key'));
    const answer = await t.call('up', t.ada.token);
    expect([answer.status, await answer.json()]).toMatchObject([
      503,
      {
        code: 'secrets_unreadable',
        detail: 'The secrets of source up cannot be read or stored with the key of this server',
      },
    ]);
    expect(t.logLines.join('')).toMatch(/sealed with the key [0-9a-f]{16}, which is not available/);
    expect((await t.call('plain', t.ada.token)).status).toBe(200);
    const { token } = t.root;
    const shown = await t.request('GET', '/api/v2/sources/up/definition', { token });
    expect(await shown.json()).toMatchObject({ headers: { 'x-key': { is_set: true } } });
    const given = { headers: { 'x-key': { secret: `${SECRET}-2` } } };
    await t.json('PATCH', '/api/v2/sources/up', given, token);
    expect((await t.call('up', t.ada.token)).status).toBe(200);
  });

  test('a key of the settings is used and no file is created', async () => {
    await using up = upstream(() => Response.json(1));
    await using t = await sourcesApp([up.host], { secretsKey: KEY });
    await t.define({ base_url: up.url, headers: { 'x-key': { secret: SECRET } } });
    expect((await t.call('up', t.ada.token)).status).toBe(200);
    expect(readdirSync(t.deps.config.dataDir)).not.toContain('secrets.key');
  });
});
