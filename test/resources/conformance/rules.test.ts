import { flag, integer, text, texts, visibility } from '../../../src/resources/declare/columns.ts';
import { resource } from '../../../src/resources/declare/resource.ts';
import { conformance } from '../conformance.ts';

const title = text({ min: 1, max: 200 }).notNull();

/** Functions decide by the row. */
conformance(
  resource('offers', {
    columns: {
      title,
      is_open: flag().notNull().default(false),
      price: integer({ min: 1, max: 9 }).notNull(),
    },
    read: (actor, row) => row.is_open || row.owner_id === actor.id || actor.role === 'admin',
    write: (actor, row) => row.owner_id === actor.id && row.price < 8,
    filter: ['price', 'is_open'],
    sort: ['price'],
    history: true,
    bin: true,
    events: true,
    batch: true,
  }),
);

/** The owner of a row decides. */
conformance(
  resource('photos', {
    columns: { title, visibility: visibility(), tags: texts().notNull().default([]) },
    read: 'public',
    write: 'owner',
    filter: ['visibility', 'tags'],
    sort: ['title'],
    search: ['title'],
    events: true,
    views: true,
  }),
);
