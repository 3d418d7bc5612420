import { anyJson, text, texts, visibility } from './declare/columns.ts';
import { resource } from './declare/resource.ts';

export const items = resource('items', {
  columns: {
    title: text({ min: 1, max: 200, examples: ['A warm hutch'] }).notNull(),
    description: text({ max: 10_000, examples: ['Straw included.'] })
      .notNull()
      .default('', { inTable: false }),
    url: text({ max: 2048, format: 'uri', examples: ['https://example.com/hutch'] }),
    tags: texts({
      max: 50,
      maxItems: 20,
      description: 'Stored in the given order, without duplicates.',
      examples: ['wood'],
    })
      .notNull()
      .default([]),
    data: anyJson({
      maxBytes: 65_536,
      maxDepth: 20,
      description: 'Any other data, as a JSON object of at most 64 KiB.',
      examples: [{ rabbits: 2 }],
    })
      .notNull()
      .default({}),
    visibility: visibility({ description: 'private: only its owner sees it. Default: public.' }),
  },
  read: 'public',
  write: 'owner',
  filter: [
    'id',
    'owner_id',
    'title',
    'url',
    'tags',
    'visibility',
    'views',
    'version',
    'created_at',
    'updated_at',
    'data',
  ],
  sort: ['created_at', 'updated_at', 'title', 'views'],
  search: ['title', 'description', 'tags'],
  history: true,
  bin: true,
  events: true,
  batch: true,
  transfer: true,
  views: true,
  idParam: 'item_id',
  // The operation ids of v1 are those without it.
  operationSuffix: 'V2',
});
