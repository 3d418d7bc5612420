import { and, asc, eq, getTableName, gt, inArray, lte, max, or, sql } from 'drizzle-orm';
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core';
import type { Db } from '../../core/db/db.ts';
import { prepare, type Query } from '../../core/db/query.ts';
import {
  type AccessToken,
  type AuditEntry,
  accessTokens,
  accountUsage,
  auditLog,
  type ItemRevision,
  type ItemRow,
  identities,
  itemRevisions,
  items,
  passkeys,
  sessions,
  totps,
  users,
} from '../../models/index.ts';
import { pagesById } from '../../utils/page.ts';

/** Rows of one read: the largest items take 2 MB. */
const PAGE = 20;

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

/** The revisions of the items of an account, by item and version. */
const revisions = {
  pages: async function* ({ read }: Db, owner: number): AsyncGenerator<object[]> {
    const { id, owner_id } = items;
    const own = (after: number) =>
      read.orm
        .select({ id })
        .from(items)
        .where(and(eq(owner_id, owner), gt(id, after)))
        .orderBy(asc(id))
        .limit(PAGE);
    for await (const page of pagesById(PAGE, async (after) => own(after))) {
      yield* revisionPages(read, page, owner);
    }
  },
};

async function* revisionPages(read: Db['read'], of: { id: number }[], owner: number) {
  const { item_id, version } = itemRevisions;
  const isOf = inArray(
    item_id,
    of.map(({ id }) => id),
  );
  for (let last = { item_id: 0, version: 0 }; ; ) {
    const isNext = or(
      gt(item_id, last.item_id),
      and(eq(item_id, last.item_id), gt(version, last.version)),
    );
    const rows = read.orm.select().from(itemRevisions).where(and(isOf, isNext));
    const page = await rows.orderBy(asc(item_id), asc(version)).limit(PAGE);
    const end = page.at(-1);
    if (!end) return;
    yield page.map((row) => shownRevision(row, owner));
    if (page.length < PAGE) return;
    last = end;
  }
}

/** The lists of the document, by their names in it. */
export const LISTS = {
  items: listOf(items, items.owner_id, undefined, shownItem),
  revisions,
  identities: listOf(identities, identities.user_id, undefined),
  passkeys: listOf(passkeys, passkeys.user_id, passkeyColumns),
  sessions: listOf(sessions, sessions.user_id, sessionColumns),
  tokens: listOf(accessTokens, accessTokens.user_id, undefined, shownToken),
  audit_log: listOf(auditLog, auditLog.user_id, undefined, shownEntry),
};

/** The tables of which the document has the rows of an account. */
export const EXPORTED: readonly string[] = [
  ...[users, totps, accountUsage, items, itemRevisions],
  ...[identities, passkeys, sessions, accessTokens, auditLog],
].map(getTableName);

/** The tables with rows of an account that the document leaves out, and why. */
export const NOT_EXPORTED: Record<string, string> = {
  account_removals: 'An account that is being erased cannot be exported.',
  action_tokens: 'Secret links that live for minutes.',
  auth_flows: 'Sign-ins that are under way, with their secrets.',
  idempotency_keys: 'Copies of responses for a day; what they show is in the other lists.',
  item_events: 'For listeners that reconnect; the revisions say the same.',
  item_tags: 'An index of the tags of items.',
  recovery_codes: 'Only their hashes are stored.',
  sign_up_keys: 'A copy of the response to the sign-up for a day.',
};

function shownItem({ tags, data, ...rest }: ItemRow) {
  return { ...rest, tags: JSON.parse(tags), data: JSON.parse(data) };
}

/** Other accounts that changed an item are not named. */
function shownRevision({ before, actor_id, ...rest }: ItemRevision, ownerId: number) {
  const { tags, data, ...fields } = JSON.parse(before) as Partial<ItemRow>;
  const texts = {
    ...(tags && { tags: JSON.parse(tags) }),
    ...(data && { data: JSON.parse(data) }),
  };
  const isOwn = actor_id === ownerId;
  return { ...rest, actor_id: isOwn ? actor_id : null, before: { ...fields, ...texts } };
}

function shownToken({ token_hash: _, user_id: _u, scopes, ...rest }: AccessToken) {
  return { ...rest, scopes: scopes.split(' ') };
}

/** From where an admin acts is the admin's own; who tried to sign in is the account's to know. */
function shownEntry({ details, ...entry }: AuditEntry, ownerId: number) {
  const isOther = entry.actor_id !== null && entry.actor_id !== ownerId;
  const shown = { ...entry, details: JSON.parse(details) };
  return isOther ? { ...shown, address: null, request_id: null } : shown;
}
