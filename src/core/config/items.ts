import { oneOf, setting, wholeNumber } from './setting.ts';

/** The settings of items: popularity and view counts. */
export const ITEM_SETTINGS = {
  popularTtlSeconds: setting(
    'HUTCH_POPULAR_TTL_SECONDS',
    60,
    wholeNumber(1, 86_400),
    'How long popular items are cached.',
  ),
  viewsMode: setting(
    'HUTCH_VIEWS',
    'batched',
    oneOf('batched', 'strict'),
    'batched: a crash loses at most 250 ms of views. strict: each is on disk before the response.',
  ),
  viewWindowSeconds: setting(
    'HUTCH_VIEW_WINDOW',
    1800,
    wholeNumber(0, 86_400),
    'Seconds in which a viewer counts once for an item in v2; 0 counts every call.',
  ),
  viewWindowV1Seconds: setting(
    'HUTCH_VIEW_WINDOW_V1',
    0,
    wholeNumber(0, 86_400),
    'The same for reads by v1, which by default count every time.',
  ),
};
