import { t } from 'elysia';
import { Page } from './common.ts';
import { Choice, Flag, Integer, IntegerText, Text, Timestamp } from './kinds.ts';
import { Cursor, PageLimit } from './list-query.ts';

const url = Text({
  minLength: 1,
  maxLength: 2048,
  description:
    'https, on a public host. Each event is sent to it by POST; redirects are not followed.',
  examples: ['https://hooks.example.com/hutch'],
});
const events = t.Array(Text({ minLength: 1, maxLength: 100, examples: ['items.created'] }), {
  minItems: 1,
  maxItems: 50,
  uniqueItems: true,
  description: `Types of events: a resource with \`.created\`, \`.updated\` or \`.deleted\`. \`items.*\` are all
of items, \`*\` are all.`,
});
const description = Text({ maxLength: 500, elysiaMeta: 'nfc', examples: ['The search index'] });
const secret = Text({
  minLength: 1,
  maxLength: 100,
  description: '`whsec_` and the base64 of 24 to 64 bytes. Default: a random one.',
  examples: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
});

export const WebhookNew = t.Object(
  {
    url,
    events,
    description: t.Optional(description),
    is_active: t.Optional(Flag({ default: true })),
    secret: t.Optional(secret),
  },
  { title: 'WebhookNew' },
);

/** RFC 7396: omitted fields stay unchanged. */
export const WebhookPatch = t.Object(
  {
    url: t.Optional(url),
    events: t.Optional(events),
    description: t.Optional(description),
    is_active: t.Optional(
      Flag({
        description: 'true enables a webhook that the server disabled; what was pending is sent.',
      }),
    ),
  },
  { title: 'WebhookPatch' },
);

export const WebhookSecretRotation = t.Object(
  {
    secret: t.Optional(secret),
    overlap_hours: t.Optional(
      Integer({
        minimum: 0,
        maximum: 168,
        default: 24,
        description: 'How long the previous secret signs too; 0 for a secret that has leaked.',
      }),
    ),
  },
  { title: 'WebhookSecretRotation' },
);

const shown = {
  id: Integer({ examples: [1] }),
  url: t.String(),
  description: t.String(),
  events: t.Array(t.String({ examples: ['items.*'] })),
  is_active: t.Boolean({ description: 'Events are recorded and sent only while it is true.' }),
  // Not an enum: generators know no enum that may be null.
  disabled_reason: t.Union([t.String({ examples: ['failing'] }), t.Null()], {
    description: `Why the server disabled it. gone: the receiver answered 410. failing: nothing succeeded for
5 days. backlog: over 100,000 deliveries waited. null if an admin did.`,
  }),
  failing_since: t.Union([Timestamp(), t.Null()], {
    description: 'The first failed attempt since the last success.',
  }),
  version: Integer({ description: 'Increases with each change.' }),
  created_at: Timestamp(),
  updated_at: Timestamp(),
};

export const Webhook = t.Object(shown, { title: 'Webhook' });

export const CreatedWebhook = t.Object(
  { ...shown, secret: t.String({ description: 'Shown only here.' }) },
  { title: 'CreatedWebhook' },
);

export const Webhooks = t.Object({ data: t.Array(Webhook), page: Page }, { title: 'Webhooks' });

const State = Choice('WebhookDeliveryState', ['pending', 'succeeded', 'failed']);
const optionalId = t.Union([Integer(), t.Null()]);
const optionalTime = t.Union([Timestamp(), t.Null()]);

export const WebhookDelivery = t.Object(
  {
    id: Integer({ examples: [1] }),
    webhook_id: Integer(),
    event_id: t.String({
      description:
        'The webhook-id of all attempts and replays: receivers ignore one that they know.',
      examples: ['evt_019a8b3c4d5e7f60a1b2c3d4e5f60718'],
    }),
    event_type: t.String({ examples: ['items.created'] }),
    resource_id: t.Union([Integer(), t.Null()], { description: 'The row; null for a test.' }),
    resource_version: t.Union([Integer(), t.Null()], {
      description: 'The version that the change created.',
    }),
    event_at: Timestamp(),
    replay_of: optionalId,
    state: State,
    attempts: Integer(),
    next_attempt_at: optionalTime,
    last_attempt_at: optionalTime,
    response_status: t.Union([Integer(), t.Null()], {
      description: 'Of the last attempt; null without a response.',
    }),
    duration_ms: t.Union([Integer(), t.Null()]),
    error: t.Union([t.String(), t.Null()], { examples: ['hooks.example.com answered 500'] }),
    created_at: Timestamp(),
  },
  { title: 'WebhookDelivery' },
);

export const WebhookDeliveries = t.Object(
  { data: t.Array(WebhookDelivery), page: Page },
  { title: 'WebhookDeliveries' },
);

export const WebhooksQuery = t.Object({ limit: PageLimit, cursor: Cursor });

export const WebhookDeliveriesQuery = t.Object({
  state: t.Optional({ ...State, description: 'Only deliveries in this state.' }),
  limit: PageLimit,
  cursor: Cursor,
});

const id = (description: string) => IntegerText({ minimum: 1, description });

export const WebhookParams = t.Object({ webhook_id: id('The id of a webhook.') });

export const WebhookDeliveryParams = t.Object({
  webhook_id: id('The id of a webhook.'),
  delivery_id: id('The id of a delivery.'),
});
