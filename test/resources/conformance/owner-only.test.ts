import { t } from 'elysia';
import {
  anyJson,
  flag,
  integer,
  json,
  oneOf,
  real,
  text,
  texts,
  timestamp,
} from '../../../src/resources/declare/columns.ts';
import { resource } from '../../../src/resources/declare/resource.ts';
import { conformance } from '../conformance.ts';

/** Every kind of column and every option. */
conformance(
  resource('diaries', {
    columns: {
      title: text({ min: 1, max: 200 }).notNull(),
      body: text(),
      stars: integer({ min: 0, max: 5 }),
      weight: real().notNull().default(0.5),
      is_pinned: flag().notNull().default(false),
      is_read: flag(),
      due_at: timestamp().notNull(),
      done_at: timestamp(),
      state: oneOf('open', 'done').notNull().default('open'),
      place: json(t.Object({ n: t.Any(), s: t.String() })),
      data: anyJson().notNull().default({}),
      labels: texts().notNull().default([]),
      link: text({ format: 'uri', max: 500 }),
    },
    read: 'owner',
    write: 'owner',
    filter: [
      'id',
      'title',
      'body',
      'stars',
      'weight',
      'is_pinned',
      'is_read',
      'due_at',
      'done_at',
      'state',
      'data',
      'labels',
      'link',
      'created_at',
      'version',
    ],
    sort: ['title', 'weight', 'due_at', 'is_pinned', 'state', 'updated_at'],
    search: ['title', 'labels'],
    history: true,
    bin: true,
    events: true,
    batch: true,
    transfer: true,
    views: true,
  }),
);
