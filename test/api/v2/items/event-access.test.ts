import { describe, expect, test } from 'bun:test';
import { queued, tokenIn } from '../../../smtp.ts';
import { NOBODY, openSession, PASSWORD, type TestApp } from '../../../support.ts';
import { listen, PATH, withAda } from './events-support.ts';

describe('a listener', () => {
  type Ada = Awaited<ReturnType<typeof withAda>>;
  type Act = (it: Ada) => Promise<unknown>;
  /** Changes made by another process, such as a command. */
  const acts: [string, Act][] = [
    ['is signed out', async ({ t }) => t.deps.db.client.run('delete from sessions')],
    ['is deactivated', async ({ t }) => t.deps.db.client.run('update users set is_active = 0')],
    ['becomes an admin', async ({ t }) => t.deps.db.client.run(`update users set role = 'admin'`)],
  ];
  // proves: sessions.every-request-reads-the-account-so-a-deactivation
  test.each(acts)(
    'who %s through another process is disconnected at the next heartbeat',
    async (_, act) => {
      await using it = await withAda({ config: { heartbeatSeconds: 1 } });
      const anonymous = await listen(it.t);
      const { next, block } = await listen(it.t, it.ada.token);
      expect((await block())?.comment).toBe('');
      await act(it);
      expect(await next()).toBeUndefined();
      expect((await anonymous.block())?.comment).toBe('');
    },
  );

  /** Ada ends her own access with the session that listens. */
  const own: [string, Act][] = [
    ['signs out', ({ ada }) => ada.client.api.v2.auth.logout.post()],
    ['ends that session', ({ ada }) => ada.client.api.v2.auth.sessions({ session_id: 1 }).delete()],
    ['deletes the account', ({ ada }) => ada.client.api.v2.users.me.delete({ password: PASSWORD })],
  ];
  /** Others end it, or ada does with another session. */
  const foreign: [string, Act][] = [
    ['ends the others', async (it) => (await another(it)).api.v2.auth.sessions.delete()],
    [
      'changes the password',
      async (it) =>
        (await another(it)).api.v2.users.me.password.put({
          current_password: PASSWORD,
          new_password: 'another-straw-1',
        }),
    ],
    ['resets the password', ({ t, ada }) => reset(t, ada.email)],
    ['has its sessions ended by an admin', async ({ t }) => admin(t, '/1/sessions', 'DELETE')],
    ['is deactivated by an admin', async ({ t }) => admin(t, '/1', 'PATCH', { is_active: false })],
    ['becomes an admin', async ({ t }) => admin(t, '/1', 'PATCH', { role: 'admin' })],
    ['is deleted by an admin', async ({ t }) => admin(t, '/1', 'DELETE')],
  ];
  const another = async ({ t, ada }: Ada) => t.clientFor(await openSession(t.deps, ada));
  const admin = async (t: TestApp, path: string, method: string, body?: object) => {
    const { token } = await t.signUp('root', 'admin');
    const answer = await t.request(method, `/api/v2/users${path}`, {
      token,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    expect(answer.ok).toBe(true);
  };
  const reset = async (t: TestApp, login: string) => {
    const { deps } = t;
    await deps.passwordRecovery.request(NOBODY, login);
    const [mail] = await queued(t);
    const token = tokenIn(mail?.text ?? '');
    await deps.passwordRecovery.reset(NOBODY, { token, new_password: 'another-straw-1' });
  };
  // proves: sessions.every-request-reads-the-account-so-a-deactivation
  test.each([...own, ...foreign])('who %s is disconnected at once', async (_, act) => {
    await using it = await withAda({ config: { heartbeatSeconds: 3600 } });
    const anonymous = await listen(it.t);
    const { next } = await listen(it.t, it.ada.token);
    await act(it);
    expect(await next()).toBeUndefined();
    expect(it.t.deps.itemEvents.listeners()).toBe(1);
    await anonymous.cancel();
  });

  test('whose token is deleted is disconnected at once, while the one with the session is not', async () => {
    await using it = await withAda({ config: { heartbeatSeconds: 3600 } });
    const { tokens } = it.ada.client.api.v2;
    const { data } = await tokens.post({ password: PASSWORD, name: 'x', scopes: ['items:read'] });
    const session = await listen(it.t, it.ada.token);
    const { next } = await listen(it.t, data?.token);
    await tokens({ token_id: data?.id ?? 0 }).delete();
    expect(await next()).toBeUndefined();
    await it.items.post({ title: 'a' });
    expect((await session.next())?.event).toBe('created');
  });

  test('with another session than the one that ends stays connected', async () => {
    await using it = await withAda({ config: { heartbeatSeconds: 3600 } });
    const other = await openSession(it.t.deps, it.ada);
    const listener = await listen(it.t, other);
    await it.ada.client.api.v2.auth.logout.post();
    await it.t.clientFor(other).api.v2.items.post({ title: 'a' });
    expect((await listener.next())?.event).toBe('created');
  });

  test('who may not see a change does not learn that there was one', async () => {
    await using it = await withAda({ config: { heartbeatSeconds: 1 } });
    const { block } = await listen(it.t);
    await it.items.post({ title: 'a', visibility: 'private' });
    expect(await block()).toEqual({ comment: '' });
    expect((await listen(it.t)).opening).toEqual({ retry: '3000', id: '0' });
    expect((await listen(it.t, undefined, '1')).opening).toEqual({ retry: '3000', id: '0' });
    expect((await listen(it.t, it.ada.token)).opening).toEqual({ retry: '3000', id: '1' });
  });

  test('is disconnected when the server stops', async () => {
    await using it = await withAda();
    const listener = await listen(it.t);
    it.t.deps.itemEvents.stop();
    expect(await listener.next()).toBeUndefined();
    expect((await it.t.request('GET', PATH)).status).toBe(503);
  });
});
