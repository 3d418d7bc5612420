import { describe, expect, test } from 'bun:test';
import { outsidersApp, person } from '../../../outsiders.ts';
import { queued } from '../../../smtp.ts';
import { PASSWORD } from '../../../support.ts';

const ada = person('ada');
const grace = person('grace');

describe('linking', () => {
  test('lets the identity sign in to the account, even with a different address', async () => {
    await using o = await outsidersApp();
    const bob = await o.t.signUp('bob');
    const { status, data } = await o.link(bob.client, ada, PASSWORD);
    expect(status).toBe(201);
    expect(data).toMatchObject({ provider: 'oidc', email: ada.email });
    expect((await o.signIn(ada)).data?.account.id).toBe(bob.id);
    expect(await o.actions()).toContain('identity.linked');
  });

  test('requires the password', async () => {
    await using o = await outsidersApp();
    const { client } = await o.t.signUp('bob');
    const response = await o.link(client, ada, 'not-the-one');
    expect(response.error?.value).toMatchObject({ code: 'bad_credentials' });
  });

  test('is a conflict for an identity that this or another account has linked', async () => {
    await using o = await outsidersApp();
    const bob = await o.t.signUp('bob');
    const eve = await o.t.signUp('eve');
    expect((await o.link(bob.client, ada, PASSWORD)).status).toBe(201);
    for (const { client } of [bob, eve]) {
      const response = await o.link(client, ada, PASSWORD);
      expect(response.status).toBe(409);
      expect(response.error?.value).toMatchObject({ code: 'conflict' });
    }
    expect((await o.signIn(ada)).data?.account.id).toBe(bob.id);
  });

  // proves: limits.accounts-at-sign-in-providers-that-are-linked
  test('is refused beyond the quota, and allowed again after one is unlinked', async () => {
    await using o = await outsidersApp({ quotaIdentities: 1 });
    const bob = await o.t.signUp('bob');
    const { data } = await o.link(bob.client, ada, PASSWORD);
    const refused = await o.link(bob.client, grace, PASSWORD);
    expect([refused.status, refused.error?.value]).toMatchObject([
      403,
      { code: 'quota_exceeded', quota: { name: 'identities', limit: 1, used: 1 } },
    ]);
    const usage = await bob.client.api.v2.users.me.usage.get();
    expect(usage.data?.identities).toEqual({ used: 1, limit: 1 });
    const { identities } = bob.client.api.v2.auth;
    await identities({ identity_id: (data as { id: number }).id }).delete();
    expect((await o.link(bob.client, grace, PASSWORD)).status).toBe(201);
  });

  // proves: limits.accounts-at-sign-in-providers-that-are-linked
  test('counts towards the quota also when a sign-in links the identity', async () => {
    await using o = await outsidersApp({ quotaIdentities: 1 });
    const { data } = await o.signIn(ada);
    const signedUp = o.t.clientFor(data?.token);
    expect((await signedUp.api.v2.users.me.usage.get()).data?.identities.used).toBe(1);
    const sameAddress = { ...ada, sub: 'another-ada' };
    expect((await o.signIn(sameAddress)).error?.value).toMatchObject({
      code: 'quota_exceeded',
      quota: { name: 'identities', limit: 1, used: 1 },
    });
    expect((await o.signIn(ada)).status).toBe(200);
  });

  // proves: input.code-of-a-provider
  test('must be completed by the account that started it', async () => {
    await using o = await outsidersApp();
    const bob = await o.t.signUp('bob');
    const eve = await o.t.signUp('eve');
    const begin = bob.client.api.v2.auth.identities.options;
    const { data } = await begin.post({ provider: 'oidc', password: PASSWORD });
    const back = await o.openid.browse(data?.authorization_url ?? '', ada);
    const code = back.searchParams.get('code') ?? '';
    const state = back.searchParams.get('state') ?? '';
    const callback = { flow: data?.flow ?? '', code, state };
    expect((await eve.client.api.v2.auth.identities.post(callback)).status).toBe(400);
  });
});

describe('unlinking', () => {
  // proves: logs.audit-log-actor-action-target-origin-time-request
  test('ends sign-in with that identity', async () => {
    await using o = await outsidersApp();
    const bob = await o.t.signUp('bob');
    const { data } = await o.link(bob.client, ada, PASSWORD);
    const { identities } = bob.client.api.v2.auth;
    const own = identities({ identity_id: (data as { id: number }).id });
    expect((await own.delete()).status).toBe(204);
    expect((await identities.get()).data).toEqual({ data: [] });
    expect((await queued(o.t)).map(({ subject }) => subject)).toEqual([
      'A sign-in with another service was added to your account',
      'A sign-in with another service was removed from your account',
    ]);
    expect((await own.delete()).status).toBe(404);
    expect((await o.signIn(ada)).data?.account.id).not.toBe(bob.id);
    expect(await o.actions()).toContain('identity.unlinked');
  });

  // proves: permissions.sessions-tokens-passkeys-identities
  test('returns 404 for an identity of another account', async () => {
    await using o = await outsidersApp();
    const bob = await o.t.signUp('bob');
    const eve = await o.t.signUp('eve');
    const { data } = await o.link(bob.client, ada, PASSWORD);
    const { identities } = eve.client.api.v2.auth;
    const theirs = identities({ identity_id: (data as { id: number }).id });
    expect((await theirs.delete()).status).toBe(404);
  });

  test('is a conflict for the last way to sign in', async () => {
    await using o = await outsidersApp();
    const { data } = await o.signIn(ada);
    const { identities } = o.t.clientFor(data?.token).api.v2.auth;
    const own = identities({ identity_id: 1 });
    const { status, error } = await own.delete();
    expect(status).toBe(409);
    expect(error?.value).toMatchObject({ code: 'conflict' });
    expect((await identities.get()).data?.data).toHaveLength(1);

    // An identity of a provider that is no longer configured does not count; a passkey does.
    const { client } = o.t.deps.db;
    client.run("insert into identities values (9, 1, 'google', 'x', null, '')");
    expect((await own.delete()).status).toBe(409);
    client.run(
      `insert into passkeys (user_id, credential_id, public_key, counter, transports, name, created_at)
       values (1, 'x', x'00', 0, '[]', 'laptop', '')`,
    );
    expect((await own.delete()).status).toBe(204);
  });
});
