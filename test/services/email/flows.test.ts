import { describe, expect, test } from 'bun:test';
import type { Actor } from '../../../src/core/actor.ts';
import { createPasswordHasher } from '../../../src/core/security/security.ts';
import { mailedToken, queued, tokenIn } from '../../smtp.ts';
import { atOnce, NOBODY, nobodyAt, PASSWORD, type TestApp, testApp } from '../../support.ts';

const NEW_PASSWORD = 'beets-and-barley';
const HOUR_MS = 3_600_000;

/** An application whose clock the test moves. */
async function timedApp(options: Parameters<typeof testApp>[0] = {}) {
  const clock = { at: Date.parse('2026-11-22T16:00:00.000Z') };
  const t = await testApp({ ...options, now: () => new Date(clock.at) });
  return { t, clock, [Symbol.asyncDispose]: () => t[Symbol.asyncDispose]() };
}

/** An account that has asked for the mail to prove its address, with the token of that. */
async function unproved(t: TestApp, username = 'ada') {
  const user = await t.signUp(username);
  await t.deps.emailVerification.request(user);
  return { ...user, mailed: await mailedToken(t, user.email) };
}

async function forgotten(t: TestApp, login: string, email: string): Promise<string> {
  await t.deps.passwordRecovery.request(NOBODY, login);
  return mailedToken(t, email);
}

const code = (error: unknown) => (error as { code?: string }).code ?? 'none';
const refusal = (work: Promise<unknown>) => work.then(() => 'done', code);
const stored = (t: TestApp, id: number) =>
  t.deps.db.client.query('select * from users where id = ?').get(id) as Record<string, unknown>;
const actions = (t: TestApp) =>
  t.deps.db.client
    .query('select action from audit_log order by id')
    .values()
    .map(([action]) => String(action));
const count = (t: TestApp, table: string) =>
  Number(t.deps.db.client.query(`select count(*) from ${table}`).values()[0]?.[0]);

/** Every way into an account that somebody may have set up beforehand. */
async function setTraps(t: TestApp, user: Actor) {
  const { id } = user;
  const at = new Date().toISOString();
  await t.deps.accessTokens.create(user, { name: 'trap', scopes: ['users:read'] });
  const { client } = t.deps.db;
  client.run(
    `insert into passkeys (user_id, credential_id, public_key, counter, transports, name,
    created_at) values (?, 'c', x'00', 0, '[]', 'trap', ?)`,
    [id, at],
  );
  client.run(
    `insert into identities (user_id, provider, subject, created_at)
    values (?, 'google', 's', ?)`,
    [id, at],
  );
  client.run(
    `insert into totps (user_id, secret, confirmed_at, last_step, created_at)
    values (?, 'x', ?, 0, ?)`,
    [id, at, at],
  );
  client.run(`insert into recovery_codes (user_id, code_hash) values (?, 'h')`, [id]);
}
const TRAPS = ['sessions', 'access_tokens', 'passkeys', 'identities', 'totps', 'recovery_codes'];

describe('proving an address', () => {
  test('with the password everything is kept', async () => {
    await using t = await testApp();
    const ada = await unproved(t);
    await setTraps(t, ada);
    const proof = { token: ada.mailed, password: PASSWORD };
    expect(await t.deps.emailVerification.confirm(NOBODY, proof)).toEqual({
      kept: true,
      reset_token: null,
    });
    expect(TRAPS.map((table) => count(t, table))).toEqual([1, 1, 1, 1, 1, 1]);
    expect((await ada.client.api.v2.users.me.get()).data?.email_verified).toBe(true);
    expect(actions(t)).toContain('email.verified');
  });

  // proves: sessions.address-proved-without-the-password
  test('without it every way in that was made before ends, and a token opens a new one', async () => {
    await using t = await testApp();
    const ada = await unproved(t);
    await setTraps(t, ada);
    const wish = { new_email: 'eve@example.com', password: PASSWORD };
    await t.deps.emailChange.request(ada, wish);
    const stolen = await mailedToken(t, 'eve@example.com');
    const { kept, reset_token } = await t.deps.emailVerification.confirm(NOBODY, {
      token: ada.mailed,
    });
    expect(kept).toBe(false);
    expect(TRAPS.map((table) => count(t, table))).toEqual([0, 0, 0, 0, 0, 0]);
    expect(stored(t, ada.id)['password_hash']).toBeNull();
    const change = { token: stolen, password: PASSWORD };
    expect(await refusal(t.deps.emailChange.confirm(NOBODY, change))).toBe('invalid_action_token');
    const next = { token: String(reset_token), new_password: NEW_PASSWORD };
    await t.deps.passwordRecovery.reset(NOBODY, next);
    const login = { login: 'ada', password: NEW_PASSWORD };
    expect(await refusal(t.deps.auth.login(NOBODY, login))).toBe('done');
  });

  test('a wrong password is bad_credentials and does not use the token up', async () => {
    await using t = await testApp();
    const { mailed } = await unproved(t);
    const verify = (password: string) =>
      refusal(t.deps.emailVerification.confirm(NOBODY, { token: mailed, password }));
    expect(await verify('wrong-password')).toBe('bad_credentials');
    expect(await verify(PASSWORD)).toBe('done');
  });

  test('passwords are not guessed by it at a higher rate than at sign-in', async () => {
    await using t = await testApp();
    const { mailed } = await unproved(t);
    const guess = () =>
      refusal(t.deps.emailVerification.confirm(NOBODY, { token: mailed, password: 'x' }));
    const answers: string[] = [];
    for (let n = 0; n < 6; n++) answers.push(await guess());
    expect(answers.at(-1)).toBe('too_many_requests');
  });

  test('one that is proved already is not asked for again and ends nothing', async () => {
    await using t = await testApp();
    const ada = await unproved(t);
    t.deps.db.client.run(`update users set email_verified_at = created_at`);
    await t.deps.emailVerification.request(ada);
    expect(await queued(t)).toHaveLength(1);
    expect((await t.deps.emailVerification.confirm(NOBODY, { token: ada.mailed })).kept).toBe(true);
    expect(count(t, 'sessions')).toBe(1);
  });

  // proves: 2.3.4
  test('50 at once give one success', async () => {
    await using t = await testApp();
    const { mailed } = await unproved(t);
    const all = await atOnce(50, () =>
      refusal(t.deps.emailVerification.confirm(NOBODY, { token: mailed })),
    );
    const answers = all.map((it) => (it.status === 'fulfilled' ? it.value : 'threw')).toSorted();
    expect(answers).toEqual(['done', ...Array(49).fill('invalid_action_token')]);
    expect(actions(t).filter((action) => action === 'email.verified')).toHaveLength(1);
  });

  // proves: data.mailed-tokens
  test('a token that was asked for again ends the one before', async () => {
    await using t = await testApp();
    const ada = await unproved(t);
    await t.deps.emailVerification.request(ada);
    const again = await mailedToken(t, ada.email);
    const verify = (token: string) => refusal(t.deps.emailVerification.confirm(NOBODY, { token }));
    expect(await verify(ada.mailed)).toBe('invalid_action_token');
    expect(await verify(again)).toBe('done');
  });

  // proves: data.mailed-tokens
  test('the link works for 24 hours and no longer', async () => {
    await using it = await timedApp();
    const { t, clock } = it;
    const verify = (token: string) => refusal(t.deps.emailVerification.confirm(NOBODY, { token }));
    const [ada, bob] = [await unproved(t, 'ada'), await unproved(t, 'bob')];
    clock.at += 24 * HOUR_MS - 1;
    expect(await verify(ada.mailed)).toBe('done');
    clock.at += 1;
    expect(await verify(bob.mailed)).toBe('invalid_action_token');
  });
});

describe('a forgotten password', () => {
  // proves: ways-in.mailed-reset-link, 6.4.3
  test('is set anew: every session ends, nobody is signed in, the address is proved', async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    const token = await forgotten(t, 'ADA', ada.email);
    await t.deps.passwordRecovery.reset(NOBODY, { token, new_password: NEW_PASSWORD });
    expect(count(t, 'sessions')).toBe(0);
    expect(stored(t, ada.id)['email_verified_at']).toBeString();
    const login = (password: string) =>
      refusal(t.deps.auth.login(NOBODY, { login: 'ada', password }));
    expect([await login(PASSWORD), await login(NEW_PASSWORD)]).toEqual(['bad_credentials', 'done']);
    expect(actions(t)).toContain('password.reset');
    expect((await queued(t)).at(-1)?.subject).toBe('Your password was changed');
  });

  // proves: sessions.password-reset
  test('of an address that was not proved ends every way in that was made before', async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    await setTraps(t, ada);
    const token = await forgotten(t, 'ada', ada.email);
    await t.deps.passwordRecovery.reset(NOBODY, { token, new_password: NEW_PASSWORD });
    expect(TRAPS.map((table) => count(t, table))).toEqual([0, 0, 0, 0, 0, 0]);
  });

  // proves: ways-in.mailed-reset-link, sessions.password-reset, 6.4.3
  test('of a proved address keeps passkeys, and ends sessions and tokens', async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    await setTraps(t, ada);
    t.deps.db.client.run('update users set email_verified_at = created_at');
    const token = await forgotten(t, 'ada', ada.email);
    await t.deps.passwordRecovery.reset(NOBODY, { token, new_password: NEW_PASSWORD });
    expect(TRAPS.map((table) => count(t, table))).toEqual([0, 0, 1, 1, 1, 1]);
  });

  test('ends the other links that are under way', async () => {
    await using t = await testApp();
    const ada = await unproved(t);
    const wish = { new_email: 'new@example.com', password: PASSWORD };
    await t.deps.emailChange.request(ada, wish);
    const token = await forgotten(t, 'ada', ada.email);
    await t.deps.passwordRecovery.reset(NOBODY, { token, new_password: NEW_PASSWORD });
    expect(count(t, 'action_tokens')).toBe(0);
  });

  test('50 at once give one success', async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    const token = await forgotten(t, 'ada', ada.email);
    const all = await atOnce(50, (n) =>
      refusal(
        t.deps.passwordRecovery.reset(NOBODY, { token, new_password: `${NEW_PASSWORD}${n}` }),
      ),
    );
    const answers = all.map((it) => (it.status === 'fulfilled' ? it.value : 'threw'));
    expect(answers.filter((it) => it === 'done')).toHaveLength(1);
    expect(answers.filter((it) => it === 'invalid_action_token')).toHaveLength(49);
    expect(actions(t).filter((action) => action === 'password.reset')).toHaveLength(1);
  });

  test('a common password is weak_password and does not use the token up', async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    const token = await forgotten(t, 'ada', ada.email);
    const set = (new_password: string) =>
      refusal(t.deps.passwordRecovery.reset(NOBODY, { token, new_password }));
    expect(await set('password123')).toBe('weak_password');
    expect(await set(NEW_PASSWORD)).toBe('done');
  });

  // proves: ways-in.mailed-reset-link, data.mailed-tokens
  test('the link works for 30 minutes and no longer', async () => {
    await using it = await timedApp();
    const { t, clock } = it;
    const ada = await t.signUp('ada');
    const token = await forgotten(t, 'ada', ada.email);
    clock.at += HOUR_MS / 2;
    const next = { token, new_password: NEW_PASSWORD };
    expect(await refusal(t.deps.passwordRecovery.reset(NOBODY, next))).toBe('invalid_action_token');
  });

  // proves: input.mailed-token
  test('a link that was sent to an address that the account no longer has is dead', async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    const token = await forgotten(t, 'ada', ada.email);
    t.deps.db.client.run(`update users set email = 'b@example.com', email_key = 'b@example.com'`);
    const next = { token, new_password: NEW_PASSWORD };
    expect(await refusal(t.deps.passwordRecovery.reset(NOBODY, next))).toBe('invalid_action_token');
  });

  test('asking is noted for every login, known or not, and mails only an active account', async () => {
    await using t = await testApp();
    await t.signUp('ada');
    t.deps.db.client.run('update users set is_active = 0');
    for (const login of ['ada', 'nobody', 'nobody@example.com']) {
      await t.deps.passwordRecovery.request(NOBODY, login);
    }
    expect(await queued(t)).toEqual([]);
    expect(actions(t).filter((it) => it === 'password.reset_asked')).toHaveLength(3);
  });

  // proves: limits.to-a-proved-address-in-an-hour
  test('an account gets 5 mails an hour, which nobody is told of', async () => {
    await using t = await testApp();
    await t.signUp('ada');
    const ask = () => refusal(t.deps.passwordRecovery.request(NOBODY, 'ada'));
    const answers: string[] = [];
    for (let n = 0; n < 8; n++) answers.push(await ask());
    expect(new Set(answers)).toEqual(new Set(['done']));
    expect(await queued(t)).toHaveLength(5);
  });

  // proves: 2.3.2
  test('50 at once to one account send 5 mails', async () => {
    await using t = await testApp();
    await t.signUp('ada');
    await atOnce(50, () => t.deps.passwordRecovery.request(NOBODY, 'ada'));
    expect(await queued(t)).toHaveLength(5);
  });

  // proves: limits.mails-in-an-hour-that-an-address-asks
  test('an address that asks too often is told, whomever it asks for', async () => {
    await using t = await testApp({ config: { limitMails: 2 } });
    await t.signUp('ada');
    const ask = (login: string, address: string) =>
      refusal(t.deps.passwordRecovery.request(nobodyAt(address), login));
    await ask('ada', '2001:db8::1');
    await ask('nobody', '2001:db8::2');
    expect(await ask('nobody', '2001:db8::3')).toBe('too_many_requests');
    expect(await ask('ada', '2001:db8::4')).toBe('too_many_requests');
    expect(await ask('ada', '2001:db8:0:1::1')).toBe('done');
  });

  test('no limit holds when limits are off', async () => {
    await using t = await testApp({ config: { limitMails: 1, rateLimit: 'off' } });
    await t.signUp('ada');
    for (let n = 0; n < 3; n++) await t.deps.passwordRecovery.request(nobodyAt('::1'), 'ada');
    expect(await queued(t)).toHaveLength(3);
  });
});

describe('a change of address', () => {
  const wish = { new_email: 'new@example.com', password: PASSWORD };

  // proves: who-may-what.email, 7.5.1
  test('needs the password, then the link in the mail to the new one', async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    const wrong = { ...wish, password: 'wrong-password' };
    expect(await refusal(t.deps.emailChange.request(ada, wrong))).toBe('bad_credentials');
    await t.deps.emailChange.request(ada, wish);
    expect(stored(t, ada.id)['email']).toBe('ada@example.com');
    const token = await mailedToken(t, wish.new_email);
    await t.deps.emailChange.confirm(NOBODY, { token, password: PASSWORD });
    expect(stored(t, ada.id)).toMatchObject({ email: wish.new_email, email_key: wish.new_email });
    expect(stored(t, ada.id)['email_verified_at']).toBeString();
    expect(count(t, 'sessions')).toBe(1);
    const recipients = (await queued(t)).map(({ recipient }) => recipient);
    expect(recipients).toEqual([wish.new_email, 'ada@example.com']);
    expect(actions(t).slice(-2)).toEqual(['email.change_asked', 'email.changed']);
  });

  // proves: ways-in.whether-an-address-has-an-account
  test('to one that is taken is told to nobody but who reads its mail', async () => {
    await using t = await testApp();
    const [ada] = [await t.signUp('ada'), await t.signUp('new')];
    expect(await refusal(t.deps.emailChange.request(ada, wish))).toBe('done');
    const token = await mailedToken(t, wish.new_email);
    const proof = { token, password: PASSWORD };
    expect(await refusal(t.deps.emailChange.confirm(NOBODY, proof))).toBe('email_taken');
    expect(stored(t, ada.id)['email']).toBe('ada@example.com');
  });

  test('50 confirmations at once change it once', async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    await t.deps.emailChange.request(ada, wish);
    const token = await mailedToken(t, wish.new_email);
    const proof = { token, password: PASSWORD };
    const all = await atOnce(50, () => t.deps.emailChange.confirm(NOBODY, proof));
    expect(all.filter((it) => it.status === 'fulfilled')).toHaveLength(1);
    expect(actions(t).filter((action) => action === 'email.changed')).toHaveLength(1);
  });

  test('is confirmed with the password of the account that asked, not by who reads the mail', async () => {
    await using t = await testApp();
    const [eve, ada] = [await t.signUp('eve'), await t.signUp('ada')];
    t.deps.db.client.run(`update users set password_hash = ? where id = ?`, [
      await createPasswordHasher({ concurrency: 1, memoryKib: 8 }).hash(NEW_PASSWORD),
      ada.id,
    ]);
    const lure = { new_email: 'carol@example.com', password: PASSWORD };
    await t.deps.emailChange.request(eve, lure);
    const token = await mailedToken(t, lure.new_email);
    const confirm = (password: string) =>
      refusal(t.deps.emailChange.confirm(NOBODY, { token, password }));
    expect(await confirm(NEW_PASSWORD)).toBe('bad_credentials');
    expect(stored(t, eve.id)['email']).toBe('eve@example.com');
    expect(await confirm(PASSWORD)).toBe('done');
  });

  test('is no way to guess passwords at a higher rate than at sign-in', async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    await t.deps.emailChange.request(ada, wish);
    const token = await mailedToken(t, wish.new_email);
    const guess = () => refusal(t.deps.emailChange.confirm(NOBODY, { token, password: 'x' }));
    const answers: string[] = [];
    for (let n = 0; n < 6; n++) answers.push(await guess());
    expect(answers).toEqual([...Array(5).fill('bad_credentials'), 'too_many_requests']);
  });
});

// proves: input.mailed-token, 2.3.1
test('a token serves no purpose but its own, and none twice', async () => {
  await using t = await testApp();
  const ada = await unproved(t);
  const wish = { new_email: 'new@example.com', password: PASSWORD };
  await t.deps.emailChange.request(ada, wish);
  const change = await mailedToken(t, wish.new_email);
  const reset = await forgotten(t, 'ada', ada.email);
  const verify = (token: string) => refusal(t.deps.emailVerification.confirm(NOBODY, { token }));
  const set = (token: string) =>
    refusal(t.deps.passwordRecovery.reset(NOBODY, { token, new_password: NEW_PASSWORD }));
  const confirm = (token: string) =>
    refusal(t.deps.emailChange.confirm(NOBODY, { token, password: PASSWORD }));
  for (const token of [reset, change, 'made-up']) {
    expect(await verify(token)).toBe('invalid_action_token');
  }
  for (const token of [ada.mailed, change]) expect(await set(token)).toBe('invalid_action_token');
  for (const token of [ada.mailed, reset]) {
    expect(await confirm(token)).toBe('invalid_action_token');
  }
  expect([await confirm(change), await confirm(change)]).toEqual(['done', 'invalid_action_token']);
});

// proves: cryptography.session-access-mailed-and-flow-tokens, data.secret-hashed, 14.2.4, 16.2.3
test('a token is in its mail alone: not in the tables, not in the log', async () => {
  await using t = await testApp({ logLevel: 'debug' });
  const ada = await unproved(t);
  const reset = await forgotten(t, 'ada', ada.email);
  await t.deps.mails.sendDue();
  expect(await queued(t)).toEqual([]);
  const tables = ['users', 'action_tokens', 'audit_log', 'mails', 'sessions'];
  const rows = tables.map((table) => t.deps.db.client.query(`select * from ${table}`).all());
  for (const token of [ada.mailed, reset]) {
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(JSON.stringify(rows)).not.toContain(token);
    expect(t.logLines.join('')).not.toContain(token);
  }
});

// proves: 1.1.2, 1.3.3, 1.3.7, 14.2.1
test('a mail names the app, holds a link and no command, and escapes what people chose', async () => {
  const config = { publicUrl: 'https://api.example.com', appName: 'Warren & Co' };
  await using t = await testApp({ config });
  const username = '<b>see evil.com/x';
  const email = 'ada@example.com';
  await t.deps.signUp.create(NOBODY, { email, username, password: NEW_PASSWORD });
  const [mail] = await queued(t);
  const token = tokenIn(String(mail?.text));
  expect(mail?.text).toContain(`\nhttps://api.example.com/verify#token=${token}\n`);
  expect(mail?.text).toContain('If the link does not open, copy it');
  expect(mail?.text).toContain('at Warren & Co');
  expect(mail?.text).toContain('everything that was set up before you confirm ends');
  expect(mail?.text.split(token)).toHaveLength(2);
  expect(`${mail?.text}${mail?.html}`).not.toMatch(/curl|POST|\/api\/|Hutch/);
  expect(mail?.html).toContain('Warren &amp; Co');
  expect(mail?.html).toContain('&lt;b&gt;see evil·com·x');
  expect(mail?.html).not.toContain('<b>');
});
