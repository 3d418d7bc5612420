import { and, asc, eq, gt, lte, max, sql } from 'drizzle-orm';
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core';
import type { Db } from '../core/db.ts';
import { AppError } from '../core/exceptions.ts';
import { prepare, type Query } from '../core/query.ts';
import {
  type AccessToken,
  type AuditEntry,
  accessTokens,
  auditLog,
  identities,
  items,
  passkeys,
  sessions,
} from '../models/index.ts';
import { pagesById } from '../utils/pages.ts';
import type { Audit, Via } from './audit.ts';
import { ownAccount } from './own-account.ts';
import { userById } from './user-queries.ts';

/** Rows of one read: the largest items take 2 MB. */
const PAGE = 20;

export interface AccountExportDeps {
  db: Db;
  audit: Audit;
  now(): Date;
}

/** Everything that is stored about an account, for its owner to take along. */
export const createAccountExport = (deps: AccountExportDeps) => ({
  /**
   * Returns the JSON document as text in parts, one page of rows at a time; a part is read only
   * when it is asked for. A list holds what existed when it began, each row as it was when its
   * page was read. Throws not_found, also in the middle when the account is deleted meanwhile.
   */
  begin: async (id: number, via: Via): Promise<AsyncGenerator<{ text: string }>> => {
    const account = await getAccount(deps, id);
    const who = { actor_id: id, user_id: id };
    await deps.db.write((tx) => deps.audit.record(tx, { action: 'data.exported', ...who, via }));
    return documentOf(deps, { exported_at: deps.now().toISOString(), account });
  },
});

type Head = { exported_at: string; account: ReturnType<typeof ownAccount> };

async function* documentOf(deps: AccountExportDeps, head: Head) {
  const { id } = head.account;
  yield { text: JSON.stringify(head).slice(0, -1) };
  for (const [name, list] of Object.entries(LISTS)) {
    yield { text: `,"${name}":[` };
    let isFirst = true;
    for await (const page of list.pages(deps.db, id)) {
      const rows = page.map((row) => JSON.stringify(row)).join();
      yield { text: isFirst ? rows : `,${rows}` };
      isFirst = false;
    }
    yield { text: ']' };
  }
  // A document that lacks what was deleted while it was written must not look whole.
  await getAccount(deps, id);
  yield { text: '}' };
}

async function getAccount({ db }: AccountExportDeps, id: number) {
  const [user] = await userById(db.read, { id });
  if (!user) throw new AppError('not_found', 'User not found');
  return ownAccount(user);
}

type Owned = SQLiteTable & { id: SQLiteColumn };
type Page = Query<{ owner: number; after: number; until: number }, { id: number }[]>;

/** A list of the document: the rows of a table that belong to an account. */
function listOf<T extends { id: number }>(
  table: Owned,
  owner: SQLiteColumn,
  columns: Record<string, SQLiteColumn> | undefined,
  shown: (row: T, ownerId: number) => object = (row) => row,
) {
  const { id } = table;
  const isOwn = eq(owner, sql.placeholder('owner'));
  const newest = prepare<{ owner: number }, { id: number | null }[]>(
    (orm) =>
      orm
        .select({ id: max(id) })
        .from(table)
        .where(isOwn) as never,
  );
  const isNext = and(gt(id, sql.placeholder('after')), lte(id, sql.placeholder('until')));
  const next: Page = prepare((orm) => {
    const all = columns ? orm.select(columns).from(table) : orm.select().from(table);
    return all.where(and(isOwn, isNext)).orderBy(asc(id)).limit(PAGE) as never;
  });
  return {
    pages: async function* ({ read }: Db, ownerId: number): AsyncGenerator<object[]> {
      const [last] = await newest(read, { owner: ownerId });
      const until = last?.id ?? 0;
      const pages = pagesById(PAGE, (after) => next(read, { owner: ownerId, after, until }));
      for await (const page of pages) yield (page as T[]).map((row) => shown(row, ownerId));
    },
  };
}

const { id, name, created_at, last_used_at } = passkeys;
/** A passkey without its key, which is of no use elsewhere. */
const passkeyColumns = { id, name, created_at, last_used_at };
const sessionColumns = {
  id: sessions.id,
  created_at: sessions.created_at,
  last_used_at: sessions.last_used_at,
  user_agent: sessions.user_agent,
  address: sessions.address,
};

/** By the name that each has in the document. */
const LISTS = {
  items: listOf(items, items.owner_id, undefined),
  identities: listOf(identities, identities.user_id, undefined),
  passkeys: listOf(passkeys, passkeys.user_id, passkeyColumns),
  sessions: listOf(sessions, sessions.user_id, sessionColumns),
  tokens: listOf(accessTokens, accessTokens.user_id, undefined, shownToken),
  audit_log: listOf(auditLog, auditLog.user_id, undefined, shownEntry),
};

function shownToken({ token_hash: _, user_id: _u, scopes, ...rest }: AccessToken) {
  return { ...rest, scopes: scopes.split(' ') };
}

/** From where an admin acts is the admin's own; who tried to sign in is the account's to know. */
function shownEntry(entry: AuditEntry, ownerId: number): AuditEntry {
  const isOther = entry.actor_id !== null && entry.actor_id !== ownerId;
  return isOther ? { ...entry, address: null, request_id: null } : entry;
}
