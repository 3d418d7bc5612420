import { expect, test } from 'bun:test';
import { bodyRules } from '../../src/api/request/body-rules.ts';
import { testApp } from '../support.ts';

const MAX_BODY_BYTES = 1_048_576;

/** Each route with what it declares, and with the rule for its body that follows from it. */
async function declaredRoutes() {
  await using t = await testApp();
  const rules = bodyRules(t.app, MAX_BODY_BYTES);
  return t.app.routes.map(({ method, path, hooks }) => {
    const name = `${method} ${path}`;
    return { name, detail: hooks.detail, body: rules.get(name) };
  });
}

const routes = await declaredRoutes();

type Route = (typeof routes)[number];

function namesOf(matches: (route: Route) => boolean | undefined): string[] {
  return routes
    .filter(matches)
    .map(({ name }) => name)
    .toSorted();
}

/** The routes for which `read` returns a value, each with its value. */
function valuesOf<T>(read: (route: Route) => T | undefined): [name: string, value: T][] {
  return routes
    .flatMap((route): [string, T][] => {
      const value = read(route);
      return value === undefined ? [] : [[route.name, value]];
    })
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** The media types of each route that has a body. */
const bodyTypes = valuesOf(({ body }) => body?.mediaTypes.join() || undefined);

const JSON_TYPES = ['application/json', 'application/json,application/merge-patch+json'];

test('these routes read a body that is not JSON and no others', () => {
  expect(bodyTypes.length).toBeGreaterThan(30);
  expect(bodyTypes.filter(([, types]) => !JSON_TYPES.includes(types))).toEqual([
    ['POST /api/v1/login/access-token', 'application/x-www-form-urlencoded,multipart/form-data'],
    ['POST /api/v2/auth/identities/return', 'application/x-www-form-urlencoded'],
    [
      'POST /api/v2/items/import',
      'application/octet-stream,application/x-ndjson,application/jsonl,text/csv',
    ],
  ]);
});

test('every PATCH reads merge patches and no other route does', () => {
  const patches = bodyTypes.filter(([name]) => name.startsWith('PATCH '));
  expect(patches.length).toBeGreaterThan(4);
  expect(bodyTypes.filter(([, types]) => types === JSON_TYPES[1])).toEqual(patches);
});

test('the successful responses of these routes are not JSON, those of no others', () => {
  expect(valuesOf(({ detail }) => detail.responseTypes)).toEqual([
    ['GET /api/v2/items/events', ['text/event-stream']],
    ['GET /api/v2/items/export', ['application/x-ndjson', 'text/csv']],
  ]);
});

test('these routes read a body of more than 16 KiB and no others', () => {
  const sizes = valuesOf(({ body }) => body?.maxBytes);
  expect(sizes.length).toBe(routes.length);
  expect(sizes.filter(([, size]) => size !== 16_384)).toEqual([
    ['PATCH /api/v2/items/:item_id', 262_144],
    ['PATCH /api/v2/sources/:name', 131_072],
    ['POST /api/v1/items/', 262_144],
    ['POST /api/v2/auth/passkeys', 65_536],
    ['POST /api/v2/auth/passkeys/login', 65_536],
    ['POST /api/v2/items', 262_144],
    ['POST /api/v2/items/batch', MAX_BODY_BYTES],
    ['POST /api/v2/sources', 131_072],
    ['POST /api/v2/sources/:name/dry-run', 131_072],
    ['POST /api/v2/sources/fetch', 131_072],
    ['PUT /api/v1/items/:item_id', 262_144],
  ]);
});

test('these routes read their body as a stream and no others', () => {
  expect(namesOf(({ body }) => body?.isStreamed)).toEqual(['POST /api/v2/items/import']);
});

test('these routes honour an Idempotency-Key and no others', () => {
  expect(namesOf(({ detail }) => detail.takesKey)).toEqual([
    'POST /api/v2/auth/identities',
    'POST /api/v2/auth/passkeys',
    'POST /api/v2/auth/register',
    'POST /api/v2/items',
    'POST /api/v2/items/:item_id/restore',
    'POST /api/v2/items/:item_id/revisions',
    'POST /api/v2/items/batch',
    'POST /api/v2/items/import',
    'POST /api/v2/sources',
    'POST /api/v2/tokens',
    'POST /api/v2/users',
    'POST /api/v2/webhooks',
    'POST /api/v2/webhooks/:webhook_id/deliveries/:delivery_id/replay',
    'POST /api/v2/webhooks/:webhook_id/rotate-secret',
    'POST /api/v2/webhooks/:webhook_id/test',
  ]);
});

test('an admin may call these routes before proving a second factor and no others', () => {
  expect(namesOf(({ detail }) => detail.isBeforeSecondFactor)).toEqual([
    'GET /api/v2/auth/passkeys',
    'GET /api/v2/auth/totp',
    'GET /api/v2/users/me',
    'POST /api/v2/auth/logout',
    'POST /api/v2/auth/passkeys',
    'POST /api/v2/auth/passkeys/options',
    'POST /api/v2/auth/second-factor',
    'POST /api/v2/auth/totp',
    'POST /api/v2/auth/totp/confirm',
  ]);
});

test('these routes are probes, which no limit refuses, and no others', () => {
  expect(namesOf(({ detail }) => detail.isProbe)).toEqual([
    'GET /health/live',
    'GET /health/ready',
  ]);
});
