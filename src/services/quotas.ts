import { eq, sql } from 'drizzle-orm';
import type { Actor, AnyActor } from '../core/actor.ts';
import { createDiskSpace, type DiskSpace } from '../core/db/disk-space.ts';
import { prepare } from '../core/db/query.ts';
import type { Tx } from '../core/db/writer.ts';
import { AppError, type QuotaName } from '../core/exceptions.ts';
import { type AccountUsage, accountUsage, type ItemRow } from '../models/index.ts';

/** The most that one account may have. */
export type QuotaLimits = Record<Exclude<QuotaName, 'audit_entries'>, number>;

/** The settings that quotas are made from. */
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

/** What a write adds to an account. */
type Added = Partial<Record<Counted, number>>;

/** The quotas whose use is counted in account_usage; the others are few rows, counted each time. */
export type Counted = Exclude<QuotaName, FewRows | 'audit_entries'>;

type FewRows = 'tokens' | 'passkeys' | 'identities';

/** The quotas of accounts: each check is in the transaction of the write that it is about. */
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
     * Checks that an account may store more, before the write. An admin may store any amount, also
     * in another account. Throws quota_exceeded, storage_full, and inactive_user for an account
     * that was deleted meanwhile.
     */
    admit: async (tx: Tx, actor: Actor, owner_id: number, added: Added): Promise<void> => {
      const [usage] = await usageById(tx, { id: owner_id });
      if (!usage) throw new AppError('inactive_user', 'The account was deleted');
      if (actor.role === 'admin') return;
      requireSpace(actor);
      for (const name of Object.keys(added) as Counted[]) {
        refuseOver(name, usage[name], added[name] ?? 0, limitOf(limits, usage, name));
      }
    },

    /** Checks that there may be one more where `used` are. Throws quota_exceeded. */
    admitOne: (name: FewRows, used: number): void => refuseOver(name, used, 1, limits[name]),
  };
};

/** The most that an account may have of something: as an admin set it, or by the settings. */
export function limitOf(limits: QuotaLimits, usage: AccountUsage, name: Counted): number {
  if (name === 'items') return usage.items_limit ?? limits.items;
  return (name === 'bytes' ? usage.bytes_limit : null) ?? limits[name];
}

/** What of an item counts as its bytes; SQLite's triggers count the same. */
const TEXTS = ['title', 'description', 'url', 'tags', 'data'] as const;

/** The bytes of the texts in some columns of an item. */
export function textBytes(columns: Partial<ItemRow>): number {
  return TEXTS.reduce((sum, name) => sum + Buffer.byteLength(columns[name] ?? ''), 0);
}

function refuseOver(name: QuotaName, used: number, added: number, limit: number): void {
  if (used + added <= limit) return;
  const message = `The quota of ${name} is used up: ${used} of ${limit}, and ${added} more were to come`;
  throw new AppError('quota_exceeded', message, { quota: { name, limit, used } });
}

export const usageById = prepare<{ id: number }, AccountUsage[]>((orm) =>
  orm
    .select()
    .from(accountUsage)
    .where(eq(accountUsage.user_id, sql.placeholder('id'))),
);
