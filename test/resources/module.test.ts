import { expect, test } from 'bun:test';
import { flag, resource, t, text } from 'hutch';
import { flag as ownFlag } from '../../src/resources/declare/columns.ts';

test('the module hutch declares resources in a clone', () => {
  const notes = resource('notes', {
    columns: { title: text({ min: 1 }).notNull(), pinned: flag().notNull().default(false) },
    read: 'owner',
    write: 'owner',
    routes: (r) =>
      r.post(
        '/:id/pin',
        async ({ actor, params, service }) => {
          const { pinned } = await service.update(actor, Number(params.id), { pinned: true });
          return { pinned };
        },
        { response: t.Object({ pinned: t.Boolean() }) },
      ),
  });
  expect(notes.name satisfies 'notes').toBe('notes');
  expect(notes.definition.fields.map(({ name }) => name)).toEqual(['title', 'pinned']);
  expect(flag).toBe(ownFlag);
});
