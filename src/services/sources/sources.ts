import { asc, eq, gt } from 'drizzle-orm';
import type { Actor } from '../../core/actor.ts';
import type { Cache } from '../../core/cache.ts';
import type { Db } from '../../core/db/db.ts';
import { uniqueViolation } from '../../core/db/storage-error.ts';
import { AppError, type FieldProblem } from '../../core/exceptions.ts';
import { type Cursors, readCursor } from '../../core/security/cursors.ts';
import type { SecretBox } from '../../core/security/secret-box.ts';
import { type SourceRow, sources } from '../../models/sources.ts';
import { type Page, pageOf } from '../../utils/page.ts';
import { adminsOnly } from '../admins-only.ts';
import type { Audit } from '../audit/audit.ts';
import type { OnWritten } from '../idempotency.ts';
import type { HostRules } from '../outbound-url.ts';
import { problemsOf } from './check.ts';
import {
  BLANK_SOURCE,
  columnsOf,
  type EditedField,
  type FieldChange,
  type Fields,
  getSource,
  type ShownSource,
  SOURCES_TAG,
  type Source,
  type SourceFields,
  type SourceRules,
  type StoredField,
  shownSource,
  sourceOf,
} from './definition.ts';
import { requestOf, type SourceRequest } from './request.ts';
import { maskedFields, mergeFields, movedSecrets, sealedFields } from './secrets.ts';
import { ParameterError } from './values.ts';

export interface SourcesDeps {
  db: Db;
  cursors: Cursors;
  cache: Pick<Cache, 'invalidate'>;
  box: SecretBox;
  audit: Audit;
  hosts: HostRules;
  now(): Date;
}

/** Changes of a source: what is left out stays; queries and headers are changed field by field. */
export type SourceChanges = {
  [K in keyof Omit<SourceFields<FieldChange>, 'query' | 'headers'>]?:
    | SourceFields<FieldChange>[K]
    | undefined;
} & { query?: Fields<FieldChange> | undefined; headers?: Fields<FieldChange> | undefined };

export type NewSource = SourceChanges & Pick<SourceRules, 'base_url'> & { name: string };

interface ListQuery {
  limit?: number | undefined;
  cursor?: string | undefined;
}

/** The versions that a caller accepts; undefined for any. */
type IfMatch = readonly number[] | undefined;

const CURSOR_SCOPE = 'sources';
const DEFAULT_LIMIT = 50;

/** The definitions of sources. Each method throws forbidden unless the caller is an admin. */
export const createSources = (deps: SourcesDeps) => {
  const { db, cursors, cache, audit, now } = deps;
  return adminsOnly({
    /** A page of sources by name. Throws invalid_cursor. */
    list: async (
      _actor: Actor,
      { limit = DEFAULT_LIMIT, cursor }: ListQuery,
    ): Promise<{ data: ShownSource[]; page: Page }> => {
      const [after] = readCursor(cursors, CURSOR_SCOPE, cursor, ['string']) ?? [];
      const rows = await db.read.orm
        .select()
        .from(sources)
        .where(after === undefined ? undefined : gt(sources.name, after as string))
        .orderBy(asc(sources.name))
        .limit(limit + 1);
      const { data, page } = pageOf(rows, limit, ({ name }) => cursors.seal(CURSOR_SCOPE, [name]));
      return { data: data.map((row) => shownSource(sourceOf(row))), page };
    },

    /** Throws not_found. */
    get: async (_actor: Actor, name: string): Promise<ShownSource> =>
      shownSource(await getSource(db.read, name)),

    /**
     * Creates a source; `onWritten` runs in the same transaction. Throws validation_failed, and
     * conflict for a name that is taken.
     */
    create: async (
      actor: Actor,
      { name, ...fields }: NewSource,
      onWritten?: OnWritten<ShownSource>,
    ): Promise<ShownSource> => {
      const created_at = now().toISOString();
      const columns = columnsOf(await editedFields(deps, { ...BLANK_SOURCE, name }, fields));
      const values = { ...columns, name, created_at, updated_at: created_at };
      try {
        return await db.write(async (tx) => {
          const [row] = await tx.orm.insert(sources).values(values).returning();
          const details = { source: name, fields: Object.keys(fields) };
          await audit.record(tx, actor, { action: 'source.created', user_id: null, details });
          const created = shownSource(sourceOf(row as SourceRow));
          await onWritten?.(tx, created);
          return created;
        });
      } catch (error) {
        if (uniqueViolation(error) !== 'sources.name') throw error;
        throw new AppError('conflict', `A source named ${name} already exists`);
      }
    },

    /** Throws not_found, version_mismatch, validation_failed, conflict. */
    update: async (
      actor: Actor,
      name: string,
      changes: SourceChanges,
      ifMatch?: IfMatch,
    ): Promise<ShownSource> => {
      const old = await getSource(db.read, name);
      requireVersion(old, ifMatch);
      const columns = columnsOf(await editedFields(deps, old, changes, old));
      if (JSON.stringify(columns) === JSON.stringify(columnsOf(old))) return shownSource(old);
      return db.write(async (tx) => {
        const current = await getSource(tx, name);
        requireVersion(current, ifMatch);
        // Secrets are sealed before the transaction, for the source as it was then.
        if (current.version !== old.version) throw changedConcurrently(name);
        const [row] = await tx.orm
          .update(sources)
          .set({ ...columns, version: old.version + 1, updated_at: now().toISOString() })
          .where(eq(sources.id, old.id))
          .returning();
        const details = { source: name, fields: Object.keys(changes) };
        await audit.record(tx, actor, { action: 'source.updated', user_id: null, details });
        tx.afterCommit(() => cache.invalidate(SOURCES_TAG));
        return shownSource(sourceOf(row as SourceRow));
      });
    },

    /** Throws not_found, version_mismatch. */
    remove: (actor: Actor, name: string, ifMatch?: IfMatch): Promise<void> =>
      db.write(async (tx) => {
        const source = await getSource(tx, name);
        requireVersion(source, ifMatch);
        await tx.orm.delete(sources).where(eq(sources.id, source.id));
        const details = { source: name };
        await audit.record(tx, actor, { action: 'source.deleted', user_id: null, details });
        tx.afterCommit(() => cache.invalidate(SOURCES_TAG));
      }),

    /**
     * The request that a call with these parameters would send, with each secret as `***`. Throws
     * not_found, validation_failed.
     */
    dryRun: async (
      _actor: Actor,
      name: string,
      parameters: Record<string, unknown>,
    ): Promise<SourceRequest> => {
      const source = await getSource(db.read, name);
      try {
        const masked = { ...source, ...maskedFields(source) };
        return requestOf(masked, { parameters, format: 'json' });
      } catch (error) {
        if (!(error instanceof ParameterError)) throw error;
        const fields = error.problems.map(({ name, ...it }) => ({ ...it, path: ['params', name] }));
        throw new AppError('validation_failed', error.message, { fields });
      }
    },
  });
};

/**
 * The fields of `base` after a change, checked and with sealed secrets. `old` is the stored source,
 * if there is one. Throws validation_failed.
 */
async function editedFields(
  { box, hosts }: Pick<SourcesDeps, 'box' | 'hosts'>,
  base: SourceFields<StoredField> & { name: string },
  changes: SourceChanges,
  old?: Source,
): Promise<SourceFields<StoredField>> {
  const problems: FieldProblem[] = [];
  const merged = (place: 'query' | 'headers'): Fields<EditedField> =>
    mergeFields(base[place], changes[place] ?? {}, (name) => {
      problems.push({ type: 'missing', path: [place, name], msg: 'There is no secret yet' });
    });
  const defined = Object.entries(changes).filter(([, value]) => value !== undefined);
  const edited = {
    ...base,
    ...Object.fromEntries(defined),
    query: merged('query'),
    headers: merged('headers'),
  } as SourceFields<EditedField> & { name: string };
  problems.push(...problemsOf(edited, hosts));
  if (old) problems.push(...movedSecrets(old, edited));
  if (problems.length > 0) {
    throw new AppError('validation_failed', 'The source is not valid', { fields: problems });
  }
  return { ...edited, ...(await sealedFields(box, edited)) };
}

function requireVersion({ version }: Source, ifMatch: IfMatch): void {
  if (!ifMatch || ifMatch.includes(version)) return;
  throw new AppError('version_mismatch', `The source has changed: its version is ${version}`);
}

function changedConcurrently(name: string): AppError {
  return new AppError('conflict', `Source ${name} was changed by another request`);
}
