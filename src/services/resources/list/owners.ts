import { eq, sql } from 'drizzle-orm';
import type { Session } from '../../../core/db/db.ts';
import { fragment } from '../../../core/db/fragment.ts';
import { prepare, rowsOf } from '../../../core/db/query.ts';
import { type User, users } from '../../../models/users.ts';
import type { ListedRow } from './query.ts';

export const usernameById = prepare<{ id: number }, Pick<User, 'username'>[]>((orm) =>
  orm
    .select({ username: users.username })
    .from(users)
    .where(eq(users.id, sql.placeholder('id'))),
);

/** Sets `owner_username` of rows with `owner_id`. */
export async function addOwners(session: Session, rows: readonly ListedRow[]): Promise<void> {
  const ids = JSON.stringify([...new Set(rows.map((row) => row['owner_id']))]);
  const owners = await rowsOf<Pick<User, 'id' | 'username'>>(
    session,
    fragment`select users.id, users.username from json_each(${ids}) as picked
      cross join users on users.id = picked.value`,
  );
  const names = new Map(owners.map(({ id, username }) => [id, username]));
  for (const row of rows) row['owner_username'] = names.get(Number(row['owner_id'])) ?? null;
}
