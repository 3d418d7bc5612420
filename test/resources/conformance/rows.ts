import { expect, test } from 'bun:test';
import type { Definition, Resource } from '../../../src/resources/declare/definition.ts';
import type { Fields } from './samples.ts';
import { openWorld } from './world.ts';

/** Tests creating, reading, changing and deleting one row. */
export function testRows(resource: Resource): void {
  const { definition } = resource;

  test('a creation returns the row with its defaults and the fields of the engine', async () => {
    await using world = await openWorld(resource);
    const { send, creator, fields } = world;
    const sent = requiredOf(definition, fields());
    const { status, headers, body } = await send('POST', '', creator, { body: sent });
    expect(status).toBe(201);
    expect(body).toMatchObject({ ...defaultsOf(definition), ...sent });
    expect(body).toMatchObject({ owner_id: creator.actor.id, version: 1 });
    expect(body['created_at']).toBe(body['updated_at']);
    const location = headers.get('location');
    expect(location).toBe(`/api/v2/${definition.name}/${body['id']}`);
    const read = await send('GET', `/${body['id']}`, creator);
    expect(read.body).toEqual(body);
  });

  test('a creation refuses unknown fields, those of the engine and missing ones', async () => {
    await using world = await openWorld(resource);
    const { send, creator, fields } = world;
    for (const name of ['unknown_field', 'id', 'owner_id', 'version']) {
      const { status, body } = await send('POST', '', creator, {
        body: { ...fields(), [name]: 1 },
      });
      expect([status, body['code']]).toEqual([422, 'validation_failed']);
    }
    for (const { name } of definition.fields.filter(({ isRequired }) => isRequired)) {
      const { [name]: _, ...sent } = fields();
      const { status, body } = await send('POST', '', creator, { body: sent });
      expect([status, pathsOf(body)]).toEqual([422, [`body.${name}`]]);
    }
    const { body } = await send('GET', '', creator);
    expect(body['data']).toEqual([]);
  });

  test('a field refuses null unless it is nullable, and values of another type', async () => {
    await using world = await openWorld(resource);
    const row = await world.create();
    for (const { name, isNullable } of definition.fields) {
      const change = (value: unknown) =>
        world.send('PATCH', `/${row.id}`, world.creator, { body: { [name]: value } });
      const { status } = await change(null);
      expect([name, status]).toEqual([name, isNullable ? 200 : 422]);
      // No column stores a list of lists.
      const wrong = await change([[1]]);
      expect([name, wrong.status]).toEqual([name, 422]);
    }
  });

  test('a change keeps the other fields and increases the version', async () => {
    await using world = await openWorld(resource);
    const { send, creator, fields } = world;
    let row = await world.create();
    for (let round = 0; round < 10; round++) {
      const [[name, value] = ['', null]] = Object.entries(fields()).toSorted(
        () => world.random() - 0.5,
      );
      const answer = await send('PATCH', `/${row.id}`, creator, { body: { [name]: value } });
      expect(answer.status).toBe(200);
      const isSame = Bun.deepEquals(answer.body[name], row[name]);
      const version = (row['version'] as number) + (isSame ? 0 : 1);
      const { updated_at } = answer.body;
      expect(answer.body).toMatchObject({ ...row, [name]: answer.body[name], version, updated_at });
      expect(answer.headers.get('etag')).toBe(`"v${version}"`);
      row = answer.body as typeof row;
    }
    expect((await send('GET', `/${row.id}`, creator)).body).toEqual(row);
  });

  test('a read with the current ETag returns 304, and a change with an outdated one 412', async () => {
    await using world = await openWorld(resource);
    const { send, creator } = world;
    const row = await world.create();
    const read = await send('GET', `/${row.id}`, creator);
    const etag = read.headers.get('etag') ?? '';
    const headers = { 'if-none-match': etag };
    expect((await send('GET', `/${row.id}`, creator, { headers })).status).toBe(304);
    const old = { 'if-match': '"v0"' };
    const changed = await send('PATCH', `/${row.id}`, creator, { body: {}, headers: old });
    expect(changed.status).toBe(412);
    expect((await send('DELETE', `/${row.id}`, creator, { headers: old })).status).toBe(412);
    const current = { 'if-match': etag };
    expect((await send('DELETE', `/${row.id}`, creator, { headers: current })).status).toBe(204);
    expect((await send('GET', `/${row.id}`, creator)).status).toBe(404);
  });

  test('the parameters fields and expand select what a read returns', async () => {
    await using world = await openWorld(resource);
    const { send, creator } = world;
    const row = await world.create();
    const [field] = definition.fields;
    const name = field?.name ?? '';
    const sparse = await send('GET', `/${row.id}?fields=${name}`, creator);
    expect(sparse.body).toEqual({ id: row.id, [name]: row[name] });
    const expanded = await send('GET', `/${row.id}?expand=owner`, creator);
    expect(expanded.body).toMatchObject({ ...row, owner: { id: creator.actor.id } });
    expect((await send('GET', `/${row.id}?expand=unknown`, creator)).status).toBe(400);
    expect((await send('GET', '?unknown=1', creator)).status).toBe(400);
  });
}

function requiredOf({ fields }: Definition, values: Fields): Fields {
  const names = fields.filter(({ isRequired }) => isRequired).map(({ name }) => name);
  return Object.fromEntries(names.map((name) => [name, values[name]]));
}

function defaultsOf({ fields }: Definition): Fields {
  const optional = fields.filter(({ isRequired }) => !isRequired);
  return Object.fromEntries(optional.map((it) => [it.name, it.default]));
}

function pathsOf(body: Record<string, unknown>): string[] {
  return ((body['errors'] ?? []) as { path: string }[]).map(({ path }) => path);
}
