import { and, asc, desc, gt, gte, lt, lte, type SQL } from 'drizzle-orm';
import type { Actor } from '../../core/actor.ts';
import type { Db } from '../../core/db/db.ts';
import type { FairTurns, Pace } from '../../core/fair-turns.ts';
import { type Cursors, readCursor } from '../../core/security/cursors.ts';
import { type AuditEntry, auditLog } from '../../models/audit-log.ts';
import type { Page, Position } from '../../utils/page.ts';
import { DAY_MS, HOUR_MS } from '../../utils/time/units.ts';
import { adminsOnly } from '../admins-only.ts';
import { type Condition, compare } from '../conditions.ts';
import { type FilteredRows, readFiltered } from '../filtered-rows.ts';
import type { Job } from '../jobs.ts';

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

export interface AuditLogDeps {
  db: Db;
  cursors: Cursors;
  turns: FairTurns;
}

/** The audit log, for admins. */
export const createAuditLog = ({ db, cursors, turns }: AuditLogDeps) =>
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
      const conditions = conditionsOf(query);
      const scope = JSON.stringify(['audit-log', conditions]);
      const from = readCursor(cursors, scope, cursor, ['number']);
      const source = entriesOf(db.read.orm, conditions, turns.paceFor('audit log'));
      const { rows, next } = await readFiltered(source, from, limit);
      const next_cursor = next ? cursors.seal(scope, next) : null;
      const page = { next_cursor, has_more: next !== undefined, limit };
      return { data: rows.map(infoOf), page };
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

/** Walks the index of one filter, newest first, and checks the other filters for each entry. */
function entriesOf(
  orm: Orm,
  conditions: readonly Condition<AuditField>[],
  pace: Pace,
): FilteredRows<AuditEntry> {
  const filter = and(...conditions.map(sqlOf));
  const walked = walkedOf(conditions);
  const isIn = (from: Position | undefined, to: Position | undefined) =>
    and(from && lt(auditLog.id, from[0] as number), to && gte(auditLog.id, to[0] as number));
  return {
    pace,
    positionOf: ({ id }) => [id],
    nth: async (from, skip) => {
      const [row] = await orm
        .select({ id: auditLog.id })
        .from(auditLog)
        .where(and(walked, isIn(from, undefined)))
        .orderBy(desc(auditLog.id))
        .limit(1)
        .offset(skip);
      return row && [row.id];
    },
    rows: (from, to, limit) =>
      orm
        .select()
        .from(auditLog)
        .where(and(filter, isIn(from, to)))
        .orderBy(desc(auditLog.id))
        .limit(limit),
  };
}

type Orm = Db['read']['orm'];

/** The indexed fields, the usually most selective first. */
const INDEXED: readonly AuditField[] = ['user_id', 'actor_id', 'action'];

/** The condition that is served by an index. */
function walkedOf(conditions: readonly Condition<AuditField>[]): SQL | undefined {
  const [walked] = INDEXED.flatMap(
    (field) => conditions.find((it) => it.field === field && it.op === 'eq') ?? [],
  );
  return walked && sqlOf(walked);
}

function sqlOf({ field, op, values }: Condition<AuditField>): SQL {
  return compare(auditLog[field], op, values);
}

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
