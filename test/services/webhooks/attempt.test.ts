import { describe, expect, test } from 'bun:test';
import {
  createOutbound,
  type OutboundOptions,
  type OutboundRequest,
} from '../../../src/core/outbound/client.ts';
import { OutboundError } from '../../../src/core/outbound/errors.ts';
import { createSecretBox } from '../../../src/core/security/secret-box.ts';
import type { WebhookDelivery, WebhookRow } from '../../../src/models/webhooks.ts';
import { createAttempt } from '../../../src/services/webhooks/attempt.ts';
import { sealedSecret } from '../../../src/services/webhooks/secrets.ts';
import { newSecret } from '../../../src/services/webhooks/signature.ts';
import { tempDir } from '../../support.ts';
import { verify } from '../../webhooks.ts';

const PUBLIC = '93.184.216.34';
const at = new Date().toISOString();
const box = createSecretBox({ key: '', oldKey: '', dataDir: tempDir() });
const secret = newSecret();

const webhook: WebhookRow = {
  id: 1,
  url: 'https://hooks.example.com/in?key=hay',
  description: '',
  events: '["*"]',
  secrets: sealedSecret(box.sealer(), 1, secret),
  is_active: true,
  disabled_reason: null,
  failing_since: null,
  version: 1,
  created_at: at,
  updated_at: at,
  deleted_at: null,
};

const delivery: WebhookDelivery = {
  id: 1,
  webhook_id: 1,
  event_id: 'evt_1',
  event_type: 'items.created',
  resource_id: 7,
  resource_version: 1,
  event_at: at,
  replay_of: null,
  state: 'pending',
  attempts: 0,
  next_attempt_at: at,
  last_attempt_at: null,
  response_status: null,
  duration_ms: null,
  error: null,
  created_at: at,
};

/** Sends the delivery through a client with these options. */
function attemptWith(options: Partial<OutboundOptions>) {
  const outbound = createOutbound({ version: '1', ...options });
  const documents = { items: async () => ({ title: 'Hay' }) };
  const attempt = createAttempt({ box, outbound, documents, now: () => new Date() });
  return () => attempt(webhook, delivery, new AbortController().signal);
}

const lookupOf = (addresses: string[]) => async () => [{ address: addresses.shift() ?? '::' }];

describe('an attempt', () => {
  test('connects to the address that was checked, and is signed', async () => {
    const sent: { url: string; headers: Headers; body: string }[] = [];
    const attempt = attemptWith({
      lookup: lookupOf([PUBLIC]),
      fetch: async (url, { headers, body }) => {
        sent.push({
          url,
          headers: new Headers(headers as Record<string, string>),
          body: String(body),
        });
        return new Response('welcome');
      },
    });
    expect(await attempt()).toMatchObject({ kind: 'succeeded', status: 200 });
    expect(sent.map(({ url }) => url)).toEqual([`https://${PUBLIC}:443/in?key=hay`]);
    expect(sent[0]?.headers.get('host')).toBe('hooks.example.com');
    expect(verify(sent[0] as (typeof sent)[number], secret)).toEqual({
      type: 'items.created',
      timestamp: at,
      data: { id: 7, version: 1, title: 'Hay' },
    });
  });

  // proves: outbound-calls.the-url-of-a-webhook
  test('is refused once the name of the host leads to a private address', async () => {
    let connections = 0;
    const attempt = attemptWith({
      lookup: lookupOf([PUBLIC, '127.0.0.1', '169.254.169.254', 'fd00:ec2::254']),
      fetch: async () => {
        connections += 1;
        return new Response();
      },
    });
    expect(await attempt()).toMatchObject({ kind: 'succeeded' });
    for (let index = 0; index < 3; index++) {
      expect(await attempt()).toMatchObject({
        kind: 'failed',
        status: null,
        error: 'hooks.example.com is not a public address',
      });
    }
    expect(connections).toBe(1);
  });

  test('has 15 seconds, is not repeated at once, and does not read the response', async () => {
    const requests: OutboundRequest[] = [];
    const outbound = {
      call: async (request: OutboundRequest) => {
        requests.push(request);
        throw new OutboundError('timeout', 'hooks.example.com took longer than 15000 ms');
      },
    };
    const documents = { items: async () => undefined };
    const attempt = createAttempt({ box, outbound, documents, now: () => new Date() });
    expect(await attempt(webhook, delivery, new AbortController().signal)).toMatchObject({
      kind: 'failed',
      error: 'hooks.example.com took longer than 15000 ms',
    });
    expect(requests).toMatchObject([
      { method: 'POST', timeoutMs: 15_000, maxRedirects: 0, ignoresBody: true },
    ]);
  });

  test('is postponed, not failed, while the host is left alone after five failures', async () => {
    const attempt = attemptWith({
      lookup: async () => [{ address: PUBLIC }],
      fetch: async () => new Response(null, { status: 500 }),
    });
    for (let index = 0; index < 5; index++) {
      expect(await attempt()).toMatchObject({ kind: 'failed', status: 500 });
    }
    const postponed = await attempt();
    expect(postponed).toMatchObject({ kind: 'postponed', delayMs: expect.any(Number) });
  });

  test('that is aborted has no outcome', async () => {
    const outbound = createOutbound({ version: '1', lookup: async () => [{ address: PUBLIC }] });
    const documents = { items: async () => undefined };
    const attempt = createAttempt({ box, outbound, documents, now: () => new Date() });
    outbound.close();
    const { signal } = new AbortController();
    expect(await attempt(webhook, delivery, signal)).toEqual({ kind: 'aborted' });
  });
});
