import { t } from 'elysia';
import { TextList } from '../kinds.ts';

/** Longest URL that is fetched; the practical limit of browsers and proxies. */
const MAX_URL = 2048;

export const externalQuery = (maxUrls: number) =>
  t.Object({
    url: TextList({
      minItems: 1,
      maxItems: maxUrls,
      maxLength: MAX_URL,
      description: 'An http or https URL that answers JSON. May be given several times.',
    }),
  });

/** What the URLs answered, in the order asked. */
export const ExternalData = t.Array(t.Any());
