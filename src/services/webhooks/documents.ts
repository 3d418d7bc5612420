import type { Db, Session } from '../../core/db/db.ts';
import { AppError } from '../../core/exceptions.ts';
import type { WebhookDelivery } from '../../models/webhooks.ts';
import { account } from '../accounts/account.ts';
import { findUser } from '../accounts/rows.ts';
import type { Engine } from '../resources/engine.ts';
import { ANY_ADMIN } from './any-admin.ts';
import { resourceOf } from './event-types.ts';

/**
 * Reads the document of a row as v2 shows it to an admin who does not own it; undefined if such an
 * admin may not see it or it is gone.
 */
export type ReadDocument = (id: number) => Promise<object | undefined>;

/** The readers by the resource of an event. */
export type Documents = Record<string, ReadDocument>;

/** The parts of a resource's services that read a document. */
export type DocumentSource = Pick<Engine, 'def' | 'access' | 'values'>;

export const createDocuments = ({ read }: Db, sources: Iterable<DocumentSource>): Documents => ({
  ...Object.fromEntries([...sources].map((it) => [it.def.name, readerOf(read, it)])),
  users: async (id) => {
    const user = await findUser(read, id);
    return user && account(user);
  },
});

function readerOf(read: Session, { access, values }: DocumentSource): ReadDocument {
  return async (id) => {
    try {
      return values.shown(await access.getVisible(read, ANY_ADMIN, id));
    } catch (error) {
      if (error instanceof AppError && error.code === 'not_found') return undefined;
      throw error;
    }
  };
}

type Event = Pick<WebhookDelivery, 'event_type' | 'event_at' | 'resource_id' | 'resource_version'>;

/**
 * Builds the body of a delivery, as Standard Webhooks recommends. The document is the current one, so
 * that no attempt or replay reveals what has been hidden or erased since the event.
 */
export async function bodyOf(event: Event, documents: Documents): Promise<string> {
  const { event_type: type, event_at: timestamp, resource_id: id } = event;
  if (id === null) return JSON.stringify({ type, timestamp, data: {} });
  const isDeleted = type.endsWith('.deleted');
  const document = isDeleted ? undefined : await documents[resourceOf(type)]?.(id);
  const { resource_version: version } = event;
  const data = { id, ...(version !== null && { version }), ...document };
  return JSON.stringify({ type, timestamp, data });
}
