import { and, desc, eq, gte, lt, type SQL } from 'drizzle-orm';
import type { Cursors } from '../core/cursors.ts';
import type { Db } from '../core/db.ts';
import { AppError } from '../core/exceptions.ts';
import { type AuditEntry, auditLog } from '../models/index.ts';
import { type Page, pageOf } from '../utils/page.ts';
import { adminsOnly, type Caller } from './caller.ts';

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

/** The audit log, for admins. */
export const createAuditLog = ({ db, cursors }: { db: Db; cursors: Cursors }) =>
  adminsOnly({
    /** A page of the audit log. Throws forbidden, and invalid_cursor for a cursor of another filter. */
    list: async (
      _caller: Caller,
      query: AuditLogQuery,
    ): Promise<{ data: AuditInfo[]; page: Page }> => {
      const { limit = DEFAULT_LIMIT } = query;
      const scope = scopeOf(query);
      const rows = await db.read.orm
        .select()
        .from(auditLog)
        .where(and(filterOf(query), beforeCursor(cursors, scope, query.cursor)))
        .orderBy(desc(auditLog.id))
        .limit(limit + 1);
      const { data, page } = pageOf(rows, limit, ({ id }) => cursors.seal(scope, [id]));
      return { data: data.map(infoOf), page };
    },
  });

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

function beforeCursor(
  cursors: Cursors,
  scope: string,
  cursor: string | undefined,
): SQL | undefined {
  if (cursor === undefined) return undefined;
  const [id] = cursors.open(scope, cursor, ['number']) ?? [];
  if (id === undefined) {
    throw new AppError('invalid_cursor', 'The cursor is not one of this list and filter');
  }
  return lt(auditLog.id, id as number);
}

function infoOf({ details, ...rest }: AuditEntry): AuditInfo {
  return { ...rest, details: JSON.parse(details) as Record<string, unknown> };
}
