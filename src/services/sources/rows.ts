import { eq, sql } from 'drizzle-orm';
import type { Session } from '../../core/db/db.ts';
import { prepare } from '../../core/db/query.ts';
import { type SourceRow, sources } from '../../models/index.ts';
import { type Source, sourceNotFound, sourceOf } from './definition.ts';

export const sourceByName = prepare<{ name: string }, SourceRow[]>((orm) =>
  orm
    .select()
    .from(sources)
    .where(eq(sources.name, sql.placeholder('name'))),
);

/** Throws not_found. */
export async function getSource(session: Session, name: string): Promise<Source> {
  const [row] = await sourceByName(session, { name });
  if (!row) throw sourceNotFound(name);
  return sourceOf(row);
}

/** Tag of everything in the cache that was made from sources. */
export const SOURCES_TAG = 'sources';
