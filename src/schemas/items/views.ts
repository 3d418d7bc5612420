import { t } from 'elysia';
import { Choice, Integer, IntegerText, Timestamp } from '../kinds.ts';
import { ItemDocument } from './items-v2.ts';

export const ItemPopularQuery = t.Object({
  window: t.Optional(
    Choice('PopularWindow', ['day', 'week', 'month', 'all'], {
      default: 'week',
      description:
        'The views that count: of the last 24 hours, of the last 7 or 30 UTC days including today, or of all time.',
    }),
  ),
  limit: t.Optional(
    IntegerText({
      minimum: 1,
      maximum: 100,
      default: 10,
      description: 'The maximum number of items.',
    }),
  ),
});

export const PopularItems = t.Object(
  { data: t.Array(ItemDocument, { description: 'Only items that were viewed in the window.' }) },
  { title: 'PopularItems' },
);

export const ItemStatsQuery = t.Object({
  window: t.Optional(
    Choice('StatsWindow', ['day', 'week', 'month', 'year'], {
      default: 'week',
      description: 'The last 24 hours, or the last 7, 30 or 365 UTC days including today.',
    }),
  ),
});

export const ItemStats = t.Object(
  {
    window: Choice('StatsWindow', ['day', 'week', 'month', 'year']),
    views: Integer({ description: 'The views in the window: the sum of the series.' }),
    unit: Choice('StatsUnit', ['hour', 'day']),
    series: t.Array(t.Object({ at: Timestamp(), views: Integer() }), {
      description: 'Oldest first, with zeroes. `at` is the start of the hour or UTC day.',
    }),
  },
  { title: 'ItemStats' },
);

export const ItemViewed = t.Object(
  {
    views: Integer({ description: 'Of all time.' }),
    counted: t.Boolean({
      description: 'False for bots, and for callers who viewed the item within HUTCH_VIEW_WINDOW.',
    }),
  },
  { title: 'ItemViewed' },
);
