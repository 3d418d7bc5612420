import { sql } from 'drizzle-orm';
import type { AnyActor } from '../../../core/actor.ts';
import type { Db, Session } from '../../../core/db/db.ts';
import { prepareChange, prepareRows } from '../../../core/db/query.ts';
import type { Job } from '../../../core/jobs/recurring.ts';
import type { Definition } from '../../../resources/declare/definition.ts';
import { DAY_MS, MINUTE_MS } from '../../../utils/time/units.ts';
import { tablesOf } from '../statements.ts';

/** A change as sent to listeners; stored for a while so that they can resume. */
export type RowEvent = {
  /** Ascends in commit order. */
  id: number;
  type: 'created' | 'updated' | 'deleted';
  row_id: number;
  owner_id: number;
  /** The audience: everyone, only the owner, or everyone except the owner. */
  audience: 'all' | 'owner' | 'others';
  version: number;
  at: string;
};

/** Events of one read; bounds how long one listener holds the event loop. */
export const EVENT_PAGE = 100;

/** The time for which a listener can resume. */
const RETENTION_MS = DAY_MS;
const RETENTION_EVERY_MS = 10 * MINUTE_MS;
/** Events deleted in one transaction. */
const BATCH = 1000;

export type EventStore = ReturnType<typeof createEventStore>;

/** The stored events of a resource. */
export function createEventStore(def: Definition) {
  const { insert, after, oldest, newest, newestOfAll, newestOwn, first, deleteUntil } =
    statementsOf(def);
  return {
    insert,

    /** The events after an id, at most EVENT_PAGE. */
    after: (session: Session, id: number, limit = EVENT_PAGE): Promise<RowEvent[]> =>
      after(session, { id, limit }),

    /** The id of the newest event; 0 without any. */
    newest: async (session: Session): Promise<number> => (await newest(session, {}))[0]?.id ?? 0,

    /**
     * The position of a caller who has received everything up to the event `last`. `newest` is the
     * last event that the caller may receive; events of other owners' hidden rows do not move it.
     * `isKnown` is true if every event after `last` is still stored. An id within the stored range
     * without an event was lost by restoring a backup.
     */
    positionOf: async (
      session: Session,
      actor: AnyActor,
      last = -1,
    ): Promise<{ newest: number; isKnown: boolean }> => {
      const [least] = await oldest(session, {});
      const [others] = await newestOfAll(session, {});
      const [own] = actor.id !== null ? await newestOwn(session, { owner_id: actor.id }) : [];
      const start = (least?.id ?? 1) - 1;
      const end = Math.max(others?.id ?? 0, own?.id ?? 0);
      if (last < start || last > end) return { newest: end, isKnown: false };
      const [event] = await after(session, { id: last - 1, limit: 1 });
      return { newest: end, isKnown: last === start || event?.id === last };
    },

    /**
     * A recurring job: deletes events older than 24 hours, except the last one, which marks how far
     * the ids have advanced.
     */
    retention: ({ db, now }: { db: Db; now(): Date }): Job => ({
      name: `${def.one} event retention`,
      everyMs: RETENTION_EVERY_MS,
      run: () => {
        const until = new Date(now().getTime() - RETENTION_MS).toISOString();
        return db.write(async (tx) => {
          const events = await first(tx, { limit: BATCH + 1 });
          // Leaves no gap, even if the clock was changed: a listener who resumes misses nothing.
          const firstKept = events.findIndex((event, at) => event.at > until || !events[at + 1]);
          const last = events[firstKept - 1];
          if (!last) return false;
          await deleteUntil(tx, { id: last.id });
          return firstKept === BATCH;
        });
      },
    }),
  };
}

type None = Record<string, never>;
type EventId = { id: number | null };

function statementsOf(def: Definition) {
  const { events, rowId } = tablesOf(def);
  const p = sql.placeholder;
  return {
    insert: prepareChange<Omit<RowEvent, 'id'>>(
      sql`insert into ${events} (type, ${rowId}, owner_id, audience, version, at) values (${p('type')}, ${p('row_id')}, ${p('owner_id')}, ${p('audience')}, ${p('version')}, ${p('at')})`,
    ),
    after: prepareRows<{ id: number; limit: number }, RowEvent>(
      sql`select id, type, ${rowId} as row_id, owner_id, audience, version, at from ${events} where id > ${p('id')} order by id limit ${p('limit')}`,
    ),
    oldest: prepareRows<None, EventId>(sql`select min(id) as id from ${events}`),
    newest: prepareRows<None, EventId>(sql`select max(id) as id from ${events}`),
    newestOfAll: prepareRows<None, EventId>(
      sql`select id from ${events} where audience <> 'owner' order by id desc limit 1`,
    ),
    newestOwn: prepareRows<{ owner_id: number }, EventId>(
      sql`select id from ${events} where owner_id = ${p('owner_id')} and audience = 'owner' order by id desc limit 1`,
    ),
    first: prepareRows<{ limit: number }, Pick<RowEvent, 'id' | 'at'>>(
      sql`select id, at from ${events} order by id limit ${p('limit')}`,
    ),
    deleteUntil: prepareChange<{ id: number }>(sql`delete from ${events} where id <= ${p('id')}`),
  };
}
