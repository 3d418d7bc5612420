import { Kind } from '@sinclair/typebox';
import { t } from 'elysia';
import { ITEM_FILTERS } from '../filters.ts';
import { Choice, Integer } from '../kinds.ts';
import { FilteredQuery } from '../list-query.ts';

const Format = Choice('ItemFormat', ['jsonl', 'csv'], {
  description: 'jsonl: one item in JSON per line. csv: a table whose first row names the columns.',
});

export const ImportQuery = t.Object({
  format: t.Optional(Format),
  dry_run: t.Optional(
    Choice('BooleanText', ['true', 'false'], {
      description: 'true: checks the lines and writes nothing.',
    }),
  ),
});

export const ImportReport = t.Object(
  {
    created: Integer({ description: 'In a dry run, the number that would be created.' }),
    failed: Integer(),
    dry_run: t.Boolean(),
    errors: t.Array(
      t.Object({
        line: Integer({
          description: 'Starts at 1; for a row that spans several lines, its last line.',
        }),
        code: t.String({ examples: ['string_too_short'] }),
        message: t.String(),
      }),
      { description: 'The first 1,000.' },
    ),
  },
  { title: 'ImportReport' },
);

const known = {
  format: t.Optional(Format),
  scope: t.Optional(
    Choice('ExportScope', ['own', 'listed'], {
      description: 'own: all items of the caller, private ones too. listed: all public items.',
    }),
  ),
};

export const ExportQuery = FilteredQuery(known, ITEM_FILTERS, ['tags eq wood', 'url is not_null']);

const lines = t.String({
  title: 'ItemLines',
  // Otherwise generated clients encode and decode the text as JSON.
  format: 'binary',
  description:
    'One item per line, as ItemNew in JSON; or CSV whose first row names the columns title, description, url, tags (separated by semicolons, or a JSON list), data (JSON) and visibility. Cells that a spreadsheet would run as a formula are prefixed with an apostrophe, which an import removes.',
});

/** JSON Lines or CSV: text, typed as the stream that the client returns. */
export const ItemLines = t.Unsafe<ReadableStream<Uint8Array>>({ ...lines });

/** The same as a request body that the route reads itself, typed as the values that the client accepts. */
export const ItemUpload = t.Unsafe<
  Blob | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> | ArrayBuffer | Uint8Array | string
>({ ...t.Any(), ...lines, [Kind]: 'Any' });
