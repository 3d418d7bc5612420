import { describe, expect, test } from 'bun:test';
import { accessOf } from '../../src/api/access.ts';
import { testApp } from '../support.ts';

async function routeNames(): Promise<string[]> {
  await using t = await testApp();
  return t.app.routes.map(({ method, path }) => `${method} ${path}`);
}

describe('the access of routes', () => {
  test('these are public and no others', async () => {
    const open = (await routeNames()).filter((route) => accessOf('open')(route) === 'public');
    expect(open.toSorted()).toEqual([
      'GET /api/v1/items/',
      'GET /api/v1/items/:item_id',
      'GET /api/v1/items/popular',
      'GET /api/v2/auth/providers',
      'GET /api/v2/items/popular',
      'GET /api/v2/system/version',
      'GET /confirm-email',
      'GET /docs',
      'GET /docs/*',
      'GET /health/live',
      'GET /health/ready',
      'GET /openapi.json',
      'GET /pages/*',
      'GET /reset',
      'GET /sign-in',
      'GET /swagger',
      'GET /verify',
      'POST /api/v1/login/access-token',
      'POST /api/v1/users/',
      'POST /api/v2/auth/email/confirm',
      'POST /api/v2/auth/identities/login',
      'POST /api/v2/auth/identities/login/options',
      'POST /api/v2/auth/identities/return',
      'POST /api/v2/auth/login',
      'POST /api/v2/auth/passkeys/login',
      'POST /api/v2/auth/passkeys/login/options',
      'POST /api/v2/auth/password/forgot',
      'POST /api/v2/auth/password/reset',
      'POST /api/v2/auth/register',
      'POST /api/v2/auth/verification/confirm',
    ]);
  });

  test('these show more to who is known and no others', async () => {
    const some = (await routeNames()).filter((route) => accessOf('open')(route) === 'optional');
    expect(some.toSorted()).toEqual([
      'GET /api/v2/items',
      'GET /api/v2/items/:item_id',
      'GET /api/v2/items/:item_id/stats',
      'GET /api/v2/items/events',
      'GET /api/v2/sources/:name',
      'POST /api/v2/items/:item_id/views',
    ]);
  });

  test('these are for admins and no others', async () => {
    const admin = (await routeNames()).filter((route) => accessOf('open')(route) === 'admin');
    expect(admin.toSorted()).toEqual([
      'DELETE /api/v2/sources/:name',
      'DELETE /api/v2/users/:user_id',
      'DELETE /api/v2/users/:user_id/sessions',
      'GET /api/v1/users/',
      'GET /api/v2/audit-log',
      'GET /api/v2/sources',
      'GET /api/v2/sources/:name/definition',
      'GET /api/v2/sources/:name/stats',
      'GET /api/v2/system/stats',
      'GET /api/v2/users',
      'GET /api/v2/users/:user_id',
      'PATCH /api/v2/sources/:name',
      'PATCH /api/v2/users/:user_id',
      'POST /api/v2/sources',
      'POST /api/v2/sources/:name/dry-run',
      'POST /api/v2/users',
    ]);
  });

  test('a route that nobody listed needs a token', () => {
    expect(accessOf('open')('GET /api/v2/forgotten')).toBe('user');
  });

  test('every other route answers 401 to nobody, with and without its slash', async () => {
    await using t = await testApp();
    for (const { method, path } of t.app.routes) {
      if (/public|optional/.test(accessOf('open')(`${method} ${path}`))) continue;
      const bare = path.replace(/:\w+/g, '1').replace(/\/$/, '');
      for (const url of [bare, `${bare}/`]) {
        const answer = await t.request(method, url);
        expect(`${method} ${url} ${answer.status}`).toBe(`${method} ${url} 401`);
        expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      }
    }
  });

  test('a guard that has to wait is waited for', async () => {
    await using t = await testApp();
    const { token } = await t.signUp('ada');
    const [user, admin] = await Promise.all([
      t.request('GET', '/api/v1/users/1', { token }),
      t.request('GET', '/api/v1/users/', { token }),
    ]);
    expect([user.status, admin.status]).toEqual([200, 403]);
  });

  test('an account whose role is lowered is refused at its next request', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('root', 'admin');
    expect((await client.api.v1.users.get()).status).toBe(200);
    t.deps.db.client.run(`update users set role = 'user'`);
    expect((await client.api.v1.users.get()).status).toBe(403);
  });
});
