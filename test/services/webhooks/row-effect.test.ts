import { describe, expect, test } from 'bun:test';
import type { Tx } from '../../../src/core/db/writer.ts';
import type { Row } from '../../../src/resources/declare/definition.ts';
import type { RowEvent } from '../../../src/services/webhooks/events.ts';
import { createWebhookEffect } from '../../../src/services/webhooks/row-effect.ts';

const at = '2026-11-22T16:00:00.000Z';
const system = { id: 7, owner_id: 1, version: 3, created_at: at, updated_at: at };
const shown: Row = { ...system, visibility: 'public' };
const hidden: Row = { ...system, visibility: 'private' };
const binned: Row = { ...shown, deleted_at: at };

/** The events of a change of a resource whose private rows only their owner reads. */
function eventsOf(old: Row | undefined, row: Row | undefined): RowEvent[] {
  const events: RowEvent[] = [];
  const effect = createWebhookEffect(
    { name: 'notes' },
    { mayRead: (actor, it) => it['visibility'] === 'public' || it.owner_id === actor.id },
    async (_, event) => void events.push(event),
  );
  void effect({} as Tx, { old, row });
  return events;
}

describe('a change of a row', () => {
  test.each([
    ['created', undefined, shown],
    ['updated', shown, shown],
    ['deleted', shown, undefined],
    ['deleted', shown, hidden],
    ['created', hidden, shown],
    ['deleted', shown, binned],
    ['created', binned, shown],
  ])('is %s for webhooks: case %#', (change, old, row) => {
    const event = { type: `notes.${change}`, id: 7, version: 3 } as RowEvent;
    expect(eventsOf(old, row)).toEqual([event]);
  });

  test.each([
    [undefined, hidden],
    [hidden, hidden],
    [hidden, undefined],
    [binned, undefined],
    [{ ...hidden, deleted_at: at }, hidden],
  ])('that no admin may see sends nothing: case %#', (old, row) => {
    expect(eventsOf(old, row)).toEqual([]);
  });
});
