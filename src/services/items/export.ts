import { and, eq, max, type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../core/db/db.ts';
import { fixed, prepare, rowsOf } from '../../core/db/query.ts';
import { type ItemRow, items, itemViews } from '../../models/items.ts';
import { pagesById } from '../../utils/page.ts';
import { csvLine, guarded } from '../../utils/text/csv.ts';
import type { ItemFormat } from './lines.ts';
import { conditionOf } from './list/filters.ts';
import type { ItemFilter } from './list/query.ts';
import { EDITABLE_FIELDS, isListed, isOwned } from './rows.ts';

/** Items of one read: 2 MB at most. */
const PAGE = 20;

type Exported = Pick<ItemRow, 'id' | 'deleted_at' | (typeof EDITABLE_FIELDS)[number]> & {
  passes: number;
};

const newest = prepare<Record<string, never>, { id: number | null }[]>((orm) =>
  orm.select({ id: max(items.id) }).from(items),
);

const columns = fixed(
  sql.join(
    (['id', 'deleted_at', ...EDITABLE_FIELDS] as const).map((name) => sql`${items[name]}`),
    sql`, `,
  ),
);
const isPublic = fixed(sql`${isListed} and ${isOwned}`);

/**
 * A page of items after an id. It includes rows that do not pass the filters and own items in the
 * bin: skipping them in SQL could take unbounded time.
 */
function pageOf({ ownerId, filters }: ExportOptions, after: number, until: number): SQL {
  const isIncluded = ownerId === undefined ? isPublic : eq(items.owner_id, ownerId);
  const passes = and(...filters.map(conditionOf)) ?? sql`1`;
  return sql`select ${columns}, ${passes} as passes from ${items} cross join ${itemViews} on ${itemViews.item_id} = ${items.id} where ${isIncluded} and ${items.id} > ${after} and ${items.id} <= ${until} order by ${items.id} limit ${PAGE}`;
}

export interface ExportOptions {
  format: ItemFormat;
  /** Exports all items of this account, private ones too; without it, all public items. */
  ownerId: number | undefined;
  /** Conditions that must all hold. */
  filters: readonly ItemFilter[];
}

/** Some lines, and the number of items in them. */
export interface ExportChunk {
  text: string;
  count: number;
}

/** Exports items as JSON Lines or CSV. */
export const createItemExport = ({ db }: { db: Db }) => ({
  /**
   * The lines of all items that exist now and pass the filters, by id. Reads each page on demand,
   * so an item appears as it is at that moment. An import of the lines creates equal items.
   */
  lines: async function* (options: ExportOptions): AsyncGenerator<ExportChunk> {
    const { format } = options;
    if (format === 'csv') yield { text: csvLine(EDITABLE_FIELDS), count: 0 };
    const toLine = format === 'csv' ? toCsv : toJson;
    const until = (await newest(db.read, {}))[0]?.id ?? 0;
    const read = (after: number) => rowsOf<Exported>(db.read, pageOf(options, after, until));
    for await (const page of pagesById(PAGE, read)) {
      const shown = page.filter(({ deleted_at, passes }) => passes && deleted_at === null);
      if (shown.length > 0) yield { text: shown.map(toLine).join(''), count: shown.length };
    }
  },
});

/** Tags and data are stored as JSON. */
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

/** Separated by semicolons if that is unambiguous, else a JSON list. */
function tagsCell(json: string): string {
  const tags: string[] = JSON.parse(json);
  const isPlain = tags.every((tag) => !tag.includes(';') && tag.trim() === tag);
  const text = tags.join(';');
  return isPlain && !/^'*\[/.test(text) ? text : json;
}
