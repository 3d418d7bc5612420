import { expect, test } from 'bun:test';
import type { Resource } from '../../../src/resources/declare/definition.ts';
import type { Document } from './model.ts';
import { openWorld } from './world.ts';

/** Tests the options of a declaration, and that the routes of those which are off do not exist. */
export function testOptions({ definition, ...resource }: Resource): void {
  const open = () => openWorld({ definition, ...resource });
  const { one, hasBin, hasHistory, hasBatch, hasTransfer, hasViews, hasEvents } = definition;

  test('the routes of options that are off do not exist', async () => {
    await using world = await open();
    const row = await world.create();
    const paths: [isOn: boolean, method: string, path: string][] = [
      [hasBin, 'POST', `/${row.id}/restore`],
      [hasHistory, 'GET', `/${row.id}/revisions`],
      [hasViews, 'GET', `/${row.id}/stats`],
      [hasViews, 'GET', '/popular'],
      [hasBatch, 'POST', '/batch'],
      [hasTransfer, 'GET', '/export'],
      [hasEvents, 'GET', '/events'],
    ];
    for (const [isOn, method, path] of paths.filter(([isOn]) => !isOn)) {
      const options = method === 'POST' ? { body: {} } : {};
      const { status } = await world.send(method, path, world.creator, options);
      // A word in the place of an id is not an id, whatever the method.
      expect([path, isOn, [404, 405, 422].includes(status)]).toEqual([path, false, true]);
    }
  });

  test.if(hasBin)(
    'a deleted row is in the bin, from which it can be restored or erased',
    async () => {
      await using world = await open();
      const { send, creator } = world;
      const [row, erased] = [await world.create(), await world.create()];
      for (const { id } of [row, erased]) await send('DELETE', `/${id}`, creator);
      expect((await send('GET', `/${row.id}`, creator)).status).toBe(404);
      const bin = await send('GET', '?bin=only', creator);
      expect((bin.body['data'] as Document[]).map(({ id }) => id)).toEqual([erased.id, row.id]);
      const restored = await send('POST', `/${row.id}/restore`, creator);
      expect(restored.body).toMatchObject({ id: row.id, version: 3, deleted_at: null });
      expect((await send('DELETE', `/${erased.id}/bin`, creator)).status).toBe(204);
      expect((await send('POST', `/${erased.id}/restore`, creator)).status).toBe(404);
      const list = await send('GET', '', creator);
      expect((list.body['data'] as Document[]).map(({ id }) => id)).toEqual([row.id]);
    },
  );

  test.if(!hasBin)('a deleted row is gone', async () => {
    await using world = await open();
    const row = await world.create();
    expect((await world.send('DELETE', `/${row.id}`, world.creator)).status).toBe(204);
    const { client } = world.t.deps.db;
    expect(client.query(`select count(*) from "${definition.name}"`).values()).toEqual([[0]]);
  });

  test.if(hasHistory)('the history lists each change and restores each version', async () => {
    await using world = await open();
    const { send, creator } = world;
    const versions = [await world.create()];
    const { id } = versions[0] as Document;
    for (let round = 0; round < 8; round++) {
      const { body } = await send('PATCH', `/${id}`, creator, { body: world.fields() });
      if (body['version'] !== versions.at(-1)?.['version']) versions.push(body as Document);
    }
    const { body } = await send('GET', `/${id}/revisions?limit=50`, creator);
    const listed = (body['data'] as { version: number }[]).map(({ version }) => version);
    expect(listed).toEqual(versions.map((it) => it['version'] as number).reverse());
    const names = definition.fields.map(({ name }) => name);
    for (const old of versions) {
      const version = old['version'];
      await send('POST', `/${id}/revisions`, creator, { body: { version } });
      const { body: now } = await send('GET', `/${id}`, creator);
      expect(names.map((name) => now[name])).toEqual(names.map((name) => old[name]));
    }
  });

  test.if(hasBatch)('a batch is applied as a whole or not at all', async () => {
    await using world = await open();
    const { send, creator } = world;
    const row = await world.create();
    const create = { op: 'create', [one]: world.fields() };
    const update = { op: 'update', id: row.id, [one]: world.fields() };
    const missing = { op: 'delete', id: 999 };
    const run = (operations: object[]) => send('POST', '/batch', creator, { body: { operations } });
    const failed = await run([create, update, missing]);
    expect([failed.status, failed.body['code']]).toEqual([422, 'batch_failed']);
    expect((await send('GET', `/${row.id}`, creator)).body).toEqual(row);
    const done = await run([create, update, { op: 'delete', id: row.id }]);
    expect(done.status).toBe(200);
    const [created] = done.body['results'] as { id: number }[];
    const list = await send('GET', '', creator);
    expect((list.body['data'] as Document[]).map(({ id }) => id)).toEqual([created?.id as number]);
  });

  for (const format of hasTransfer ? ['jsonl', 'csv'] : []) {
    test(`an import of an export in ${format} creates the same rows`, async () => {
      await using world = await open();
      const { send, creator, t } = world;
      for (let count = 0; count < 10; count++) await world.create();
      const exported = await send('GET', `/export?format=${format}`, creator);
      const imported = await t.request('POST', `/api/v2/${definition.name}/import`, {
        body: exported.body['text'] as string,
        headers: { 'content-type': format === 'csv' ? 'text/csv' : 'application/jsonl' },
        token: creator.token as string,
      });
      expect(await imported.json()).toMatchObject({ created: 10, failed: 0 });
      const { body } = await send('GET', '?sort=id&limit=100', creator);
      const names = definition.fields.map(({ name }) => name);
      const values = (body['data'] as Document[]).map((row) => names.map((name) => row[name]));
      expect(values.slice(10)).toEqual(values.slice(0, 10));
    });
  }

  test.if(hasViews)('a view counts once per viewer and changes no version', async () => {
    await using world = await open();
    const { send, creator } = world;
    const row = await world.create();
    for (let count = 0; count < 3; count++) await send('POST', `/${row.id}/views`, creator);
    const { body } = await send('GET', `/${row.id}`, creator);
    expect(body).toMatchObject({ views: 1, version: 1 });
    const stats = await send('GET', `/${row.id}/stats`, creator);
    expect(stats.body).toMatchObject({ views: 1 });
  });
}
