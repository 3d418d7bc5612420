import { asc, eq, gt } from 'drizzle-orm';
import type { Actor } from '../../core/actor.ts';
import type { Cache } from '../../core/cache.ts';
import type { Db } from '../../core/db/db.ts';
import { uniqueViolation } from '../../core/db/storage-error.ts';
import { AppError } from '../../core/exceptions.ts';
import { type Cursors, readCursor } from '../../core/security/cursors.ts';
import type { SecretBox } from '../../core/security/secret-box.ts';
import { type SourceRow, sources } from '../../models/index.ts';
import { type Page, pageOf } from '../../utils/page.ts';
import { adminsOnly } from '../admins-only.ts';
import type { Audit } from '../audit/audit.ts';
import type { OnWritten } from '../idempotency.ts';
import type { CheckOptions } from './check.ts';
import { columnsOf, type ShownSource, type Source, shownSource, sourceOf } from './definition.ts';
import { BLANK, editedFields, fieldsOf, type NewSource, type SourceChanges } from './edit.ts';
import { requestOf, type SourceRequest } from './request.ts';
import { getSource, SOURCES_TAG } from './rows.ts';
import { maskedFields } from './secrets.ts';
import { ParameterError } from './values.ts';

export interface SourcesDeps {
  db: Db;
  cursors: Cursors;
  cache: Pick<Cache, 'invalidate'>;
  box: SecretBox;
  audit: Audit;
  hosts: CheckOptions;
  now(): Date;
}

/** The versions that a caller knows; another one is refused. */
type IfMatch = readonly number[] | undefined;

const SCOPE = 'sources';
const DEFAULT_LIMIT = 50;

/** Sources as admins define them. Each method throws forbidden for a caller who is no admin. */
export const createSources = (deps: SourcesDeps) =>
  adminsOnly({
    /** A page of sources by name. Throws invalid_cursor. */
    list: (_actor: Actor, query: { limit?: number | undefined; cursor?: string | undefined }) =>
      listSources(deps, query),

    /** Throws not_found. */
    get: async (_actor: Actor, name: string): Promise<ShownSource> =>
      shownSource(await getSource(deps.db.read, name)),

    /**
     * Creates a source; `onWritten` runs in the same transaction. Throws validation_failed, and
     * conflict for a name that is taken.
     */
    create: (actor: Actor, source: NewSource, onWritten?: OnWritten<ShownSource>) =>
      create(deps, actor, source, onWritten),

    /** Throws not_found, version_mismatch, validation_failed, conflict. */
    update: (actor: Actor, name: string, changes: SourceChanges, ifMatch?: IfMatch) =>
      update(deps, actor, name, changes, ifMatch),

    /** Throws not_found, version_mismatch. */
    remove: (actor: Actor, name: string, ifMatch?: IfMatch): Promise<void> =>
      deps.db.write(async (tx) => {
        const source = await getSource(tx, name);
        refuseOthers(source, ifMatch);
        await tx.orm.delete(sources).where(eq(sources.id, source.id));
        const details = { source: name };
        await deps.audit.record(tx, actor, { action: 'source.deleted', user_id: null, details });
        tx.afterCommit(() => deps.cache.invalidate(SOURCES_TAG));
      }),

    /** What a call with these parameters would send; each secret is `***`. Throws not_found, validation_failed. */
    dryRun: async (
      _actor: Actor,
      name: string,
      parameters: Record<string, unknown>,
    ): Promise<SourceRequest> => dryRun(await getSource(deps.db.read, name), parameters),
  });

function dryRun(source: Source, parameters: Record<string, unknown>): SourceRequest {
  try {
    return requestOf({ ...source, ...maskedFields(source) }, { parameters, spelling: 'json' });
  } catch (error) {
    if (!(error instanceof ParameterError)) throw error;
    const problems = error.wrong.map((it) => ({ ...it, loc: ['body', 'params', it.name] }));
    throw new AppError('validation_failed', error.message, { problems });
  }
}

async function listSources(
  { db, cursors }: SourcesDeps,
  { limit = DEFAULT_LIMIT, cursor }: { limit?: number | undefined; cursor?: string | undefined },
): Promise<{ data: ShownSource[]; page: Page }> {
  const [after] = readCursor(cursors, SCOPE, cursor, ['string']) ?? [];
  const rows = await db.read.orm
    .select()
    .from(sources)
    .where(after === undefined ? undefined : gt(sources.name, after as string))
    .orderBy(asc(sources.name))
    .limit(limit + 1);
  const { data, page } = pageOf(rows, limit, ({ name }) => cursors.seal(SCOPE, [name]));
  return { data: data.map((row) => shownSource(sourceOf(row))), page };
}

async function create(
  deps: SourcesDeps,
  actor: Actor,
  given: NewSource,
  onWritten: OnWritten<ShownSource> | undefined,
) {
  const { name, ...changes } = given;
  const fields = await editedFields(deps, { ...BLANK, name }, changes);
  const at = deps.now().toISOString();
  const values = { ...columnsOf(fields), name, created_at: at, updated_at: at };
  try {
    return await deps.db.write(async (tx) => {
      const [row] = await tx.orm.insert(sources).values(values).returning();
      const details = { source: name, fields: Object.keys(changes) };
      await deps.audit.record(tx, actor, { action: 'source.created', user_id: null, details });
      const shown = shownSource(sourceOf(row as SourceRow));
      await onWritten?.(tx, shown);
      return shown;
    });
  } catch (error) {
    if (uniqueViolation(error) !== 'sources.name') throw error;
    throw new AppError('conflict', `There is a source ${name} already`);
  }
}

async function update(
  deps: SourcesDeps,
  actor: Actor,
  name: string,
  changes: SourceChanges,
  ifMatch: IfMatch,
): Promise<ShownSource> {
  const old = await getSource(deps.db.read, name);
  refuseOthers(old, ifMatch);
  const fields = await editedFields(deps, old, changes, old);
  const set = columnsOf(fields);
  const before = columnsOf(fieldsOf(old));
  if (JSON.stringify(set) === JSON.stringify(before)) return shownSource(old);
  return deps.db.write(async (tx) => {
    const current = await getSource(tx, name);
    refuseOthers(current, ifMatch);
    // Secrets are sealed before the transaction: what they were sealed for must still hold.
    if (current.version !== old.version) throw changedMeanwhile(name);
    const updated_at = deps.now().toISOString();
    const values = { ...set, version: old.version + 1, updated_at };
    const [row] = await tx.orm
      .update(sources)
      .set(values)
      .where(eq(sources.id, old.id))
      .returning();
    const details = { source: name, fields: Object.keys(changes) };
    await deps.audit.record(tx, actor, { action: 'source.updated', user_id: null, details });
    tx.afterCommit(() => deps.cache.invalidate(SOURCES_TAG));
    return shownSource(sourceOf(row as SourceRow));
  });
}

function refuseOthers({ version }: Source, ifMatch: IfMatch): void {
  if (!ifMatch || ifMatch.includes(version)) return;
  const msg = `The source was changed meanwhile: its version is ${version}`;
  throw new AppError('version_mismatch', msg);
}

function changedMeanwhile(name: string): AppError {
  return new AppError('conflict', `Source ${name} was changed at the same time`);
}
