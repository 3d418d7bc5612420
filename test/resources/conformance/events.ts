import { expect, test } from 'bun:test';
import type { Resource } from '../../../src/resources/declare/definition.ts';
import { type Block, readEvents } from '../../events.ts';
import { mayRead, readStatus } from './expected.ts';
import type { Document } from './model.ts';
import { type Identity, openWorld, type World } from './world.ts';

const CHANGES = 20;

/** Tests that listeners get each change once, after its commit, and only if they may see it. */
export function testEvents(resource: Resource): void {
  const { definition } = resource;
  if (!definition.hasEvents) return;
  const idOf = ({ data }: Block) => data?.[`${definition.one}_id`] as number;
  const rowOf = ({ data }: Block) => data?.[definition.one] as Document | null;

  test('a listener gets the changes in order, each readable when it arrives', async () => {
    await using world = await openWorld(resource);
    const events = await listen(world, world.creator);
    const rows: Document[] = [];
    for (let count = 0; count < CHANGES; count++) rows.push(await world.create());
    for (const row of rows) {
      const event = (await events.next()) as Block;
      expect([event.event, idOf(event)]).toEqual(['created', row.id]);
      expect(rowOf(event)).toEqual(row);
      const { body } = await world.send('GET', `/${idOf(event)}`, world.creator);
      expect(body).toEqual(row);
    }
    await events.cancel();
  });

  test('a refused change sends no event', async () => {
    await using world = await openWorld(resource);
    const events = await listen(world, world.creator);
    const row = await world.create();
    const body = { ...world.fields(), unknown_field: 1 };
    expect((await world.send('POST', '', world.creator, { body })).status).toBe(422);
    await world.send('DELETE', `/${row.id}`, world.creator);
    expect((await events.take(2)).map(({ event }) => event)).toEqual(['created', 'deleted']);
    await events.cancel();
  });

  test('a caller gets the events of the rows that they may read and no others', async () => {
    await using world = await openWorld(resource);
    const listeners = world.identities.filter((who) => readStatus(definition, who) === 200);
    expect(listeners.length).toBeGreaterThan(0);
    const opened = await Promise.all(listeners.map((who) => listen(world, who)));
    const next = opened.map((events) => events.next());
    const rows: Document[] = [];
    for (let count = 0; count < CHANGES; count++) rows.push(await world.create());
    for (const [index, who] of listeners.entries()) {
      const expected = rows.filter((row) => mayRead(definition, who.actor, row));
      for (const { id } of expected) {
        const event = await next[index];
        expect([who.name, event && idOf(event)]).toEqual([who.name, id]);
        next[index] = opened[index]?.next() as (typeof next)[number];
      }
    }
    world.t.deps.resources[definition.name]?.events?.stop();
    expect(await Promise.all(next)).toEqual(listeners.map(() => undefined));
  });

  test('a listener who resumes gets what they missed', async () => {
    await using world = await openWorld(resource);
    const events = await listen(world, world.creator);
    const first = await world.create();
    const { id } = (await events.next()) as Block;
    await events.cancel();
    const missed = await world.create();
    const resumed = await listen(world, world.creator, id);
    expect(idOf((await resumed.next()) as Block)).toBe(missed.id);
    expect(first.id).not.toBe(missed.id);
    await resumed.cancel();
  });
}

async function listen({ t, definition }: World, { token }: Identity, lastId?: string) {
  const headers = lastId === undefined ? {} : { 'last-event-id': lastId };
  const path = `/api/v2/${definition.name}/events`;
  const events = readEvents(await t.request('GET', path, { ...(token && { token }), headers }));
  // The opening: from here on nothing is missed.
  await events.block();
  return events;
}
