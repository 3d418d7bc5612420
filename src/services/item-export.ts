import { and, asc, eq, gt, lte, max, sql } from 'drizzle-orm';
import type { Db } from '../core/db.ts';
import { prepare } from '../core/query.ts';
import { type ItemRow, items } from '../models/index.ts';
import { csvLine, guarded } from '../utils/csv.ts';
import { pagesById } from '../utils/pages.ts';
import { COLUMNS, type ItemFormat } from './item-lines.ts';
import { isListed, isOwned } from './item-rows.ts';

/** Items of one read: the largest take 2 MB. */
const PAGE = 20;

type Exported = Pick<ItemRow, 'id' | 'deleted_at' | (typeof COLUMNS)[number]>;
const { id, title, description, url, tags, data, visibility, deleted_at } = items;
const columns = { id, title, description, url, tags, data, visibility, deleted_at };

type Span = { after: number; until: number };
const isInSpan = and(gt(id, sql.placeholder('after')), lte(id, sql.placeholder('until')));

const newest = prepare<Record<string, never>, { id: number | null }[]>((orm) =>
  orm.select({ id: max(id) }).from(items),
);

/** Those in the bin too: how many of them stand between two others has no bound. */
const ownPage = prepare<{ owner_id: number } & Span, Exported[]>((orm) =>
  orm
    .select(columns)
    .from(items)
    .where(and(eq(items.owner_id, sql.placeholder('owner_id')), isInSpan))
    .orderBy(asc(items.id))
    .limit(PAGE),
);

const listedPage = prepare<Span, Exported[]>((orm) =>
  orm
    .select(columns)
    .from(items)
    .where(and(isListed, isOwned, isInSpan))
    .orderBy(asc(items.id))
    .limit(PAGE),
);

export interface ExportOptions {
  format: ItemFormat;
  /** Whose items, the private ones too; without it, what everyone may see. */
  ownerId: number | undefined;
}

/** Some lines, and how many items they are. */
interface Part {
  text: string;
  count: number;
}

/** Items as a stream of lines. */
export const createItemExport = ({ db }: { db: Db }) => ({
  /**
   * The lines of all items that exist now, by id, each as it is when its page is read; nothing is
   * read before it is asked for. What an import makes of them are the same items.
   */
  lines: async function* ({ format, ownerId }: ExportOptions): AsyncGenerator<Part> {
    if (format === 'csv') yield { text: csvLine(COLUMNS), count: 0 };
    const toLine = format === 'csv' ? toCsv : toJson;
    const until = (await newest(db.read, {}))[0]?.id ?? 0;
    const read = (after: number) =>
      ownerId === undefined
        ? listedPage(db.read, { after, until })
        : ownPage(db.read, { owner_id: ownerId, after, until });
    for await (const page of pagesById(PAGE, read)) {
      const shown = page.filter((item) => item.deleted_at === null);
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
