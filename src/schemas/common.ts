import { t } from 'elysia';
import { Integer, IntegerText } from './kinds.ts';

/** The window of a v1 list: the guide's skip and limit. */
export const Window = t.Object({
  skip: t.Optional(
    IntegerText({
      minimum: 0,
      maximum: 2 ** 31 - 1,
      default: 0,
      description: 'Number of entries to skip.',
    }),
  ),
  limit: t.Optional(
    IntegerText({
      minimum: 1,
      maximum: 100,
      default: 100,
      description: 'Maximum number of entries.',
    }),
  ),
});

/** An error of v1, in the form of FastAPI's HTTPException. */
export const Detail = t.Object(
  { detail: t.String({ examples: ['Item 7 not found'] }) },
  { title: 'Detail' },
);

/** A validation error of v1, in FastAPI's form without `input`. */
export const ValidationDetail = t.Object(
  {
    detail: t.Array(
      t.Object({
        type: t.String({ examples: ['string_too_short'] }),
        loc: t.Array(t.Union([t.String(), Integer()]), { examples: [['body', 'title']] }),
        msg: t.String({ examples: ['String should have at least 1 character'] }),
      }),
    ),
  },
  { title: 'ValidationDetail' },
);

/** The position of a page in a v2 list. */
export const Page = t.Object(
  {
    next_cursor: t.Union([t.String(), t.Null()]),
    has_more: t.Boolean(),
    limit: Integer({ examples: [50] }),
  },
  { title: 'Page' },
);

/** The body of a 204 response. */
export const NoContent = t.Void();
