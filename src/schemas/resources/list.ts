import { type TSchema, t } from 'elysia';
import type { Definition } from '../../resources/declare/definition.ts';
import { listed, namesOf } from '../../resources/declare/words.ts';
import { Page } from '../common.ts';
import { Integer, IntegerText, Text } from '../kinds.ts';
import { FilteredQuery, Names } from '../list-query.ts';
import { type DocumentSchemas, documentOf, expansionsOf, SPARSE_TYPE } from './document.ts';
import { listExamples } from './examples.ts';

/** Returns the schemas of a list, of the query of one row, and of their responses. */
export function listSchemas(definition: Definition, { Shown, Sparse }: DocumentSchemas) {
  const { One } = namesOf(definition);
  const shown = { fields: fieldsOf(definition), expand: expandOf(definition) };
  const known = { ...searchOf(definition), sort: sortOf(definition), ...shown };
  const paged = { ...binOf(definition), count: countOf(definition), ...PLACE };
  return {
    RowQuery: t.Object(shown),
    ListQuery: FilteredQuery(
      { ...known, ...paged },
      definition.filters,
      listExamples(definition) as never,
    ),
    List: t.Object({ data: t.Array(Shown), ...BESIDE }, { title: `${One}List` }),
    /** A list with selected fields. */
    SparseList: t.Object({ data: t.Array(Sparse), ...BESIDE }, { title: `${One}SparseList` }),
  };
}

/** The keys of a sort; `-` is descending. `relevance` needs a search. */
export function sortsOf({ sorts, search }: Definition): string[] {
  const fields = ['id', ...sorts, ...(search.length > 0 ? ['relevance'] : [])];
  return fields.flatMap((field) => [field, `-${field}`]);
}

const PLACE = {
  limit: t.Optional(
    IntegerText({
      minimum: 1,
      maximum: 100,
      default: 50,
      description: 'The maximum number of entries per page.',
    }),
  ),
  cursor: t.Optional(
    Text({ minLength: 1, maxLength: 2048, description: 'The next_cursor of the previous page.' }),
  ),
};

const BESIDE = {
  page: Page,
  total: t.Optional(Integer({ description: 'With count=exact.' })),
  total_is_capped: t.Optional(
    t.Boolean({ description: 'With count=exact: true if there are total or more.' }),
  ),
};

function searchOf(definition: Definition): Record<string, TSchema> {
  const { search, fields, hasVisibility } = definition;
  if (search.length === 0) return {};
  const { many, Many } = namesOf(definition);
  const [first = ''] = search;
  const ranked = `${Many} with all words in the
${first} are most relevant; then newer ${many} are first. For a word in very many ${many}, only the newest 20,000 are
checked for the ${first}, and in any order but relevance or -id only the newest 20,000 are listed; a page may then
be short while has_more is true.`;
  const example = fields.find(({ name }) => name === first)?.schema['examples']?.[0];
  const q = Text({
    maxLength: 10_000,
    description: `Words that the ${listed(search, 'or')} must all contain, ignoring case and the accents of
Latin and Greek. The last word, from two letters on, may be a prefix; from four letters on it matches the first
50 words with that prefix in alphabetical order. In Chinese, Japanese, Korean, Thai, Lao, Khmer and Burmese each
pair of adjacent letters is a word, so that any part of a text is found, also a single letter. Punctuation is
ignored, a query without words finds nothing, and only the first 32 words count. ${ranked}${hasVisibility ? ` Of the caller's private ${many} the newest 20,000 are searched.` : ''}`,
    examples: [
      String(example ?? 'warm hutch')
        .toLowerCase()
        .replace(/^an? /, ''),
    ],
  });
  return { q: t.Optional(q) };
}

function sortOf(definition: Definition): TSchema {
  const { One, many } = namesOf(definition);
  const { sorts, search, hasViews } = definition;
  const hasWords = search.length > 0;
  const opposite = [...(hasViews ? ['views'] : []), ...(hasWords ? ['relevance'] : [])];
  const relevance = `; relevance needs q and sorts the best\nmatch first`;
  const description = `Keys separated by commas, with \`-\` for descending order${hasWords ? relevance : ''}. The id is the last tie-breaker, in the direction of the last key${opposite.length > 0 ? `; after ${listed(opposite, 'and')} in the\nopposite one` : ''}. Default: -id${hasWords ? ', with q relevance' : ''}. Several keys are refused if more than 20,000 ${many} share the\nfirst.`;
  const [second = 'id'] = sorts.filter((it) => !it.endsWith('_at'));
  const first = sorts.includes('created_at') ? '-created_at' : '-id';
  const examples = [first === `-${second}` ? [first] : [first, second]];
  return t.Optional(Names(sortsOf(definition), { title: `${One}Sort`, description, examples }));
}

function fieldsOf(definition: Definition): TSchema {
  const { fields } = definition;
  const second = fields.find(({ kind }) => kind === 'texts') ?? fields[1];
  const examples = [fields[0], second].flatMap((field) => (field ? [field.name] : []));
  return t.Optional(
    Names(Object.keys(documentOf(definition).properties), {
      title: `${namesOf(definition).One}Field`,
      description: `The fields to return in addition to the id, separated by commas. The response is then sparse and
has the media type ${SPARSE_TYPE}.`,
      examples: [examples],
    }),
  );
}

function expandOf(definition: Definition): TSchema {
  const { One, one } = namesOf(definition);
  const expansions = expansionsOf(definition);
  const texts = expansions.map((name) =>
    name === 'owner' ? `owner: adds the owner of the ${one}.` : `${name}: adds its ${name}.`,
  );
  return t.Optional(
    Names(expansions, {
      title: `${One}Relation`,
      description: texts.join(' '),
      examples: [['owner']],
    }),
  );
}

function binOf(definition: Definition): Record<string, TSchema> {
  if (!definition.hasBin) return {};
  const { many } = namesOf(definition);
  const bin = t.Literal('only', {
    description: `Lists the ${many} in the caller's bin; needs a token. In any order but id it lists the newest
20,000.`,
  });
  return { bin: t.Optional(bin) };
}

function countOf(definition: Definition): TSchema {
  const { one, many } = namesOf(definition);
  const most = definition.hasVisibility ? `public and as many\nprivate ${many}` : many;
  return t.Optional(
    t.Literal('exact', {
      description: `Adds total. Counting reads an index entry per ${one}; it stops at 100,000 ${most}, or at about 16,000 if each row must be checked. total_is_capped is then true.`,
    }),
  );
}
