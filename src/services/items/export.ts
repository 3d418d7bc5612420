import { and, eq, max, type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../core/db/db.ts';
import { fixed, rowsOf } from '../../core/db/dynamic-query.ts';
import { prepare } from '../../core/db/query.ts';
import { type ItemRow, items, itemViews } from '../../models/index.ts';
import { pagesById } from '../../utils/page.ts';
import { csvLine, guarded } from '../../utils/text/csv.ts';
import { COLUMNS, type ItemFormat } from './lines.ts';
import { conditionOf } from './list/filters.ts';
import type { ItemFilter } from './list/query.ts';
import { isListed, isOwned } from './rows.ts';

/** Items of one read: the largest take 2 MB. */
const PAGE = 20;

type Exported = Pick<ItemRow, 'id' | 'deleted_at' | (typeof COLUMNS)[number]> & { passes: number };

const newest = prepare<Record<string, never>, { id: number | null }[]>((orm) =>
  orm.select({ id: max(items.id) }).from(items),
);

const columns = fixed(
  sql.join(
    (['id', 'deleted_at', ...COLUMNS] as const).map((name) => sql`${items[name]}`),
    sql`, `,
  ),
);
const isPublic = fixed(sql`${isListed} and ${isOwned}`);

/**
 * Items after an id. Own ones also from the bin, and those that do not pass the filters too: how
 * many of them stand between two others has no bound.
 */
function pageOf({ ownerId, filters }: ExportOptions, after: number, until: number): SQL {
  const whose = ownerId === undefined ? isPublic : eq(items.owner_id, ownerId);
  const passes = and(...filters.map(conditionOf)) ?? sql`1`;
  return sql`select ${columns}, ${passes} as passes from ${items} cross join ${itemViews} on ${itemViews.item_id} = ${items.id} where ${whose} and ${items.id} > ${after} and ${items.id} <= ${until} order by ${items.id} limit ${PAGE}`;
}

export interface ExportOptions {
  format: ItemFormat;
  /** Whose items, the private ones too; without it, what everyone may see. */
  ownerId: number | undefined;
  /** Conditions that must all hold. */
  filters: readonly ItemFilter[];
}

/** Some lines, and how many items they are. */
interface Part {
  text: string;
  count: number;
}

/** Items as a stream of lines. */
export const createItemExport = ({ db }: { db: Db }) => ({
  /**
   * The lines of all items that exist now and pass the filters, by id, each as it is when its page is read; nothing is
   * read before it is asked for. What an import makes of them are the same items.
   */
  lines: async function* (options: ExportOptions): AsyncGenerator<Part> {
    const { format } = options;
    if (format === 'csv') yield { text: csvLine(COLUMNS), count: 0 };
    const toLine = format === 'csv' ? toCsv : toJson;
    const until = (await newest(db.read, {}))[0]?.id ?? 0;
    const read = (after: number) => rowsOf<Exported>(db.read, pageOf(options, after, until));
    for await (const page of pagesById(PAGE, read)) {
      const shown = page.filter(({ deleted_at, passes }) => passes && deleted_at === null);
      if (shown.length > 0) yield { text: shown.map(toLine).join(''), count: shown.length };
    }
  },
});

/** Tags and data are JSON already. */
function toJson({ tags, data, ...item }: Exported): string {
  const { title, description, url, visibility } = item;
  const [head, tail] = [{ title, description, url }, { visibility }].map((it) =>
    JSON.stringify(it),
  );
  return `${head?.slice(0, -1)},"tags":${tags},"data":${data},${tail?.slice(1)}\n`;
}

function toCsv({ title, description, url, tags, data, visibility }: Exported): string {
  const cells = [title, description, url ?? '', tagsCell(tags), data === '{}' ? '' : data];
  return csvLine([...cells, visibility].map(guarded));
}

/** Between semicolons where that says the same, else the JSON list. */
function tagsCell(json: string): string {
  const tags: string[] = JSON.parse(json);
  const isPlain = tags.every((tag) => !tag.includes(';') && tag.trim() === tag);
  const text = tags.join(';');
  return isPlain && !/^'*\[/.test(text) ? text : json;
}
