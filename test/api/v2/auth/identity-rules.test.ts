import { describe, expect, test } from 'bun:test';
import { outsidersApp, person, setVerified, turnTotpOn } from '../../../outsiders.ts';
import { queued } from '../../../smtp.ts';
import { PASSWORD } from '../../../support.ts';

const ada = person('ada');
const unverified = person('ada', { email_verified: false });

/** The credentials of a password sign-in, which may no longer work. */
const credentials = { login: 'ada', password: PASSWORD };

describe('an outsider whose provider verified the address', () => {
  // proves: sign-in-methods.and-an-existing-account-with-that-address
  test('gets the account with the same verified address unchanged', async () => {
    await using o = await outsidersApp();
    const own = await o.t.signUp('ada');
    setVerified(o.t, 'ada');
    const { data } = await o.signIn({ ...ada, email: 'ADA@example.com' });
    expect(data?.account).toMatchObject({ id: own.id, has_password: true });
    expect((await own.client.api.v2.users.me.get()).status).toBe(200);
  });

  // proves: sign-in-methods.and-an-existing-account-with-that-address
  test('must sign in and link if the account has an authenticator', async () => {
    await using o = await outsidersApp();
    const { id } = await o.t.signUp('ada');
    setVerified(o.t, 'ada');
    turnTotpOn(o.t, id);
    const { status, error } = await o.signIn(ada);
    expect(status).toBe(409);
    expect(error?.value).toMatchObject({ code: 'conflict' });
    expect(await o.actions()).not.toContain('identity.linked');
  });

  // proves: sign-in-methods.and-an-existing-account-with-that-address
  test('needs no code once the account is linked', async () => {
    await using o = await outsidersApp();
    const own = await o.t.signUp('ada');
    await o.link(own.client, ada, PASSWORD);
    turnTotpOn(o.t, own.id);
    expect((await o.signIn(ada)).data?.account.id).toBe(own.id);
  });

  test('takes over the account from someone who never verified the address', async () => {
    await using o = await outsidersApp();
    const hijacker = await o.t.signUp('ada');
    await o.link(hijacker.client, person('eve'), PASSWORD);
    turnTotpOn(o.t, hijacker.id);
    const token = { name: 'later', scopes: ['users:read' as const], password: PASSWORD };
    const created = await hijacker.client.api.v2.tokens.post(token);

    const { data } = await o.signIn(ada);
    expect(data?.account).toMatchObject({ id: hijacker.id, email_verified: true });
    expect(data?.account.has_password).toBe(false);
    expect((await hijacker.client.api.v2.users.me.get()).status).toBe(401);
    const byToken = o.t.clientFor(created.data?.token).api.v2.users.me;
    expect((await byToken.get()).status).toBe(401);
    expect((await o.t.client.api.v2.auth.login.post(credentials)).status).toBe(401);
    expect((await o.signIn(person('eve'))).data?.account.id).not.toBe(hijacker.id);
    const { count } = o.t.deps.db.client.query('select count(*) as count from totps').get() as {
      count: number;
    };
    expect(count).toBe(0);
  });

  test('invalidates earlier mailed links of that account', async () => {
    await using o = await outsidersApp();
    await o.t.client.api.v2.auth.register.post({
      ...{ email: 'ada@example.com', username: 'ada', password: 'oats-and-barley-9' },
    });
    const left = () => o.t.deps.db.client.query('select purpose from action_tokens').values();
    expect(left()).toEqual([['verify_email']]);
    await o.signIn(ada);
    expect(left()).toEqual([]);
  });

  // proves: sign-in-methods.and-an-existing-account-with-that-address
  test('does not get an admin account that the operator created', async () => {
    await using o = await outsidersApp();
    await o.t.signUp('ada', 'admin');
    expect((await o.signIn(ada)).status).toBe(409);
    expect((await o.t.client.api.v2.auth.login.post(credentials)).status).toBe(200);
  });

  test.each([true, false])(
    'is refused if the account is inactive (linked: %p)',
    async (isLinked) => {
      await using o = await outsidersApp();
      const { client } = await o.t.signUp('ada');
      if (isLinked) await o.link(client, ada, PASSWORD);
      o.t.deps.db.client.run('update users set is_active = 0');
      const { status, error } = await o.signIn(ada);
      expect(status).toBe(403);
      expect(error?.value).toMatchObject({ code: 'inactive_user' });
      const { password_hash } = (await o.t.deps.users.findByLogin('ada')) ?? {};
      expect(password_hash).toBeString();
    },
  );

  test('gets only an existing account if registration is closed', async () => {
    await using o = await outsidersApp({ registration: 'closed' });
    const { status, error } = await o.signIn(ada);
    expect(status).toBe(403);
    expect(error?.value).toMatchObject({ code: 'forbidden' });
    await o.t.signUp('ada');
    setVerified(o.t, 'ada');
    expect((await o.signIn(ada)).status).toBe(200);
  });
});

describe('an outsider whose provider did not verify the address', () => {
  test('gets a new account and a verification mail', async () => {
    await using o = await outsidersApp();
    const { data } = await o.signIn(unverified);
    expect(data?.account).toMatchObject({ email_verified: false, has_password: false });
    expect(await queued(o.t)).toMatchObject([{ recipient: 'ada@example.com' }]);
  });

  // proves: sign-in-methods.and-an-existing-account-with-that-address, 6.8.1
  test('never gets an existing account', async () => {
    await using o = await outsidersApp();
    for (const isVerified of [true, false]) {
      if (isVerified) await o.t.signUp('ada');
      setVerified(o.t, 'ada', isVerified);
      const { status, error } = await o.signIn(unverified);
      expect(status).toBe(409);
      expect(error?.value).toMatchObject({ code: 'email_taken' });
    }
    expect(await o.actions()).not.toContain('identity.linked');
  });

  test('cannot find out whether an address is taken if verification is required', async () => {
    await using o = await outsidersApp({ emailVerification: 'required' });
    await o.t.signUp('bob');
    const responses = [
      await o.signIn(unverified),
      await o.signIn(person('bob', { email_verified: false })),
    ];
    const [free, taken] = responses.map(({ status, error }) => {
      const problem = { ...(error?.value as object), request_id: 'x' };
      return { status, problem };
    });
    expect(free).toMatchObject({ status: 403, problem: { code: 'email_unverified' } });
    expect(taken).toEqual(free as typeof taken & {});
    const recipients = (await queued(o.t)).map(({ recipient }) => recipient);
    expect(recipients).toEqual(['ada@example.com', 'bob@example.com']);
  });

  test('cannot find it out if registration is closed', async () => {
    await using o = await outsidersApp({ registration: 'closed' });
    await o.t.signUp('bob');
    expect((await o.signIn(unverified)).status).toBe(403);
    expect((await o.signIn(person('bob', { email_verified: false }))).status).toBe(403);
  });

  test('has a verified address once the provider verifies it', async () => {
    await using o = await outsidersApp({ emailVerification: 'required' });
    expect((await o.signIn(unverified)).status).toBe(403);
    const { data } = await o.signIn(ada);
    expect(data?.account).toMatchObject({ email: ada.email, email_verified: true });
  });
});

test('an outsider without an address is refused', async () => {
  await using o = await outsidersApp();
  const { status, error } = await o.signIn({ sub: 'x', preferred_username: 'x' });
  expect(status).toBe(409);
  expect(error?.value).toMatchObject({ code: 'conflict' });
});

test('a username is derived from the profile and is unique', async () => {
  await using o = await outsidersApp();
  const names: [string, RegExp][] = [
    ['ada', /^ada$/],
    ['Ada', /^Ada-\d{6}$/],
    ['al', /^al-\d{6}$/],
    ['Ada Lovelace ✨', /^Ada-Lovelace-$/],
    ['eve@other.example.com', /^eve$/],
    ['✨', /^mail5$/],
    ['x'.repeat(90), /^x{43}$/],
  ];
  for (const [index, [preferred_username, expected]] of names.entries()) {
    const who = person(`mail${index}`, { preferred_username });
    expect((await o.signIn(who)).data?.account.username).toMatch(expected);
  }
});
