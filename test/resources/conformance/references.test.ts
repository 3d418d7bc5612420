import { ref, text } from '../../../src/resources/declare/columns.ts';
import { resource } from '../../../src/resources/declare/resource.ts';
import { conformance } from '../conformance.ts';

const title = text({ min: 1, max: 200 }).notNull();
const boards = resource('boards', { columns: { title }, read: 'owner', write: 'owner' });

conformance(
  resource('cards', {
    columns: {
      title,
      board_id: ref(() => boards, { onDelete: 'cascade' }).notNull(),
      other_id: ref(() => boards, { onDelete: 'set null' }),
    },
    read: 'owner',
    write: 'owner',
    filter: ['board_id', 'other_id'],
    sort: ['title'],
    history: true,
    events: true,
    batch: true,
  }),
);
