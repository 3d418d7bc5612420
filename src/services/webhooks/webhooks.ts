import { count } from 'drizzle-orm';
import type { Actor } from '../../core/actor.ts';
import type { Db } from '../../core/db/db.ts';
import type { Tx } from '../../core/db/writer.ts';
import { AppError } from '../../core/exceptions.ts';
import { type Cursors, readCursor } from '../../core/security/cursors.ts';
import type { SecretBox } from '../../core/security/secret-box.ts';
import { type WebhookRow, webhooks } from '../../models/webhooks.ts';
import { type Page, pageOf } from '../../utils/page.ts';
import { HOUR_MS } from '../../utils/time/units.ts';
import { adminsOnly } from '../admins-only.ts';
import type { Audit, AuditAction } from '../audit/audit.ts';
import type { OnWritten } from '../idempotency.ts';
import { requireValid, type WebhookRules } from './check.ts';
import { getWebhook, isListed, updateWebhook, webhooksAfter } from './rows.ts';
import { rotatedSecrets, sealedSecret, webhookSealer } from './secrets.ts';
import { newSecret } from './signature.ts';

export interface WebhooksDeps {
  db: Db;
  cursors: Cursors;
  box: SecretBox;
  audit: Audit;
  rules: WebhookRules;
  now(): Date;
  /** Called after a webhook was created, changed or deleted. */
  onChanged(): void;
}

/** A webhook as an admin sees it, without its secrets. */
export interface Webhook extends Omit<WebhookRow, 'events' | 'secrets' | 'deleted_at'> {
  events: string[];
}

/** A webhook with its current secret, which is shown only once. */
export type WebhookWithSecret = Webhook & { secret: string };

export interface NewWebhook {
  url: string;
  events: string[];
  description?: string | undefined;
  is_active?: boolean | undefined;
  /** Default: a random one. */
  secret?: string | undefined;
}

export type WebhookChanges = {
  [K in keyof Omit<NewWebhook, 'secret'>]?: NewWebhook[K] | undefined;
};

export interface SecretRotation {
  /** Default: a random one. */
  secret?: string | undefined;
  /** The time for which the replaced secret still signs. Default 24. */
  overlap_hours?: number | undefined;
}

interface ListQuery {
  limit?: number | undefined;
  cursor?: string | undefined;
}

/** The versions that a caller accepts; undefined for any. */
type IfMatch = readonly number[] | undefined;

const CURSOR_SCOPE = 'webhooks';
const DEFAULT_LIMIT = 50;
/** Each event is compared with all webhooks. */
const MAX_WEBHOOKS = 100;
const OVERLAP_HOURS = 24;

/** The webhooks. Each method throws forbidden unless the caller is an admin. */
export const createWebhooks = (deps: WebhooksDeps) => {
  const { db, cursors, box, rules, now } = deps;
  const change = createChange(deps);
  return adminsOnly({
    /** A page of webhooks by id. Throws invalid_cursor. */
    list: async (
      _actor: Actor,
      { limit = DEFAULT_LIMIT, cursor }: ListQuery,
    ): Promise<{ data: Webhook[]; page: Page }> => {
      const [after = 0] = readCursor(cursors, CURSOR_SCOPE, cursor, ['number']) ?? [];
      const rows = await webhooksAfter(db.read, after as number, limit + 1);
      const { data, page } = pageOf(rows, limit, ({ id }) => cursors.seal(CURSOR_SCOPE, [id]));
      return { data: data.map(webhookOf), page };
    },

    /** Throws not_found. */
    get: async (_actor: Actor, id: number): Promise<Webhook> =>
      webhookOf(await getWebhook(db.read, id)),

    /**
     * Creates a webhook; `onWritten` runs in the same transaction. Throws validation_failed,
     * secrets_unreadable, and conflict if there are too many.
     */
    create: async (
      actor: Actor,
      { secret = newSecret(), ...fields }: NewWebhook,
      onWritten?: OnWritten<WebhookWithSecret>,
    ): Promise<WebhookWithSecret> => {
      requireValid({ ...fields, secret }, rules);
      const seal = webhookSealer(box);
      return db.write(async (tx) => {
        await requireRoom(tx);
        const { id } = await insertWebhook(tx, fields, now().toISOString());
        const row = await updateWebhook(tx, id, { secrets: sealedSecret(seal, id, secret) });
        const created = { ...webhookOf(row), secret };
        await recordChange(deps, tx, actor, 'webhook.created', id, Object.keys(fields));
        await onWritten?.(tx, created);
        return created;
      });
    },

    /** Throws not_found, version_mismatch, validation_failed. */
    update: async (
      actor: Actor,
      id: number,
      changes: WebhookChanges,
      ifMatch?: IfMatch,
    ): Promise<Webhook> => {
      requireValid(changes, rules);
      return db.write(async (tx) => {
        const row = await getWebhook(tx, id);
        requireVersion(row, ifMatch);
        const set = differing(row, columnsOf(changes));
        if (Object.keys(set).length === 0) return webhookOf(row);
        return webhookOf(await change(tx, actor, row, 'webhook.updated', set));
      });
    },

    /**
     * Replaces the secret; the previous one signs too for a while. `onWritten` runs in the same
     * transaction. Throws not_found, validation_failed, conflict, secrets_unreadable.
     */
    rotateSecret: async (
      actor: Actor,
      id: number,
      { secret = newSecret(), overlap_hours = OVERLAP_HOURS }: SecretRotation,
      onWritten?: OnWritten<WebhookWithSecret>,
    ): Promise<WebhookWithSecret> => {
      requireValid({ secret }, rules);
      const seal = webhookSealer(box);
      return db.write(async (tx) => {
        const row = await getWebhook(tx, id);
        const rotation = { secret, at: now(), overlapMs: overlap_hours * HOUR_MS };
        const secrets = rotatedSecrets(seal, row, rotation);
        const rotated = await change(tx, actor, row, 'webhook.secret_rotated', { secrets });
        const shown = { ...webhookOf(rotated), secret };
        await onWritten?.(tx, shown);
        return shown;
      });
    },

    /** Deletes a webhook and its log of deliveries. Throws not_found, version_mismatch. */
    remove: (actor: Actor, id: number, ifMatch?: IfMatch): Promise<void> =>
      db.write(async (tx) => {
        const row = await getWebhook(tx, id);
        requireVersion(row, ifMatch);
        const blank = { url: '', description: '', events: '[]', secrets: '[]', is_active: false };
        await updateWebhook(tx, id, { ...blank, deleted_at: now().toISOString() });
        await recordChange(deps, tx, actor, 'webhook.deleted', id);
      }),
  });
};

/** Creates a function that changes columns of a webhook and records it. */
function createChange(deps: WebhooksDeps) {
  return async (
    tx: Tx,
    actor: Actor,
    { id, version }: WebhookRow,
    action: AuditAction,
    set: Partial<WebhookRow>,
  ): Promise<WebhookRow> => {
    const isEnabled = set.is_active === true;
    // A webhook that an admin enables starts without a past.
    const past = isEnabled ? { disabled_reason: null, failing_since: null } : {};
    const next = { version: version + 1, updated_at: deps.now().toISOString() };
    const row = await updateWebhook(tx, id, { ...set, ...past, ...next });
    const fields = action === 'webhook.updated' ? Object.keys(set) : undefined;
    await recordChange(deps, tx, actor, action, id, fields);
    return row;
  };
}

/** Records names of fields, never values: a URL may contain a secret. */
async function recordChange(
  { audit, onChanged }: WebhooksDeps,
  tx: Tx,
  actor: Actor,
  action: AuditAction,
  webhook: number,
  fields?: string[],
): Promise<void> {
  const details = { webhook, ...(fields && { fields }) };
  await audit.record(tx, actor, { action, user_id: null, details });
  tx.afterCommit(onChanged);
}

async function requireRoom({ orm }: Tx): Promise<void> {
  const [row] = await orm.select({ used: count() }).from(webhooks).where(isListed);
  if ((row?.used ?? 0) < MAX_WEBHOOKS) return;
  throw new AppError('conflict', `There are ${MAX_WEBHOOKS} webhooks already`);
}

async function insertWebhook(
  { orm }: Tx,
  { url, events, description = '', is_active = true }: NewWebhook,
  created_at: string,
): Promise<WebhookRow> {
  const values = { url, description, is_active, events: JSON.stringify(events), secrets: '[]' };
  const times = { created_at, updated_at: created_at };
  const [row] = await orm
    .insert(webhooks)
    .values({ ...values, ...times })
    .returning();
  return row as WebhookRow;
}

function columnsOf({ events, ...rest }: WebhookChanges): Partial<WebhookRow> {
  const columns = { ...rest, ...(events && { events: JSON.stringify(events) }) };
  const given = Object.entries(columns).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given);
}

function differing(row: WebhookRow, columns: Partial<WebhookRow>): Partial<WebhookRow> {
  const changed = Object.entries(columns).filter(([key, value]) => Reflect.get(row, key) !== value);
  return Object.fromEntries(changed);
}

function requireVersion({ version }: WebhookRow, ifMatch: IfMatch): void {
  if (!ifMatch || ifMatch.includes(version)) return;
  const message = `The webhook has changed: its version is ${version}`;
  throw new AppError('version_mismatch', message);
}

function webhookOf({ events, secrets: _, deleted_at: _d, ...rest }: WebhookRow): Webhook {
  return { ...rest, events: JSON.parse(events) };
}
