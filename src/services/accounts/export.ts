import { and, asc, eq, getTableName, gt, is, lte, max, sql } from 'drizzle-orm';
import { type SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core';
import type { Actor } from '../../core/actor.ts';
import type { Db } from '../../core/db/db.ts';
import { prepare, type Query } from '../../core/db/query.ts';
import { type AccessToken, accessTokens } from '../../models/access-tokens.ts';
import { type AuditEntry, auditLog } from '../../models/audit-log.ts';
import { identities } from '../../models/identities.ts';
import * as models from '../../models/index.ts';
import { passkeys } from '../../models/passkeys.ts';
import { sessions } from '../../models/sessions.ts';
import { totps } from '../../models/totp.ts';
import { accountUsage, users } from '../../models/users.ts';
import type { Definition, Resource } from '../../resources/declare/definition.ts';
import * as resources from '../../resources/index.ts';
import { pagesById } from '../../utils/page.ts';
import type { Audit } from '../audit/audit.ts';
import type { Resources } from '../resources/index.ts';
import type { OwnList } from '../resources/own-lists.ts';
import { ownAccount } from './account.ts';
import { getUser } from './rows.ts';

export interface AccountExportDeps {
  db: Db;
  audit: Audit;
  resources: Pick<Resources, 'ownLists'>;
  now(): Date;
}

/** Exports everything that is stored about an account, for its owner. */
export const createAccountExport = (deps: AccountExportDeps) => ({
  /**
   * Returns a JSON document as a lazy sequence of texts, one page of rows each. A list holds the
   * rows that existed when it began, each as it was when its page was read. Throws not_found, also
   * midway if the account is deleted meanwhile.
   */
  begin: async (actor: Actor): Promise<AsyncGenerator<{ text: string }>> => {
    const { id } = actor;
    const account = ownAccount(await getUser(deps.db.read, id));
    await deps.db.write((tx) => deps.audit.own(tx, actor, 'data.exported'));
    const exported_at = deps.now().toISOString();
    return documentOf(deps, { exported_at, account, ...(await singles(deps.db, id)) });
  },
});

interface Head extends Awaited<ReturnType<typeof singles>> {
  exported_at: string;
  account: ReturnType<typeof ownAccount>;
}

/** The parts of which an account has at most one. The authenticator's secret is left out. */
async function singles({ read: { orm } }: Db, id: number) {
  const { confirmed_at, created_at } = totps;
  const ofTotp = orm.select({ created_at, confirmed_at }).from(totps);
  const [authenticator = null] = await ofTotp.where(eq(totps.user_id, id));
  const ofUsage = orm.select().from(accountUsage).where(eq(accountUsage.user_id, id));
  const usage = (await ofUsage).map(({ user_id: _, ...rest }) => rest)[0] ?? null;
  return { authenticator, usage };
}

async function* documentOf(deps: AccountExportDeps, head: Head) {
  const { id } = head.account;
  yield { text: JSON.stringify(head).slice(0, -1) };
  for (const { name, pages } of [...deps.resources.ownLists, ...LISTS]) {
    yield { text: `,"${name}":[` };
    let isFirst = true;
    for await (const page of pages(deps.db.read, id)) {
      const rows = page.map((row) => JSON.stringify(row)).join();
      yield { text: isFirst ? rows : `,${rows}` };
      isFirst = false;
    }
    yield { text: ']' };
  }
  // A document whose account was deleted meanwhile is incomplete and must not look complete.
  await getUser(deps.db.read, id);
  yield { text: '}' };
}

/** Rows per read. */
const PAGE = 20;

type Owned = SQLiteTable & { id: SQLiteColumn };
type Page = Query<{ owner: number; after: number; until: number }, { id: number }[]>;

/** One list of the document: the rows of a table that belong to an account. */
function listOf<T extends { id: number }>(
  name: string,
  table: Owned,
  owner: SQLiteColumn,
  columns: Record<string, SQLiteColumn> | undefined,
  toJson: (row: T, ownerId: number) => object = (row) => row,
): OwnList {
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
    name,
    pages: async function* (read, ownerId) {
      const [last] = await newest(read, { owner: ownerId });
      const until = last?.id ?? 0;
      const pages = pagesById(PAGE, (after) => next(read, { owner: ownerId, after, until }));
      for await (const page of pages) yield (page as T[]).map((row) => toJson(row, ownerId));
    },
  };
}

/** A passkey without its key, which is useless elsewhere. */
const passkeyColumns = {
  id: passkeys.id,
  name: passkeys.name,
  created_at: passkeys.created_at,
  last_used_at: passkeys.last_used_at,
};
const sessionColumns = {
  id: sessions.id,
  created_at: sessions.created_at,
  last_used_at: sessions.last_used_at,
  user_agent: sessions.user_agent,
  address: sessions.address,
};

/** The tables with rows of an account that the document omits, and why. */
export const NOT_EXPORTED: Record<string, string> = {
  account_removals: 'An account that is being erased cannot be exported.',
  action_tokens: 'Secret links that live for minutes.',
  auth_flows: 'Sign-ins in progress, with their secrets.',
  idempotency_keys: 'Copies of responses, stored for a day; the other lists have the same data.',
  recovery_codes: 'Only their hashes are stored.',
  sign_up_keys: 'A copy of the response to the sign-up, stored for a day.',
  ...Object.fromEntries(
    Object.values(resources).flatMap(({ definition }) => omittedOf(definition)),
  ),
};

/** The tables of a resource that hold its rows in another form. */
function omittedOf({ tables: { events, texts } }: Definition): [name: string, why: string][] {
  return [
    ...(events ? [events] : [])
      .map(getTableName)
      .map((name): [string, string] => [
        name,
        'A buffer for clients that reconnect; the rows and revisions have the same data.',
      ]),
    ...Object.values(texts)
      .map(getTableName)
      .map((name): [string, string] => [name, 'An index of the texts of rows.']),
  ];
}

/** The tables whose rows the document shows in a custom format. */
const FORMATTED: readonly string[] = [
  ...[users, totps, accountUsage].map(getTableName),
  ...[identities, passkeys, sessions, accessTokens, auditLog].map(getTableName),
  ...Object.values(resources).flatMap(exportedTables),
];

function exportedTables({ definition: { table, tables } }: Resource): string[] {
  return [table, ...(tables.revisions ? [tables.revisions] : [])].map(getTableName);
}

/** The other tables with an `owner_id`. Their rows are exported unchanged, under the table's name. */
const OWNED = Object.values<unknown>(models)
  .filter(isOwned)
  .filter((table) => ![...FORMATTED, ...Object.keys(NOT_EXPORTED)].includes(getTableName(table)));

function isOwned(table: unknown): table is Owned & { owner_id: SQLiteColumn } {
  return is(table, SQLiteTable) && 'id' in table && 'owner_id' in table;
}

/** The tables whose rows are in the document. */
export const EXPORTED: readonly string[] = [...FORMATTED, ...OWNED.map(getTableName)];

/** The lists of the document besides those of resources. */
const LISTS: OwnList[] = [
  listOf('identities', identities, identities.user_id, undefined),
  listOf('passkeys', passkeys, passkeys.user_id, passkeyColumns),
  listOf('sessions', sessions, sessions.user_id, sessionColumns),
  listOf('tokens', accessTokens, accessTokens.user_id, undefined, tokenJson),
  listOf('audit_log', auditLog, auditLog.user_id, undefined, entryJson),
  ...OWNED.map((table) => listOf(getTableName(table), table, table.owner_id, undefined)),
];

function tokenJson({ token_hash: _, user_id: _u, scopes, ...rest }: AccessToken) {
  return { ...rest, scopes: scopes.split(' ') };
}

/** Omits the address of another actor, such as an admin, but not of anonymous sign-in attempts. */
function entryJson({ details, ...entry }: AuditEntry, ownerId: number) {
  const isOther = entry.actor_id !== null && entry.actor_id !== ownerId;
  const own = { ...entry, details: JSON.parse(details) };
  return isOther ? { ...own, address: null, request_id: null } : own;
}
