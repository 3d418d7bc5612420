import { Database } from 'bun:sqlite';
import { expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { SECRET, upstream } from '../../sources.ts';
import { tempDir } from '../../support.ts';
import { ADMIN, hutch, serve } from '../hutch.ts';

const KEY = Buffer.alloc(32, 1).toString('base64');
const NEW_KEY = Buffer.alloc(32, 2).toString('base64');

/** Creates a source in `dir` whose secret is sealed with the key of `env`. */
async function sealedSource(dir: string, up: { host: string; url: string }, env = {}) {
  const own = { ...ADMIN.env, HUTCH_EXTERNAL_ALLOW_HOSTS: up.host, ...env };
  await using server = await serve(dir, { env: own });
  const token = await server.signIn(ADMIN.username, ADMIN.password);
  const source = { name: 'up', base_url: up.url, access: 'public' };
  const response = await fetch(`${server.url}/api/v2/sources`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...source, headers: { 'x-key': { secret: SECRET } } }),
  });
  expect(response.status).toBe(201);
}

async function callWith(dir: string, up: { host: string }, env = {}) {
  const own = { HUTCH_EXTERNAL_ALLOW_HOSTS: up.host, ...env };
  await using server = await serve(dir, { env: own });
  return (await fetch(`${server.url}/api/v2/sources/up`)).status;
}

const rekey = (dir: string, env: Record<string, string> = {}) =>
  hutch(['sources', 'rekey', '--data-dir', dir], { env });

// proves: cryptography.secrets-of-sources
test('secrets are sealed again with another key of the settings', async () => {
  await using up = upstream(({ headers }) => Response.json(headers.get('x-key') === SECRET));
  const dir = tempDir();
  await sealedSource(dir, up, { HUTCH_SECRETS_KEY: KEY });
  expect(await callWith(dir, up, { HUTCH_SECRETS_KEY: NEW_KEY })).toBe(503);
  const both = { HUTCH_SECRETS_KEY: NEW_KEY, HUTCH_SECRETS_KEY_OLD: KEY };
  expect(await callWith(dir, up, both)).toBe(200);
  expect(await rekey(dir, both)).toEqual({
    stdout: 'Sources encrypted: 1, unreadable: 0.\n',
    stderr: '',
    status: 0,
  });
  expect((await rekey(dir, both)).stdout).toBe('Sources encrypted: 0, unreadable: 0.\n');
  expect(await callWith(dir, up, { HUTCH_SECRETS_KEY: NEW_KEY })).toBe(200);
  expect(await callWith(dir, up, { HUTCH_SECRETS_KEY: KEY })).toBe(503);
}, 60_000);

test('secrets sealed with the key of the file are sealed again with a key of the settings', async () => {
  await using up = upstream(() => Response.json(1));
  const dir = tempDir();
  await sealedSource(dir, up);
  expect((await rekey(dir, { HUTCH_SECRETS_KEY: NEW_KEY })).status).toBe(0);
  rmSync(join(dir, 'secrets.key'));
  expect(await callWith(dir, up, { HUTCH_SECRETS_KEY: NEW_KEY })).toBe(200);
}, 60_000);

test('a source whose secrets no key can open is reported and left unchanged', async () => {
  await using up = upstream(() => Response.json(1));
  const dir = tempDir();
  await sealedSource(dir, up, { HUTCH_SECRETS_KEY: KEY });
  const before = definitionIn(dir);
  expect(await rekey(dir, { HUTCH_SECRETS_KEY: NEW_KEY })).toEqual({
    stdout: 'Sources encrypted: 0, unreadable: 1.\n',
    stderr: 'No known key opens the secrets of the source up.\n',
    status: 1,
  });
  expect(definitionIn(dir)).toEqual(before);
}, 60_000);

test('a missing new key is a usage error, and the message for an invalid key does not contain it', async () => {
  const dir = tempDir();
  expect((await rekey(dir)).status).toBe(2);
  const { status, stderr } = await rekey(dir, { HUTCH_SECRETS_KEY: 'hay-and-straw' });
  expect([status, stderr.includes('hay-and-straw')]).toEqual([2, false]);
}, 60_000);

function definitionIn(dir: string): unknown {
  using db = new Database(join(dir, 'hutch.db'), { readonly: true });
  return db.query('select definition, version from sources').get();
}
