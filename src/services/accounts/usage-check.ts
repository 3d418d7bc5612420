import { eq, sql } from 'drizzle-orm';
import type { Db } from '../../core/db/db.ts';
import { rowsOf } from '../../core/db/dynamic-query.ts';
import { accountUsage } from '../../models/index.ts';

/** An account whose counted usage differs from what is stored: what is to be added to each count. */
export interface UsageDrift {
  user_id: number;
  items: number;
  bytes: number;
  idempotency_keys: number;
  idempotency_bytes: number;
}

/**
 * Compares the counted usage of all accounts with what is stored. It reads every item in one step,
 * so it is for a command, not for a server.
 */
export const createUsageCheck = ({ db }: { db: Db }) => ({
  find: (): Promise<UsageDrift[]> => rowsOf<UsageDrift>(db.read, DRIFT),

  /** Adds what was missing: right whatever has been written since it was found. */
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

/** One statement, which sees one moment of the database. */
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
