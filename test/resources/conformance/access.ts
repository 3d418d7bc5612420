import { expect, test } from 'bun:test';
import type { Resource } from '../../../src/resources/declare/definition.ts';
import { changeStatus, createStatus, getStatus, mayRead, readStatus } from './expected.ts';
import type { Document } from './model.ts';
import { type Identity, openWorld, type World } from './world.ts';

/** Rows per caller and operation: rules and visibilities differ by the row. */
const ROWS = 4;

/** Tests every operation for every kind of caller. */
export function testAccess(resource: Resource): void {
  const { definition } = resource;

  for (const operation of operationsOf(resource)) {
    test(`${operation.name} is allowed to those whom the declaration names`, async () => {
      await using world = await openWorld(resource);
      for (const who of world.identities) {
        for (let count = 0; count < ROWS; count++) {
          const row = await world.create();
          const found = await operation.run(world, who, row);
          const expected = operation.expected(who, row);
          expect([who.name, found, row]).toEqual([who.name, expected, row]);
        }
      }
    });
  }

  test('a list shows a caller exactly the rows that they may read', async () => {
    await using world = await openWorld(resource);
    const rows: Document[] = [];
    for (let count = 0; count < 12; count++) rows.push(await world.create());
    for (const who of world.identities) {
      const { status, body } = await world.send('GET', '?limit=100&count=exact', who);
      expect([who.name, status]).toEqual([who.name, readStatus(definition, who)]);
      if (status !== 200) continue;
      const readable = rows.filter((row) => mayRead(definition, who.actor, row));
      const expected = readable.map(({ id }) => id).reverse();
      const ids = (body['data'] as Document[]).map(({ id }) => id);
      expect([who.name, ids, body['total']]).toEqual([who.name, expected, expected.length]);
    }
  });

  test('a missing row is not found', async () => {
    await using world = await openWorld(resource);
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      const options = method === 'PATCH' ? { body: {} } : {};
      const { status, body } = await world.send(method, '/999', world.creator, options);
      expect([method, status, body['code']]).toEqual([method, 404, 'not_found']);
    }
  });
}

interface Operation {
  name: string;
  run(world: World, who: Identity, row: Document): Promise<number>;
  expected(who: Identity, row: Document): number;
}

function operationsOf({ definition }: Resource): Operation[] {
  return [
    {
      name: 'a creation',
      run: async ({ send, fields }, who) =>
        (await send('POST', '', who, { body: fields(who) })).status,
      expected: (who, row) => createStatus(definition, who, row),
    },
    {
      name: 'a read',
      run: async ({ send }, who, { id }) => (await send('GET', `/${id}`, who)).status,
      expected: (who, row) => getStatus(definition, who, row),
    },
    {
      name: 'a change',
      run: async ({ send }, who, { id }) =>
        (await send('PATCH', `/${id}`, who, { body: {} })).status,
      expected: (who, row) => changeStatus(definition, who, row, 200),
    },
    {
      name: 'a deletion',
      run: async ({ send }, who, { id }) => (await send('DELETE', `/${id}`, who)).status,
      expected: (who, row) => changeStatus(definition, who, row, 204),
    },
  ];
}
