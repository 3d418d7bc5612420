import { t } from 'elysia';
import type { Definition } from '../../resources/declare/definition.ts';
import { namesOf } from '../../resources/declare/words.ts';
import { Choice, Integer, IntegerText, Timestamp } from '../kinds.ts';
import { documentOf } from './document.ts';

/** Returns the schemas of view counts, their statistics and the most viewed rows. */
export function viewSchemas(definition: Definition) {
  const { One, Many, one, many } = namesOf(definition);
  return {
    PopularQuery: t.Object({
      window: POPULAR_WINDOW,
      limit: t.Optional(
        IntegerText({
          minimum: 1,
          maximum: 100,
          default: 10,
          description: `The maximum number of ${many}.`,
        }),
      ),
    }),
    Popular: t.Object(
      {
        data: t.Array(documentOf(definition), {
          description: `Only ${many} that were viewed in the window.`,
        }),
      },
      { title: `Popular${Many}` },
    ),
    StatsQuery: STATS_QUERY,
    Stats: t.Object(STATS, { title: `${One}Stats` }),
    Viewed: t.Object(
      {
        views: Integer({ description: 'Of all time.' }),
        counted: t.Boolean({
          description: `False for bots, and for callers who viewed the ${one} within HUTCH_VIEW_WINDOW.`,
        }),
      },
      { title: `${One}Viewed` },
    ),
  };
}

const POPULAR_WINDOW = t.Optional(
  Choice('PopularWindow', ['day', 'week', 'month', 'all'], {
    default: 'week',
    description:
      'The views that count: of the last 24 hours, of the last 7 or 30 UTC days including today, or of all time.',
  }),
);

const STATS_QUERY = t.Object({
  window: t.Optional(
    Choice('StatsWindow', ['day', 'week', 'month', 'year'], {
      default: 'week',
      description: 'The last 24 hours, or the last 7, 30 or 365 UTC days including today.',
    }),
  ),
});

const STATS = {
  window: Choice('StatsWindow', ['day', 'week', 'month', 'year']),
  views: Integer({ description: 'The views in the window: the sum of the series.' }),
  unit: Choice('StatsUnit', ['hour', 'day']),
  series: t.Array(t.Object({ at: Timestamp(), views: Integer() }), {
    description: 'Oldest first, with zeroes. `at` is the start of the hour or UTC day.',
  }),
};
