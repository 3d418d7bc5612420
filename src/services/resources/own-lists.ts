import { sql } from 'drizzle-orm';
import type { Session } from '../../core/db/db.ts';
import { prepareRows } from '../../core/db/query.ts';
import type { Definition, Row } from '../../resources/declare/definition.ts';
import { nextTurn } from '../../utils/async/event-loop.ts';
import { pagesById } from '../../utils/page.ts';
import type { Revision } from './history/rows.ts';
import { namesOf, tablesOf } from './statements.ts';
import { createRowValues } from './values.ts';

/** All rows of an account in a table, page by page, as JSON objects for its export. */
export interface OwnList {
  name: string;
  pages(read: Session, ownerId: number): AsyncGenerator<object[]>;
}

/** Rows per read. 20 of the largest items take 2 MB. */
const PAGE = 20;

/** The lists of a resource in the export of an account: its rows and their history. */
export function ownListsOf(def: Definition): OwnList[] {
  // Items came first, and their history has a name of its own.
  const name = def.name === 'items' ? 'revisions' : `${def.one}_revisions`;
  const rows = { name: def.name, pages: createRowPages(def) };
  return def.hasHistory ? [rows, { name, pages: createRevisionPages(def) }] : [rows];
}

/** The rows that exist when the list begins, each as it is when its page is read. */
function createRowPages(def: Definition): OwnList['pages'] {
  const { rows } = tablesOf(def);
  const { shown } = createRowValues(def);
  const columns = namesOf(def).map((name) => sql.identifier(name));
  const p = sql.placeholder;
  const newest = prepareRows<{ owner_id: number }, { id: number | null }>(
    sql`select max(id) as id from ${rows} where owner_id = ${p('owner_id')}`,
  );
  const page = prepareRows<{ owner_id: number; after: number; until: number }, Row>(
    sql`select ${sql.join(columns, sql`, `)} from ${rows} where owner_id = ${p('owner_id')} and id > ${p('after')} and id <= ${p('until')} order by id limit ${sql.raw(String(PAGE))}`,
  );
  return async function* (read, owner_id) {
    const until = (await newest(read, { owner_id }))[0]?.id ?? 0;
    for await (const some of pagesById(PAGE, (after) => page(read, { owner_id, after, until }))) {
      yield some.map(shown);
    }
  };
}

/** The revisions of the rows of an account, by row and version. */
function createRevisionPages(def: Definition): OwnList['pages'] {
  const { rows, revisions, rowId } = tablesOf(def);
  const { shown } = createRowValues(def);
  const p = sql.placeholder;
  const limit = sql.raw(String(PAGE));
  const ids = prepareRows<{ owner_id: number; after: number }, { id: number }>(
    sql`select id from ${rows} where owner_id = ${p('owner_id')} and id > ${p('after')} order by id limit ${limit}`,
  );
  const page = prepareRows<{ row_id: number; version: number }, Revision>(
    sql`select ${rowId} as row_id, version, action, actor_id, at, before from ${revisions} where ${rowId} = ${p('row_id')} and version > ${p('version')} order by version limit ${limit}`,
  );
  const toJson = ({ row_id, before, actor_id, ...rest }: Revision, ownerId: number) => ({
    [`${def.one}_id`]: row_id,
    ...rest,
    // Omits the ids of other accounts.
    actor_id: actor_id === ownerId ? actor_id : null,
    before: shown(JSON.parse(before)),
  });
  return async function* (read, owner_id) {
    const own = pagesById(PAGE, (after) => ids(read, { owner_id, after }));
    for await (const some of own) {
      for (const { id } of some) {
        for (let version = 0; ; ) {
          const found = await page(read, { row_id: id, version });
          if (found.length > 0) yield found.map((row) => toJson(row, owner_id));
          if (found.length < PAGE) break;
          version = found.at(-1)?.version ?? version;
          await nextTurn();
        }
      }
    }
  };
}
