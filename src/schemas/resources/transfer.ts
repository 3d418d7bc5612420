import { Kind } from '@sinclair/typebox';
import { t } from 'elysia';
import type { Definition, Field } from '../../resources/declare/definition.ts';
import { listed, namesOf } from '../../resources/declare/words.ts';
import { Choice, Integer } from '../kinds.ts';
import { FilteredQuery } from '../list-query.ts';
import { exportExamples } from './examples.ts';

/** The schemas of imports and exports as lines. */
export function transferSchemas(definition: Definition) {
  const { One, one } = namesOf(definition);
  const Format = Choice(`${One}Format`, ['jsonl', 'csv'], {
    description: `jsonl: one ${one} in JSON per line. csv: a table whose first row names the columns.`,
  });
  const scope = Choice('ExportScope', ['own', 'listed'], { description: scopeText(definition) });
  const known = {
    format: t.Optional(Format),
    ...(hasListedScope(definition) && { scope: t.Optional(scope) }),
  };
  const lines = t.String({
    title: `${One}Lines`,
    // Otherwise generated clients encode and decode the text as JSON.
    format: 'binary',
    description: `One ${one} per line, as ${One}New in JSON; or CSV whose first row names the columns ${columnsText(definition)}. Cells that a spreadsheet would run as a formula are prefixed with an apostrophe, which an import removes.`,
  });
  return {
    ImportQuery: t.Object({ format: t.Optional(Format), dry_run: DRY_RUN }),
    ImportReport,
    ExportQuery: FilteredQuery(known, definition.filters, exportExamples(definition) as never),
    /** JSON Lines or CSV. */
    Lines: lines,
    /** The same as a request body that the route reads itself. */
    Upload: t.Unsafe<unknown>({ ...t.Any(), ...lines, [Kind]: 'Any' }),
  };
}

/** True if there are rows of others to export: rows that everyone, every account or every admin reads. */
export function hasListedScope({ read }: Definition): boolean {
  return read === 'public' || read === 'user' || read === 'admin';
}

const DRY_RUN = t.Optional(
  Choice('BooleanText', ['true', 'false'], {
    description: 'true: checks the lines and writes nothing.',
  }),
);

const ImportReport = t.Object(
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

function scopeText(definition: Definition): string {
  const { many } = namesOf(definition);
  return definition.hasVisibility
    ? `own: all ${many} of the caller, private ones too. listed: all public ${many}.`
    : `own: all ${many} of the caller. listed: all ${many}.`;
}

const CELLS: Partial<Record<Field['kind'], string>> = {
  texts: ' (separated by semicolons, or a JSON list)',
  json: ' (JSON)',
  flag: ' (true or false)',
};

function columnsText({ fields }: Definition): string {
  return listed(
    fields.map(({ name, kind }) => `${name}${CELLS[kind] ?? ''}`),
    'and',
  );
}
