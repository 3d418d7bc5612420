import { eq, sql } from 'drizzle-orm';
import type { AnyActor } from '../../core/actor.ts';
import type { Session } from '../../core/db/db.ts';
import { fragment } from '../../core/db/fragment.ts';
import { prepare, rowsOf } from '../../core/db/query.ts';
import { type User, users } from '../../models/users.ts';
import { items } from '../../resources/items.ts';
import { createResourceList, type ResourceListDeps } from '../resources/list/list.ts';
import type { ListedRow, ListPage, ListQuery } from '../resources/list/query.ts';
import type { Item } from './rows.ts';

export type ItemFilterField = Exclude<keyof Item, 'description' | 'deleted_at'>;

/** A column of the rows of a list; `tags` and `data` are JSON texts. */
export type ItemColumn = Exclude<keyof Item, 'id'> | 'owner_username';
export type ItemListQuery = ListQuery<ItemFilterField, ItemColumn>;

export const createItemList = (deps: ResourceListDeps) => {
  const { list, jobs } = createResourceList(items.definition, deps);
  return {
    jobs,

    /** A page of items, with the usernames of their owners if requested. Throws as `list` does. */
    list: async (actor: AnyActor, query: ItemListQuery): Promise<ListPage<ListedRow>> => {
      const columns = query.columns.filter((it) => it !== 'owner_username');
      const page = await list(actor, { ...query, columns });
      if (columns.length < query.columns.length) await addOwners(deps.db.read, page.data);
      return page;
    },

    /** The username of an account. */
    usernameOf: async (id: number): Promise<string | undefined> =>
      (await usernameById(deps.db.read, { id }))[0]?.username,
  };
};

const usernameById = prepare<{ id: number }, Pick<User, 'username'>[]>((orm) =>
  orm
    .select({ username: users.username })
    .from(users)
    .where(eq(users.id, sql.placeholder('id'))),
);

async function addOwners(session: Session, rows: ListedRow[]): Promise<void> {
  const ids = JSON.stringify([...new Set(rows.map((row) => row['owner_id']))]);
  const owners = await rowsOf<Pick<User, 'id' | 'username'>>(
    session,
    fragment`select users.id, users.username from json_each(${ids}) as picked cross join users on users.id = picked.value`,
  );
  const names = new Map(owners.map(({ id, username }) => [id, username]));
  for (const row of rows) row['owner_username'] = names.get(Number(row['owner_id'])) ?? null;
}
