import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type TestApp, testApp } from '../support.ts';

const PAGE_BYTES = 4096;

/** Makes every page of the file but the first unreadable, as a dying disk does. */
async function ruin({ deps }: TestApp): Promise<void> {
  await deps.db.moveLog();
  const path = join(deps.config.dataDir, 'hutch.db');
  const pages = readFileSync(path).length / PAGE_BYTES;
  const file = openSync(path, 'r+');
  for (let page = 1; page < pages; page++) {
    writeSync(file, Buffer.alloc(PAGE_BYTES, 0xff), 0, PAGE_BYTES, page * PAGE_BYTES);
  }
  closeSync(file);
  // What another process writes makes the server forget the pages that it remembers.
  const other = new Database(path);
  other.run('pragma user_version = 1');
  other.close();
}

describe('an unreadable file', () => {
  test.each([
    ['a read', 'GET', '/api/v2/items'],
    ['a read whose caller is read first', 'GET', '/api/v2/users/me'],
    ['a write whose caller is read first', 'POST', '/api/v2/items'],
  ])('%s is storage_failed', async (_, method, path) => {
    await using t = await testApp();
    const { token } = await t.signUp('ada');
    await ruin(t);
    const answer = await (method === 'GET'
      ? t.request(method, path, { token })
      : t.json(method, path, { title: 'a' }, token));
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ code: 'storage_failed' });
  });
});

describe('a full disk', () => {
  test('makes the server unready until a write succeeds, which it retries itself', async () => {
    await using t = await testApp();
    const { token } = await t.signUp('ada');
    const { client } = t.deps.db;
    const pages = client.query('pragma page_count').values()[0]?.[0];
    client.run(`pragma max_page_count = ${Number(pages)}`);
    const body = { title: 'a', description: 'x'.repeat(9000) };
    expect((await t.json('POST', '/api/v2/items', body, token)).status).toBe(507);
    const ready = await t.request('GET', '/health/ready');
    expect(ready.status).toBe(503);
    expect(await ready.json()).toEqual({ status: 'unready', code: 'storage_full' });
    expect((await t.request('GET', '/api/v2/items')).status).toBe(200);
    expect((await t.request('GET', '/health/live')).status).toBe(200);
    client.run('pragma max_page_count = 100000');
    while ((await t.request('GET', '/health/ready')).status === 503) await Bun.sleep(50);
    expect((await t.json('POST', '/api/v2/items', body, token)).status).toBe(201);
  });
});
