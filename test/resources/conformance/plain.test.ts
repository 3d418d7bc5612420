import { text } from '../../../src/resources/declare/columns.ts';
import { resource } from '../../../src/resources/declare/resource.ts';
import { conformance } from '../conformance.ts';

const title = text({ min: 1, max: 200 }).notNull();

conformance(resource('plain_things', { columns: { title }, read: 'public', write: 'owner' }));

conformance(
  resource('wiki_pages', {
    columns: { title, body: text().notNull().default('') },
    read: 'user',
    write: 'user',
    filter: ['title', 'owner_id'],
    sort: ['title'],
    search: ['body', 'title'],
    history: true,
    bin: true,
    events: true,
  }),
);
