import { describe, expect, test } from 'bun:test';
import {
  type Access,
  accountRoutes,
  levelOf,
  optionalRoute,
  requireDeclaredAccess,
  userRoute,
} from '../../../src/api/plugins/access-rules.ts';
import { createApp } from '../../../src/app.ts';
import { testApp } from '../../support.ts';

/** Each route as `METHOD /path` with what it declares. */
async function declaredRoutes() {
  await using t = await testApp();
  return t.app.routes.map(({ method, path, hooks }) => ({
    name: `${method} ${path}`,
    access: hooks.detail.access as Access,
    scope: hooks.detail.scope as string | undefined,
  }));
}

const routes = await declaredRoutes();

function namesOf(...levels: Access[]): string[] {
  return routes
    .filter(({ access }) => levels.includes(access))
    .map(({ name }) => name)
    .toSorted();
}

describe('the access of routes', () => {
  // proves: sign-in-methods.there-is-no-other-way-to-sign-in
  // proves: permissions.each-route-declares-who-may-call-it-and, 6.3.4, 13.4.5
  test('these are public and no others', () => {
    expect(namesOf('public')).toEqual([
      'GET /',
      'GET /api/v1/items/',
      'GET /api/v1/items/:item_id',
      'GET /api/v1/items/popular',
      'GET /api/v2/auth/providers',
      'GET /api/v2/items/popular',
      'GET /api/v2/system/version',
      'GET /confirm-email',
      'GET /docs',
      'GET /docs/*',
      'GET /favicon.ico',
      'GET /health/live',
      'GET /health/ready',
      'GET /openapi.json',
      'GET /pages/*',
      'GET /reset',
      'GET /robots.txt',
      'GET /sign-in',
      'GET /swagger',
      'GET /verify',
      'POST /api/v1/login/access-token',
      'POST /api/v2/auth/email/confirm',
      'POST /api/v2/auth/identities/login',
      'POST /api/v2/auth/identities/login/options',
      'POST /api/v2/auth/identities/return',
      'POST /api/v2/auth/login',
      'POST /api/v2/auth/passkeys/login',
      'POST /api/v2/auth/passkeys/login/options',
      'POST /api/v2/auth/password/forgot',
      'POST /api/v2/auth/password/reset',
      'POST /api/v2/auth/verification/confirm',
    ]);
  });

  test('these are public while registration is open, otherwise for admins, and no others', () => {
    expect(namesOf('sign-up')).toEqual(['POST /api/v1/users/', 'POST /api/v2/auth/register']);
    expect([levelOf('sign-up', 'open'), levelOf('sign-up', 'closed')]).toEqual(['public', 'admin']);
  });

  test('these show signed-in callers more and no others', () => {
    expect(namesOf('optional')).toEqual([
      'GET /api/v2/items',
      'GET /api/v2/items/:item_id',
      'GET /api/v2/items/:item_id/stats',
      'GET /api/v2/items/events',
      'GET /api/v2/sources/:name',
      'POST /api/v2/auth/logout',
      'POST /api/v2/items/:item_id/views',
    ]);
  });

  // proves: permissions.each-route-declares-who-may-call-it-and
  test('these are for admins and no others', () => {
    expect(namesOf('admin')).toEqual([
      'DELETE /api/v2/jobs/:job_id',
      'DELETE /api/v2/sources/:name',
      'DELETE /api/v2/users/:user_id',
      'DELETE /api/v2/users/:user_id/sessions',
      'DELETE /api/v2/webhooks/:webhook_id',
      'GET /api/v1/users/',
      'GET /api/v2/audit-log',
      'GET /api/v2/jobs',
      'GET /api/v2/jobs/:job_id',
      'GET /api/v2/sources',
      'GET /api/v2/sources/:name/definition',
      'GET /api/v2/sources/:name/stats',
      'GET /api/v2/system/stats',
      'GET /api/v2/users',
      'GET /api/v2/users/:user_id',
      'GET /api/v2/users/:user_id/usage',
      'GET /api/v2/webhooks',
      'GET /api/v2/webhooks/:webhook_id',
      'GET /api/v2/webhooks/:webhook_id/deliveries',
      'GET /api/v2/webhooks/:webhook_id/deliveries/:delivery_id',
      'PATCH /api/v2/sources/:name',
      'PATCH /api/v2/users/:user_id',
      'PATCH /api/v2/users/:user_id/usage',
      'PATCH /api/v2/webhooks/:webhook_id',
      'POST /api/v2/jobs/:job_id/retry',
      'POST /api/v2/sources',
      'POST /api/v2/sources/:name/dry-run',
      'POST /api/v2/users',
      'POST /api/v2/webhooks',
      'POST /api/v2/webhooks/:webhook_id/deliveries/:delivery_id/replay',
      'POST /api/v2/webhooks/:webhook_id/rotate-secret',
      'POST /api/v2/webhooks/:webhook_id/test',
    ]);
  });

  // proves: permissions.each-route-declares-who-may-call-it-and
  test('personal access tokens need the recorded scope; routes for admins need the scope admin', () => {
    const scoped = routes.filter(({ access, scope }) => scope && access !== 'admin');
    expect(scoped.map(({ name, scope }) => `${name} ${scope}`).toSorted()).toMatchSnapshot();
    const ofAdmins = routes.filter(({ access }) => access === 'admin');
    expect(new Set(ofAdmins.map(({ scope }) => scope))).toEqual(new Set(['admin']));
  });

  // proves: permissions.each-route-declares-who-may-call-it-and, 8.2.1
  test('a server with a route that declares no access does not start, and names the route', async () => {
    await using t = await testApp();
    const app = createApp(t.deps)
      .get('/api/v2/forgotten', () => 'secret')
      .post('/api/v2/renamed', () => 'secret', { detail: { summary: 'Renamed' } as never });
    expect(() => requireDeclaredAccess(app)).toThrow(
      'declare no access (see api/plugins/access-rules.ts): GET /api/v2/forgotten, POST /api/v2/renamed',
    );
  });

  test('a server does not start with an open route whose handler needs an account', async () => {
    await using t = await testApp();
    const app = createApp(t.deps).use(
      accountRoutes({ prefix: '/api/v2/mine', tags: ['items'] })
        .get('', ({ actor }) => actor.id, { detail: optionalRoute('items:read', 'a', 'b') })
        .get('/well', ({ actor }) => actor.id, { detail: userRoute('items:read', 'c', 'd') }),
    );
    expect(() => requireDeclaredAccess(app)).toThrow(
      'are open but need an account (see api/plugins/access-rules.ts): GET /api/v2/mine',
    );
  });

  // proves: 8.2.1
  test('a route that declares no access admits nobody, not even admins', async () => {
    await using t = await testApp();
    const { token } = await t.signUp('root', 'admin');
    t.app.get('/api/v2/forgotten', () => 'secret');
    const answers = [
      await t.request('GET', '/api/v2/forgotten'),
      await t.request('GET', '/api/v2/forgotten', { token }),
      await t.request('HEAD', '/api/v2/forgotten', { token }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([500, 500, 500]);
    expect(t.logLines.join('')).toContain('GET /api/v2/forgotten declares no access');
  });

  test('every other route is 401 without credentials, with and without its slash', async () => {
    await using t = await testApp();
    const closed = routes.filter(({ access }) => access === 'user' || access === 'admin');
    expect(closed.length).toBeGreaterThan(40);
    for (const { name } of closed) {
      const [method = '', path = ''] = name.split(' ');
      const bare = path.replace(/:\w+/g, '1').replace(/\/$/, '');
      for (const url of [bare, `${bare}/`]) {
        const answer = await t.request(method, url);
        expect(`${method} ${url} ${answer.status}`).toBe(`${method} ${url} 401`);
        expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      }
    }
  });

  // proves: 16.5.3
  test('an asynchronous guard is awaited', async () => {
    await using t = await testApp();
    const { token } = await t.signUp('ada');
    const [user, admin] = await Promise.all([
      t.request('GET', '/api/v1/users/1', { token }),
      t.request('GET', '/api/v1/users/', { token }),
    ]);
    expect([user.status, admin.status]).toEqual([200, 403]);
  });

  // proves: sessions.demoted-to-user
  test('an account whose role is lowered is refused at its next request', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('root', 'admin');
    expect((await client.api.v1.users.get()).status).toBe(200);
    t.deps.db.client.run(`update users set role = 'user'`);
    expect((await client.api.v1.users.get()).status).toBe(403);
  });
});
