import { expect } from 'bun:test';
import { Webhook } from 'standardwebhooks';
import type { Config } from '../src/core/config/config.ts';
import type { User } from '../src/models/users.ts';
import { upstream } from './sources.ts';
import { openSession, type TestApp, testApp } from './support.ts';

/** A delivery as its log shows it. */
export interface Delivery {
  id: number;
  event_id: string;
  event_type: string;
  resource_id: number | null;
  state: string;
  attempts: number;
  next_attempt_at: string | null;
  response_status: number | null;
  error: string | null;
  replay_of: number | null;
}

export interface Created {
  id: number;
  secret: string;
  version: number;
}

export interface ReceivedEvent {
  type: string;
  timestamp: string;
  data: { id?: number; version?: number; [name: string]: unknown };
}

export type WebhooksApp = Awaited<ReturnType<typeof webhooksApp>>;

/** The application with an admin, a user, a clock, and webhooks to the given hosts. */
export async function webhooksApp(hosts: string[] = [], config: Partial<Config> = {}) {
  const clock = { at: Date.now() };
  const own = { externalAllowHosts: hosts, ...config };
  const now = () => new Date(clock.at);
  const t = await testApp({ config: own, logLevel: config.logLevel ?? 'error', now });
  const root = await t.signUp('root', 'admin');
  const ada = await t.signUp('ada');
  const tokenOf = createTokens(t.deps, clock);
  const api = async (method: string, path: string, body?: unknown) => {
    const url = `/api/v2/webhooks${path}`;
    const token = await tokenOf(root);
    return body === undefined
      ? t.request(method, url, { token })
      : t.json(method, url, body, token);
  };
  const answer = async <T>(status: number, response: Promise<Response>): Promise<T> => {
    const settled = await response;
    const text = await settled.text();
    if (settled.status !== status) throw new Error(`${settled.status} ${text}`);
    return JSON.parse(text);
  };
  return {
    ...t,
    root,
    ada,
    clock,
    api,
    /** Creates a webhook and fails the test if it cannot. */
    create: (webhook: { url: string; [name: string]: unknown }) =>
      answer<Created>(201, api('POST', '', { events: ['*'], ...webhook })),
    get: (id: number) => answer<Record<string, unknown>>(200, api('GET', `/${id}`)),
    patch: (id: number, body: object) =>
      answer<Record<string, unknown>>(200, api('PATCH', `/${id}`, body)),
    /** The log of a webhook, newest first. */
    log: async (id: number, query = '') =>
      (await answer<{ data: Delivery[] }>(200, api('GET', `/${id}/deliveries${query}`))).data,
    test: (id: number) => answer<Delivery>(201, api('POST', `/${id}/test`)),
    replay: (id: number, delivery: number) =>
      answer<Delivery>(201, api('POST', `/${id}/deliveries/${delivery}/replay`)),
    /** Sends what is due. */
    send: () => t.deps.webhookWorker.sendDue(),
    /** Creates an item of ada and returns its id. */
    item: async (fields: object = {}) => {
      const item = { title: 'Hay', ...fields };
      const created = t.json('POST', '/api/v2/items', item, await tokenOf(ada));
      return (await answer<{ id: number }>(201, created)).id;
    },
  };
}

/** Returns a function that signs an account in again once the clock has moved: sessions end. */
function createTokens(deps: TestApp['deps'], clock: { at: number }) {
  const tokens = new Map<number, { token: string; at: number }>();
  return async (account: User & { token: string }): Promise<string> => {
    const known = tokens.get(account.id) ?? { token: account.token, at: clock.at };
    const isOld = known.at !== clock.at;
    const token = isOld ? await openSession(deps, account, { secondFactor: true }) : known.token;
    tokens.set(account.id, { token, at: clock.at });
    return token;
  };
}

/** A receiver on loopback that records the events, and answers 204 unless told otherwise. */
export function receiver(answer: (request: Request) => Response | Promise<Response> = accept) {
  const server = upstream(answer);
  return {
    ...server,
    /** The events that arrived, in order. */
    events: () => server.asked.map(({ body }) => JSON.parse(body) as ReceivedEvent),
    types: () => server.asked.map(({ body }) => (JSON.parse(body) as ReceivedEvent).type),
  };
}

function accept(): Response {
  return new Response(null, { status: 204 });
}

/** Verifies a request with the official library; throws if the signature is wrong. */
export function verify(
  { headers, body }: { headers: Headers; body: string },
  secret: string,
): ReceivedEvent {
  return new Webhook(secret).verify(
    body,
    headers.toJSON() as Record<string, string>,
  ) as ReceivedEvent;
}

/** Fails unless the library refuses the request. */
export function expectRefused(request: { headers: Headers; body: string }, secret: string): void {
  expect(() => verify(request, secret)).toThrow('No matching signature found');
}
