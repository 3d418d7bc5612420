import { eq, sql } from 'drizzle-orm';
import type { Actor } from '../../core/actor.ts';
import type { Db, Session } from '../../core/db/db.ts';
import { rowsOf } from '../../core/db/query.ts';
import { accessTokens } from '../../models/access-tokens.ts';
import { identities } from '../../models/identities.ts';
import { passkeys } from '../../models/passkeys.ts';
import { sessions } from '../../models/sessions.ts';
import { accountUsage } from '../../models/users.ts';
import { adminsOnly } from '../admins-only.ts';
import type { Audit } from '../audit/audit.ts';
import { type CountedQuota, limitOf, type QuotaLimits, type Quotas, usageById } from '../quotas.ts';
import { getUser, userNotFound } from './rows.ts';

export interface AccountUsageDeps {
  db: Db;
  audit: Audit;
  quotas: Quotas;
  config: { quotaSessions: number };
}

/** The use of one quota. The limit is null for admins, who have none. */
export interface QuotaUse {
  used: number;
  limit: number | null;
}

export type UsageReport = Record<keyof QuotaLimits | 'sessions', QuotaUse>;

/** The limits of one account, which replace those of the settings; null restores the settings. */
export interface OwnLimits {
  items_limit?: number | null | undefined;
  bytes_limit?: number | null | undefined;
}

/** Reports the caller's use of their quotas. */
export const createAccountUsage = (deps: AccountUsageDeps) => ({
  get: (actor: Actor): Promise<UsageReport> => reportOf(deps, deps.db.read, actor.id),
});

/** Quotas of any account, for admins. Each method throws forbidden for anyone else, not_found. */
export const createAdminUsage = (deps: AccountUsageDeps) =>
  adminsOnly({
    get: (_actor: Actor, id: number): Promise<UsageReport> => reportOf(deps, deps.db.read, id),

    /** Sets the limits of one account. */
    setLimits: (actor: Actor, id: number, limits: OwnLimits): Promise<UsageReport> =>
      deps.db.write(async (tx) => {
        await getUser(tx, id);
        const fields = Object.keys(limits);
        if (fields.length > 0) {
          await tx.orm.update(accountUsage).set(limits).where(eq(accountUsage.user_id, id));
          const entry = { action: 'user.updated', user_id: id, details: { fields } } as const;
          await deps.audit.record(tx, actor, entry);
        }
        return reportOf(deps, tx, id);
      }),
  });

/** An account whose stored usage is wrong: the amount to add to each count. */
export interface UsageDrift {
  user_id: number;
  items: number;
  bytes: number;
  idempotency_keys: number;
  idempotency_bytes: number;
}

/**
 * Compares the stored usage of all accounts with a fresh count. `find` reads every item in one
 * statement, so it is for a command, not for a server.
 */
export const createUsageCheck = ({ db }: { db: Db }) => ({
  find: (): Promise<UsageDrift[]> => rowsOf<UsageDrift>(db.read, DRIFT),

  /** Adds the differences, which stays right if accounts have changed since `find`. */
  repair: (drifts: readonly UsageDrift[]): Promise<void> =>
    db.write(async ({ orm }) => {
      for (const { user_id, ...missing } of drifts) {
        const set = {
          items: sql`${accountUsage.items} + ${missing.items}`,
          bytes: sql`${accountUsage.bytes} + ${missing.bytes}`,
          idempotency_keys: sql`${accountUsage.idempotency_keys} + ${missing.idempotency_keys}`,
          idempotency_bytes: sql`${accountUsage.idempotency_bytes} + ${missing.idempotency_bytes}`,
        };
        await orm.update(accountUsage).set(set).where(eq(accountUsage.user_id, user_id));
      }
    }),
});

const COUNTED = ['items', 'bytes', 'idempotency_keys', 'idempotency_bytes'] as const;

async function reportOf(
  { quotas: { limits }, config }: AccountUsageDeps,
  session: Session,
  id: number,
): Promise<UsageReport> {
  const { orm } = session;
  const { role } = await getUser(session, id);
  const [usage] = await usageById(session, { id });
  if (!usage) throw userNotFound();
  const counted = COUNTED.map((name) => {
    const limit = role === 'admin' ? null : limitOf(limits, usage, name);
    return [name, { used: usage[name], limit }];
  });
  const countOf = (
    table: typeof sessions | typeof accessTokens | typeof passkeys | typeof identities,
  ) => orm.$count(table, eq(table.user_id, id));
  return {
    ...(Object.fromEntries(counted) as Record<CountedQuota, QuotaUse>),
    sessions: { used: await countOf(sessions), limit: config.quotaSessions },
    tokens: { used: await countOf(accessTokens), limit: limits.tokens },
    passkeys: { used: await countOf(passkeys), limit: limits.passkeys },
    identities: { used: await countOf(identities), limit: limits.identities },
  };
}

/** One statement, so that it sees a single state of the database. */
const DRIFT = sql`
  with of_items as (
    select owner_id as id, count(*) as items,
      sum(octet_length(title) + octet_length(description) + coalesce(octet_length(url), 0)
        + octet_length(tags) + octet_length(data)) as bytes
    from items group by owner_id
  ), of_history as (
    select owner_id as id, sum(octet_length(before)) as bytes
    from item_revisions join items on items.id = item_id group by owner_id
  ), of_keys as (
    select user_id as id, count(*) as keys, sum(octet_length(body)) as bytes
    from idempotency_keys group by user_id
  ), drift as (
    select user_id,
      coalesce(of_items.items, 0) - usage.items as items,
      coalesce(of_items.bytes, 0) + coalesce(of_history.bytes, 0) - usage.bytes as bytes,
      coalesce(of_keys.keys, 0) - usage.idempotency_keys as idempotency_keys,
      coalesce(of_keys.bytes, 0) - usage.idempotency_bytes as idempotency_bytes
    from account_usage as usage
      left join of_items on of_items.id = user_id
      left join of_history on of_history.id = user_id
      left join of_keys on of_keys.id = user_id
  )
  select * from drift
  where items <> 0 or bytes <> 0 or idempotency_keys <> 0 or idempotency_bytes <> 0
  order by user_id`;
