import { asc, getTableColumns, gt, lte } from 'drizzle-orm';
import type { Actor } from '../../core/actor.ts';
import type { Db } from '../../core/db/db.ts';
import { nameOf, raw } from '../../core/db/fragment.ts';
import type { Job } from '../../core/jobs/recurring.ts';
import { type AuditEntry, auditLog } from '../../models/audit-log.ts';
import type { Page } from '../../utils/page.ts';
import { DAY_MS, HOUR_MS } from '../../utils/time/units.ts';
import { adminsOnly } from '../admins-only.ts';
import { type Condition, compare } from '../conditions.ts';

import type { Listing } from '../resources/list/listing.ts';
import { BOUNDS, type ListedRow } from '../resources/list/query.ts';
import { type ReadListDeps, readList } from '../resources/list/read-list.ts';

const DEFAULT_LIMIT = 50;

type AuditField = 'id' | 'at' | 'actor_id' | 'user_id' | 'action' | 'address' | 'request_id';

/** The filters and page of a list of entries, newest first. */
export interface AuditLogQuery {
  actor_id?: number | undefined;
  user_id?: number | undefined;
  action?: string | undefined;
  /** Inclusive. */
  from?: string | undefined;
  /** Exclusive. */
  until?: string | undefined;
  /** Additional conditions that must all hold. */
  filters?: readonly Condition<AuditField>[] | undefined;
  /** Default 50. */
  limit?: number | undefined;
  cursor?: string | undefined;
}

/** An entry as an admin sees it. */
export type AuditInfo = Omit<AuditEntry, 'details'> & { details: Record<string, unknown> };

/** The audit log, for admins. */
export const createAuditLog = (deps: ReadListDeps) =>
  adminsOnly({
    /**
     * Returns a page of the audit log. Throws forbidden, overloaded, and invalid_cursor for a cursor of
     * another filter.
     */
    list: async (
      _actor: Actor,
      query: AuditLogQuery,
    ): Promise<{ data: AuditInfo[]; page: Page }> => {
      const { limit = DEFAULT_LIMIT, cursor } = query;
      const { data, page } = await readList({ ...deps, bounds: LOG_BOUNDS }, LISTING, {
        ...{ limit, cursor, columns: COLUMNS, share: 'audit log' },
        filters: conditionsOf(query).map((it) => ({ path: [], ...it })),
        sections: [{ condition: '', known: {}, hidden: [] }],
        scope: [],
      });
      return { data: data.map((row) => infoOf(row as AuditEntry & ListedRow)), page };
    },
  });

const RETENTION_EVERY_MS = HOUR_MS;
/** Entries per transaction. */
const RETENTION_BATCH = 250;

export interface AuditRetentionDeps {
  db: Db;
  config: { auditDays: number };
  now(): Date;
}

/**
 * A recurring job: deletes the oldest entries of the audit log. Triggers protect those of the last
 * 30 days.
 */
export const createAuditRetention = ({ db, config, now }: AuditRetentionDeps): Job => ({
  name: 'audit retention',
  everyMs: RETENTION_EVERY_MS,
  run: async () => {
    const until = new Date(now().getTime() - config.auditDays * DAY_MS).toISOString();
    const { id, at } = auditLog;
    const oldest = await db.read.orm
      .select({ id, at })
      .from(auditLog)
      .where(gt(id, 0))
      .orderBy(asc(id))
      .limit(RETENTION_BATCH + 1);
    const due = oldest.findIndex((entry) => entry.at >= until);
    const count = Math.min(due < 0 ? oldest.length : due, RETENTION_BATCH);
    const last = oldest[count - 1];
    if (!last) return false;
    await db.write(async (tx) => {
      await tx.orm.delete(auditLog).where(lte(id, last.id));
    });
    return count === RETENTION_BATCH;
  },
});

const LISTING: Listing = {
  name: 'audit-log',
  table: auditLog,
  joins: raw(''),
  columnOf: (field) => auditLog[field as AuditField],
  isLight: () => true,
  conditionOf: ({ field, op, values }) =>
    compare(nameOf(auditLog[field as AuditField]), op, values),
};

const COLUMNS = Object.keys(getTableColumns(auditLog));

/** A page scans 200,000 entries. */
const LOG_BOUNDS = { ...BOUNDS, window: 2_000, windows: 100, maxMs: Number.POSITIVE_INFINITY };

function conditionsOf(query: AuditLogQuery): Condition<AuditField>[] {
  const { actor_id, user_id, action, from, until, filters = [] } = query;
  const some = (field: AuditField, op: 'eq' | 'gte' | 'lt', value?: string | number) =>
    value === undefined ? [] : [{ field, op, values: [value] }];
  return [
    ...some('user_id', 'eq', user_id),
    ...some('actor_id', 'eq', actor_id),
    ...some('action', 'eq', action),
    ...some('at', 'gte', from),
    ...some('at', 'lt', until),
    ...filters,
  ];
}

function infoOf({ details, ...rest }: AuditEntry): AuditInfo {
  return { ...rest, details: JSON.parse(details) as Record<string, unknown> };
}
