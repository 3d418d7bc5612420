import { expect, test } from 'bun:test';
import type { Resource } from '../../../src/resources/declare/definition.ts';
import type { Document } from './model.ts';
import { openWorld } from './world.ts';

const AT_ONCE = 50;

/** Tests changes that arrive at the same time. */
export function testRaces(resource: Resource): void {
  test(`of ${AT_ONCE} changes of the same version exactly one succeeds`, async () => {
    await using world = await openWorld(resource);
    const row = await world.create();
    const headers = { 'if-match': '"v1"' };
    const changes = Array.from({ length: AT_ONCE }, () => world.fields());
    // A change without a difference does not create a version.
    const different = changes.filter((it) => !isWithin(it, row));
    expect(different.length).toBeGreaterThan(1);
    const answers = await Promise.all(
      different.map((body) => world.send('PATCH', `/${row.id}`, world.creator, { body, headers })),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, ...statuses.slice(1).map(() => 412)]);
    const { body } = await world.send('GET', `/${row.id}`, world.creator);
    expect(body['version']).toBe(2);
  });

  test(`${AT_ONCE} creations with one Idempotency-Key create one row`, async () => {
    await using world = await openWorld(resource);
    const body = world.fields();
    const headers = { 'idempotency-key': crypto.randomUUID() };
    const create = () => world.send('POST', '', world.creator, { body, headers });
    const answers = await Promise.all(Array.from({ length: AT_ONCE }, create));
    // One that is still running is refused; the client repeats it.
    const statuses = new Set(answers.map(({ status }) => status));
    expect([...statuses].filter((it) => it !== 201 && it !== 409)).toEqual([]);
    const repeated = await create();
    expect([repeated.status, repeated.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
    const list = await world.send('GET', '', world.creator);
    expect((list.body['data'] as Document[]).map(({ id }) => id)).toEqual([
      repeated.body['id'] as number,
    ]);
  });

  test(`${AT_ONCE} creations at once create as many rows`, async () => {
    await using world = await openWorld(resource);
    const rows = await Promise.all(Array.from({ length: AT_ONCE }, () => world.create()));
    expect(new Set(rows.map(({ id }) => id)).size).toBe(AT_ONCE);
    const { body } = await world.send('GET', '?limit=100', world.creator);
    expect(body['data']).toHaveLength(AT_ONCE);
  });
}

function isWithin(fields: Record<string, unknown>, row: Document): boolean {
  return Object.entries(fields).every(([name, value]) => Bun.deepEquals(row[name], value));
}
