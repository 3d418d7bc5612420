import { count, eq } from 'drizzle-orm';
import type { Actor } from '../../core/actor.ts';
import type { Db, Session } from '../../core/db/db.ts';
import { AppError } from '../../core/exceptions.ts';
import {
  accessTokens,
  accountUsage,
  identities,
  passkeys,
  sessions,
  type User,
} from '../../models/index.ts';
import { adminsOnly } from '../admins-only.ts';
import type { Audit } from '../audit/audit.ts';
import { type Counted, limitOf, type QuotaLimits, type Quotas, usageById } from '../quotas.ts';
import { userById } from './queries.ts';

export interface AccountUsageDeps {
  db: Db;
  audit: Audit;
  quotas: Quotas;
  config: { quotaSessions: number };
}

/** How much of a quota is used; the limit is null for an admin, whom it does not bind. */
export interface QuotaUse {
  used: number;
  limit: number | null;
}

export type UsageReport = Record<keyof QuotaLimits | 'sessions', QuotaUse>;

/** Limits of one account in place of those of the settings; null goes back to these. */
export interface OwnLimits {
  items_limit?: number | null | undefined;
  bytes_limit?: number | null | undefined;
}

/** What an account uses of its quotas. */
export const createAccountUsage = (deps: AccountUsageDeps) => ({
  get: (actor: Actor): Promise<UsageReport> => reportOf(deps, deps.db.read, actor.id),
});

/** The same of any account, for admins. Each method throws forbidden for anyone else, not_found. */
export const createAdminUsage = (deps: AccountUsageDeps) =>
  adminsOnly({
    get: (_actor: Actor, id: number): Promise<UsageReport> => reportOf(deps, deps.db.read, id),

    /** Gives an account limits of its own. */
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

const COUNTED = ['items', 'bytes', 'idempotency_keys', 'idempotency_bytes'] as const;

async function reportOf(
  { quotas: { limits }, config }: AccountUsageDeps,
  session: Session,
  id: number,
): Promise<UsageReport> {
  const { role } = await getUser(session, id);
  const [usage] = await usageById(session, { id });
  if (!usage) throw notFound();
  const counted = COUNTED.map((name) => {
    const limit = role === 'admin' ? null : limitOf(limits, usage, name);
    return [name, { used: usage[name], limit }];
  });
  return {
    ...(Object.fromEntries(counted) as Record<Counted, QuotaUse>),
    sessions: { used: await countOf(session, sessions, id), limit: config.quotaSessions },
    tokens: { used: await countOf(session, accessTokens, id), limit: limits.tokens },
    passkeys: { used: await countOf(session, passkeys, id), limit: limits.passkeys },
    identities: { used: await countOf(session, identities, id), limit: limits.identities },
  };
}

async function countOf(
  { orm }: Session,
  table: typeof sessions | typeof accessTokens | typeof passkeys | typeof identities,
  id: number,
): Promise<number> {
  const [row] = await orm.select({ of: count() }).from(table).where(eq(table.user_id, id));
  return row?.of ?? 0;
}

async function getUser(session: Session, id: number): Promise<User> {
  const [user] = await userById(session, { id });
  if (!user) throw notFound();
  return user;
}

function notFound(): AppError {
  return new AppError('not_found', 'User not found');
}
