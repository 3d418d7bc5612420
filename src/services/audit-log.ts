import { and, desc, eq, gte, lt, type SQL } from 'drizzle-orm';
import type { Cursors } from '../core/cursors.ts';
import type { Db } from '../core/db.ts';
import { AppError } from '../core/exceptions.ts';
import type { FairTurns, Pace } from '../core/fair-turns.ts';
import { type AuditEntry, auditLog } from '../models/index.ts';
import type { Page, Position } from '../utils/page.ts';
import { adminsOnly, type Caller } from './caller.ts';
import { type FilteredRows, readFiltered } from './filtered-rows.ts';

const DEFAULT_LIMIT = 50;

/** Which entries, from where and how many of them; the newest come first. */
export interface AuditLogQuery {
  actor_id?: number | undefined;
  user_id?: number | undefined;
  action?: string | undefined;
  /** Inclusive. */
  from?: string | undefined;
  /** Exclusive. */
  until?: string | undefined;
  /** Default 50. */
  limit?: number | undefined;
  cursor?: string | undefined;
}

/** An act as an admin sees it. */
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
     * A page of the audit log. Throws forbidden, overloaded, and invalid_cursor for a cursor of
     * another filter.
     */
    list: async (
      _caller: Caller,
      query: AuditLogQuery,
    ): Promise<{ data: AuditInfo[]; page: Page }> => {
      const { limit = DEFAULT_LIMIT, cursor } = query;
      const scope = scopeOf(query);
      const from = cursor === undefined ? undefined : positionIn(cursors, scope, cursor);
      const source = entriesOf(db.read.orm, query, turns.paceFor('audit log'));
      const { rows, next } = await readFiltered(source, from, limit);
      const next_cursor = next ? cursors.seal(scope, next) : null;
      const page = { next_cursor, has_more: next !== undefined, limit };
      return { data: rows.map(infoOf), page };
    },
  });

/** Walks the index of one filter, the newest first; the other filters look at each entry. */
function entriesOf(orm: Orm, query: AuditLogQuery, pace: Pace): FilteredRows<AuditEntry> {
  const filter = filterOf(query);
  const walked = walkedOf(query);
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

/** The filter that an index serves: the one that usually finds the fewest. */
function walkedOf({ actor_id, user_id, action }: AuditLogQuery): SQL | undefined {
  if (user_id !== undefined) return eq(auditLog.user_id, user_id);
  if (actor_id !== undefined) return eq(auditLog.actor_id, actor_id);
  return action === undefined ? undefined : eq(auditLog.action, action);
}

function filterOf({ actor_id, user_id, action, from, until }: AuditLogQuery): SQL | undefined {
  return and(
    actor_id === undefined ? undefined : eq(auditLog.actor_id, actor_id),
    user_id === undefined ? undefined : eq(auditLog.user_id, user_id),
    action === undefined ? undefined : eq(auditLog.action, action),
    from === undefined ? undefined : gte(auditLog.at, from),
    until === undefined ? undefined : lt(auditLog.at, until),
  );
}

function scopeOf({ actor_id, user_id, action, from, until }: AuditLogQuery): string {
  return JSON.stringify(['audit-log', actor_id, user_id, action, from, until]);
}

function positionIn(cursors: Cursors, scope: string, cursor: string): Position {
  const position = cursors.open(scope, cursor, ['number']);
  if (position) return position;
  throw new AppError('invalid_cursor', 'The cursor is not one of this list and filter');
}

function infoOf({ details, ...rest }: AuditEntry): AuditInfo {
  return { ...rest, details: JSON.parse(details) as Record<string, unknown> };
}
