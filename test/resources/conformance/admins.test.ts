import { integer, text, texts } from '../../../src/resources/declare/columns.ts';
import { resource } from '../../../src/resources/declare/resource.ts';
import { conformance } from '../conformance.ts';

const title = text({ min: 1, max: 200 }).notNull();

conformance(
  resource('news_posts', {
    columns: { title, place_in_list: integer().notNull().default(0) },
    read: 'public',
    write: 'admin',
    filter: ['title', 'place_in_list', 'owner_id'],
    sort: ['place_in_list', 'created_at'],
    history: true,
    events: true,
    batch: true,
  }),
);

conformance(
  resource('findings', {
    columns: { title, tags: texts({ max: 20 }) },
    read: 'admin',
    write: 'admin',
    filter: ['title', 'tags'],
    sort: ['title'],
    bin: true,
    events: true,
    transfer: true,
  }),
);
