import { t } from 'elysia';
import { TextList } from '../kinds.ts';

/** Longest URL that is fetched: the practical limit of browsers and proxies. */
const MAX_URL = 2048;

export const externalQuery = (maxUrls: number) =>
  t.Object({
    url: TextList({
      minItems: 1,
      maxItems: maxUrls,
      maxLength: MAX_URL,
      description: 'An http or https URL that returns JSON. May be repeated.',
    }),
  });

/** The JSON of the URLs, in the same order. */
export const ExternalData = t.Array(t.Any());
