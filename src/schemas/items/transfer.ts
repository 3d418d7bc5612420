import { Kind } from '@sinclair/typebox';
import { t } from 'elysia';
import { ITEM_FILTERS } from '../filters.ts';
import { Choice, Integer } from '../kinds.ts';
import { FilteredQuery } from '../list-query.ts';

const Format = Choice('ItemFormat', ['jsonl', 'csv'], {
  description:
    'jsonl: an item in JSON on each line. csv: a table whose first row names its columns.',
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
    created: Integer({ description: 'In a dry run: how many would be.' }),
    failed: Integer(),
    dry_run: t.Boolean(),
    errors: t.Array(
      t.Object({
        line: Integer({ description: 'The first is 1; of a row of several lines, its last.' }),
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
      description: 'own: all of the caller, also private ones. listed: what everyone may see.',
    }),
  ),
};

export const ExportQuery = FilteredQuery(known, ITEM_FILTERS, ['tags eq wood', 'url is not_null']);

const lines = t.String({
  title: 'ItemLines',
  // Without it generated clients write and read the text as JSON.
  format: 'binary',
  description:
    'One item a line, as ItemNew in JSON, or CSV whose first row names the columns title, description, url, tags (between semicolons, or a JSON list), data (JSON) and visibility. An apostrophe stands before a cell that a spreadsheet would take for a formula, and is no part of it.',
});

/** JSON Lines or CSV: text, typed as the stream that the client returns. */
export const ItemLines = t.Unsafe<ReadableStream<Uint8Array>>({ ...lines });

/** The same as a body that the route reads itself, typed as what the client sends. */
export const ItemUpload = t.Unsafe<
  Blob | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> | ArrayBuffer | Uint8Array | string
>({ ...t.Any(), ...lines, [Kind]: 'Any' });
