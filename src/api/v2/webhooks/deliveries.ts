import { status } from 'elysia';
import type { Deps } from '../../../core/deps.ts';
import {
  WebhookDeliveries,
  WebhookDeliveriesQuery,
  WebhookDelivery,
  WebhookDeliveryParams,
  WebhookParams,
} from '../../../schemas/webhooks.ts';
import { accountRoutes, adminRoute } from '../../plugins/access-rules.ts';
import { createOnce } from '../../responses/idempotency.ts';
import { ADMIN, KEYED, v2Errors, v2WriteErrors } from '../responses.ts';

const QUEUE_ERRORS = v2WriteErrors(
  ...ADMIN,
  ...KEYED,
  'not_found',
  'conflict',
  'validation_failed',
);

/** The log of deliveries of a webhook, for admins. */
export const createWebhookDeliveryRoutes = (
  deps: Pick<Deps, 'webhookDeliveries' | 'idempotency'>,
) => {
  const { webhookDeliveries: service } = deps;
  const once = createOnce(deps.idempotency);
  return accountRoutes({ prefix: '/webhooks/:webhook_id', tags: ['webhooks'] })
    .post(
      '/test',
      async ({ actor, params, request, set }) => {
        const delivery = await once({ actor, request, set }, queued, (onWritten) =>
          service.test(actor, params.webhook_id, onWritten),
        );
        return status(201, delivery);
      },
      {
        params: WebhookParams,
        response: { 201: WebhookDelivery, ...QUEUE_ERRORS },
        detail: {
          ...adminRoute('testWebhook', 'Send an event of type webhook.test'),
          takesKey: true,
          description: 'It is sent at once; read the delivery for the outcome.',
        },
      },
    )
    .get(
      '/deliveries',
      ({ actor, params, query }) => service.list(actor, params.webhook_id, query),
      {
        params: WebhookParams,
        query: WebhookDeliveriesQuery,
        response: {
          200: WebhookDeliveries,
          ...v2Errors(...ADMIN, 'not_found', 'invalid_cursor', 'validation_failed'),
        },
        detail: adminRoute(
          'listWebhookDeliveries',
          'List the deliveries of the last 30 days, newest first',
        ),
      },
    )
    .get(
      '/deliveries/:delivery_id',
      ({ actor, params }) => service.get(actor, params.webhook_id, params.delivery_id),
      {
        params: WebhookDeliveryParams,
        response: {
          200: WebhookDelivery,
          ...v2Errors(...ADMIN, 'not_found', 'validation_failed'),
        },
        detail: adminRoute('getWebhookDelivery', 'Read a delivery'),
      },
    )
    .post(
      '/deliveries/:delivery_id/replay',
      async ({ actor, params, request, set }) => {
        const { webhook_id, delivery_id } = params;
        const delivery = await once({ actor, request, set }, queued, (onWritten) =>
          service.replay(actor, webhook_id, delivery_id, onWritten),
        );
        return status(201, delivery);
      },
      {
        params: WebhookDeliveryParams,
        response: { 201: WebhookDelivery, ...QUEUE_ERRORS },
        detail: {
          ...adminRoute('replayWebhookDelivery', 'Send the event of a finished delivery again'),
          takesKey: true,
          description: 'The event keeps its id; a delivery that is still pending returns 409.',
        },
      },
    );
};

function queued(delivery: typeof WebhookDelivery.static) {
  const location = `/api/v2/webhooks/${delivery.webhook_id}/deliveries/${delivery.id}`;
  return { status: 201, location, body: delivery };
}
