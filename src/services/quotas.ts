import { eq, sql } from 'drizzle-orm';
import type { AnyActor } from '../core/actor.ts';
import { createDiskSpace, type DiskSpace } from '../core/db/disk-space.ts';
import { prepare } from '../core/db/query.ts';
import type { Tx } from '../core/db/writer.ts';
import { AppError, type QuotaName } from '../core/exceptions.ts';
import { type AccountUsage, accountUsage } from '../models/users.ts';

/** The maximum of one account for each quota. */
export type QuotaLimits = Record<Exclude<QuotaName, 'audit_entries'>, number>;

/** The settings that define quotas. */
interface QuotaConfig {
  dataDir: string;
  minFreeBytes: number;
  quotaItems: number;
  quotaBytes: number;
  quotaIdempotencyKeys: number;
  quotaIdempotencyBytes: number;
  quotaTokens: number;
  quotaPasskeys: number;
  quotaIdentities: number;
}

const limitsOf = (config: QuotaConfig): QuotaLimits => ({
  items: config.quotaItems,
  bytes: config.quotaBytes,
  idempotency_keys: config.quotaIdempotencyKeys,
  idempotency_bytes: config.quotaIdempotencyBytes,
  tokens: config.quotaTokens,
  passkeys: config.quotaPasskeys,
  identities: config.quotaIdentities,
});

export type Quotas = ReturnType<typeof createQuotas>;

/** The amounts that a write adds to an account. */
type Added = Partial<Record<CountedQuota, number>>;

/** The quotas whose usage is stored in account_usage; others concern few rows and are counted. */
export type CountedQuota = Exclude<QuotaName, RowQuota | 'audit_entries'>;

type RowQuota = 'tokens' | 'passkeys' | 'identities';

/** The quotas of accounts, checked in the transaction of the write. */
export const createQuotas = (
  config: QuotaConfig,
  disk: DiskSpace = createDiskSpace({ path: config.dataDir, minFreeBytes: config.minFreeBytes }),
) => {
  const limits = limitsOf(config);
  /** Throws storage_full for all but admins while the disk is nearly full. */
  const requireSpace = ({ role }: Pick<AnyActor, 'role'>): void => {
    if (role === 'admin' || !disk.isLow()) return;
    throw new AppError('storage_full', 'The disk is nearly full');
  };
  return {
    limits,
    requireSpace,

    /**
     * Checks, before a write, that the account may store more. An admin may store any amount, in
     * another account too. Throws quota_exceeded, storage_full, and inactive_user for an account
     * that was deleted meanwhile.
     */
    admit: async (
      tx: Tx,
      actor: Pick<AnyActor, 'role'>,
      owner_id: number,
      added: Added,
    ): Promise<void> => {
      const [usage] = await usageById(tx, { id: owner_id });
      if (!usage) throw new AppError('inactive_user', 'The account was deleted');
      if (actor.role === 'admin') return;
      requireSpace(actor);
      for (const name of Object.keys(added) as CountedQuota[]) {
        refuseOver(name, usage[name], added[name] ?? 0, limitOf(limits, usage, name));
      }
    },

    /** Checks that one more row may be added to `used` rows. Throws quota_exceeded. */
    admitOne: (name: RowQuota, used: number): void => refuseOver(name, used, 1, limits[name]),
  };
};

/** The limit of an account: its own if an admin has set one, or that of the settings. */
export function limitOf(limits: QuotaLimits, usage: AccountUsage, name: CountedQuota): number {
  if (name === 'items') return usage.items_limit ?? limits.items;
  return (name === 'bytes' ? usage.bytes_limit : null) ?? limits[name];
}

/** The columns that count towards the bytes of an item; SQLite's triggers count the same. */
const TEXTS = ['title', 'description', 'url', 'tags', 'data'] as const;

type TextColumns = Readonly<Record<string, string | number | null | undefined>>;

/** The bytes of an item that count towards the quota, for the given columns. */
export function textBytes(columns: TextColumns): number {
  return TEXTS.reduce((sum, name) => sum + Buffer.byteLength(String(columns[name] ?? '')), 0);
}

function refuseOver(name: QuotaName, used: number, added: number, limit: number): void {
  if (used + added <= limit) return;
  const message = `The quota of ${name} would be exceeded: ${used} of ${limit} used, ${added} more needed`;
  throw new AppError('quota_exceeded', message, { quota: { name, limit, used } });
}

export const usageById = prepare<{ id: number }, AccountUsage[]>((orm) =>
  orm
    .select()
    .from(accountUsage)
    .where(eq(accountUsage.user_id, sql.placeholder('id'))),
);
