import { t } from 'elysia';
import { Choice, Integer, IntegerText, Timestamp } from '../kinds.ts';
import { ItemDocument } from './items-v2.ts';

export const ItemPopularQuery = t.Object({
  window: t.Optional(
    Choice('PopularWindow', ['day', 'week', 'month', 'all'], {
      default: 'week',
      description:
        'What counts: the views of the last 24 hours, of the last 7 or 30 UTC days with today, or of all time.',
    }),
  ),
  limit: t.Optional(
    IntegerText({ minimum: 1, maximum: 100, default: 10, description: 'Items, at most.' }),
  ),
});

export const PopularItems = t.Object(
  { data: t.Array(ItemDocument, { description: 'Only what was viewed in the window.' }) },
  { title: 'PopularItems' },
);

export const ItemStatsQuery = t.Object({
  window: t.Optional(
    Choice('StatsWindow', ['day', 'week', 'month', 'year'], {
      default: 'week',
      description: 'The last 24 hours, or the last 7, 30 or 365 UTC days with today.',
    }),
  ),
});

export const ItemStats = t.Object(
  {
    window: Choice('StatsWindow', ['day', 'week', 'month', 'year']),
    views: Integer({ description: 'In the window; the sum of the series.' }),
    unit: Choice('StatsUnit', ['hour', 'day']),
    series: t.Array(t.Object({ at: Timestamp(), views: Integer() }), {
      description: 'The oldest first, with zeroes. `at` is when the hour or the UTC day began.',
    }),
  },
  { title: 'ItemStats' },
);

export const ItemViewed = t.Object(
  {
    views: Integer({ description: 'Of all time.' }),
    counted: t.Boolean({
      description: 'False for a bot, and for who viewed the item within HUTCH_VIEW_WINDOW.',
    }),
  },
  { title: 'ItemViewed' },
);
