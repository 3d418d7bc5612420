import { status } from 'elysia';
import type { Deps } from '../../../core/deps.ts';
import { NoContent } from '../../../schemas/common.ts';
import {
  CreatedWebhook,
  Webhook,
  WebhookNew,
  WebhookParams,
  WebhookPatch,
  WebhookSecretRotation,
  Webhooks,
  WebhooksQuery,
} from '../../../schemas/webhooks.ts';
import { accountRoutes, adminRoute } from '../../plugins/access-rules.ts';
import { isUnchanged, matchedVersions, notModified, setETag } from '../../responses/etag.ts';
import { createOnce } from '../../responses/idempotency.ts';
import { ADMIN, KEYED, v2BodyErrors, v2Errors, v2WriteErrors } from '../responses.ts';

const SECRET_ERRORS = [...ADMIN, ...KEYED, 'conflict', 'secrets_unreadable'] as const;

/** The webhooks, for admins. */
export const createWebhookRoutes = (deps: Pick<Deps, 'webhooks' | 'idempotency'>) => {
  const { webhooks: service } = deps;
  const once = createOnce(deps.idempotency);
  return accountRoutes({ prefix: '/webhooks', tags: ['webhooks'] })
    .get('', ({ actor, query }) => service.list(actor, query), {
      query: WebhooksQuery,
      response: { 200: Webhooks, ...v2Errors(...ADMIN, 'invalid_cursor', 'validation_failed') },
      detail: adminRoute('listWebhooks', 'List the webhooks, ordered by id'),
    })
    .post(
      '',
      async ({ actor, body, request, set }) => {
        const webhook = await once(
          { actor, request, body: withoutSecret(body), set },
          created,
          (onWritten) => service.create(actor, body, onWritten),
          { isSecret: true },
        );
        return status(201, webhook);
      },
      {
        body: WebhookNew,
        response: { 201: CreatedWebhook, ...v2BodyErrors(...SECRET_ERRORS) },
        detail: {
          ...adminRoute('createWebhook', 'Create a webhook, whose secret is shown only once'),
          takesKey: true,
          description: 'A repeat with the same Idempotency-Key may differ in its secret.',
        },
      },
    )
    .get(
      '/:webhook_id',
      async ({ actor, params, request, set }) => {
        const webhook = await service.get(actor, params.webhook_id);
        setETag(webhook.version, set);
        if (isUnchanged(webhook.version, request)) return notModified<typeof Webhook.static>(set);
        return webhook;
      },
      {
        params: WebhookParams,
        response: {
          200: Webhook,
          304: NoContent,
          ...v2Errors(...ADMIN, 'not_found', 'validation_failed'),
        },
        detail: adminRoute('getWebhook', 'Read a webhook'),
      },
    )
    .patch(
      '/:webhook_id',
      async ({ actor, params, body, request, set }) => {
        const ifMatch = matchedVersions(request);
        const webhook = await service.update(actor, params.webhook_id, body, ifMatch);
        setETag(webhook.version, set);
        return webhook;
      },
      {
        params: WebhookParams,
        body: WebhookPatch,
        response: { 200: Webhook, ...v2BodyErrors(...ADMIN, 'not_found', 'version_mismatch') },
        detail: adminRoute('updateWebhook', 'Change a webhook (RFC 7396)'),
      },
    )
    .delete(
      '/:webhook_id',
      async ({ actor, params, request, set }) => {
        await service.remove(actor, params.webhook_id, matchedVersions(request));
        set.status = 204;
      },
      {
        params: WebhookParams,
        response: {
          204: NoContent,
          ...v2WriteErrors(...ADMIN, 'not_found', 'version_mismatch', 'validation_failed'),
        },
        detail: adminRoute('deleteWebhook', 'Delete a webhook and its log of deliveries'),
      },
    )
    .post(
      '/:webhook_id/rotate-secret',
      ({ actor, params, body, request, set }) =>
        once(
          { actor, request, body: withoutSecret(body), set },
          rotated,
          (onWritten) => service.rotateSecret(actor, params.webhook_id, body, onWritten),
          { isSecret: true },
        ),
      {
        params: WebhookParams,
        body: WebhookSecretRotation,
        response: { 200: CreatedWebhook, ...v2BodyErrors(...SECRET_ERRORS, 'not_found') },
        detail: {
          ...adminRoute('rotateWebhookSecret', 'Replace the secret, which is shown only once'),
          takesKey: true,
          description: `Events are signed with the new secret and, for \`overlap_hours\`, with the previous one. A
repeat with the same Idempotency-Key may differ in its secret.`,
        },
      },
    );
};

function created(webhook: typeof CreatedWebhook.static) {
  return { status: 201, location: `/api/v2/webhooks/${webhook.id}`, body: webhook };
}

function rotated(webhook: typeof CreatedWebhook.static) {
  return { status: 200, body: webhook };
}

/** The body for the comparison with a repeat: a fast hash of a secret must not be stored. */
function withoutSecret<T extends { secret?: string }>({ secret: _, ...rest }: T) {
  return rest;
}
