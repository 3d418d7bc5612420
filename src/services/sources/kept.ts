import { LRUCache } from 'lru-cache';
import type { Cache } from '../../core/cache.ts';
import type { Db } from '../../core/db/db.ts';
import type { SecretBox } from '../../core/security/secret-box.ts';
import type { SourceRow } from '../../models/index.ts';
import {
  type Fields,
  type PlainField,
  type Source,
  sourceNotFound,
  sourceOf,
} from './definition.ts';
import { type Given, requestOf, type SourceRequest } from './request.ts';
import { SOURCES_TAG, sourceByName } from './rows.ts';
import { openedFields } from './secrets.ts';

/** A source as it is called: its secrets opened. */
export type Opened = Omit<Source, 'query' | 'headers'> & {
  query: Fields<PlainField>;
  headers: Fields<PlainField>;
};

/** Sources whose secrets are kept open; those of one more are opened at each call. */
const MAX_OPENED = 1_000;
/** Requests that are kept as they were made, for who asks for the same again. */
const MAX_REQUESTS = 1_000;
/** How long a source is believed to be as it was, should another process have changed it. */
const KEPT_MS = 5_000;

/** Gives what finds a source that may be called, kept until any is changed. Throws not_found. */
export function createFind({ db, cache }: { db: Db; cache: Pick<Cache, 'wrap'> }) {
  const options = { name: 'source', ttlMs: KEPT_MS, tags: [SOURCES_TAG] };
  return cache.wrap(options, async (name: string): Promise<SourceRow> => {
    const [row] = await sourceByName(db.read, { name });
    if (!row?.is_enabled) throw sourceNotFound(name);
    return row;
  });
}

/** Gives what opens the secrets of a source, once for each of its versions. */
export function createOpen(box: SecretBox) {
  const opened = new LRUCache<number, Opened>({ max: MAX_OPENED });
  return async (row: SourceRow): Promise<Opened> => {
    const known = opened.get(row.id);
    if (known?.version === row.version) return known;
    const source = sourceOf(row);
    const plain = { ...source, ...(await openedFields(box, source)) };
    opened.set(row.id, plain);
    return plain;
  };
}

/** Gives what makes the request of a call, once where nothing of its client is sent on. */
export function createRequests() {
  const kept = new LRUCache<string, SourceRequest>({ max: MAX_REQUESTS });
  return (source: Opened, call: Given): SourceRequest => {
    if (source.ttl_seconds === 0 || source.forward_headers.length > 0) {
      return requestOf(source, call);
    }
    const { id, version } = source;
    const key = JSON.stringify([id, version, call.spelling, call.parameters]);
    const request = kept.get(key) ?? requestOf(source, call);
    kept.set(key, request);
    return request;
  };
}
