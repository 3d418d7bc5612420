import type { Row } from './rows.ts';

const params = { webhook_id: 1 };
const delivery = { webhook_id: 1, delivery_id: 1 };

/** The rows of webhooks: 1 is inactive and has the finished delivery 1. */
export const WEBHOOK_ROWS: Record<string, () => Row> = {
  listWebhooks: () => ({ access: 'admin', other: 403, admin: 200 }),
  createWebhook: () => ({
    access: 'admin',
    other: 403,
    admin: 201,
    body: { url: 'https://hooks.example.com/', events: ['*'], is_active: false },
  }),
  getWebhook: () => ({ access: 'admin', other: 403, admin: 200, params }),
  updateWebhook: () => ({ access: 'admin', other: 403, admin: 200, params, body: {} }),
  deleteWebhook: () => ({ access: 'admin', other: 403, admin: 204, params }),
  rotateWebhookSecret: () => ({ access: 'admin', other: 403, admin: 200, params, body: {} }),
  testWebhook: () => ({ access: 'admin', other: 403, admin: 409, params }),
  listWebhookDeliveries: () => ({ access: 'admin', other: 403, admin: 200, params }),
  getWebhookDelivery: () => ({ access: 'admin', other: 403, admin: 200, params: delivery }),
  replayWebhookDelivery: () => ({ access: 'admin', other: 403, admin: 409, params: delivery }),
};
