import { expect, test } from 'bun:test';
import { mailedToken, queued, tokenIn } from '../../smtp.ts';
import { NOBODY, PASSWORD, testApp } from '../../support.ts';
import { NEW_PASSWORD, outcome, resetToken, unconfirmed } from './support.ts';

// proves: input.mailed-token, 2.3.1
test('a token works once, and only for its own purpose', async () => {
  await using t = await testApp();
  const ada = await unconfirmed(t);
  const wish = { new_email: 'new@example.com', password: PASSWORD };
  await t.deps.emailChange.request(ada, wish);
  const change = await mailedToken(t, wish.new_email);
  const reset = await resetToken(t, 'ada', ada.email);
  const verify = (token: string) => outcome(t.deps.emailVerification.confirm(NOBODY, { token }));
  const set = (token: string) =>
    outcome(t.deps.passwordRecovery.reset(NOBODY, { token, new_password: NEW_PASSWORD }));
  const confirm = (token: string) =>
    outcome(t.deps.emailChange.confirm(NOBODY, { token, password: PASSWORD }));
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
test('a token is only in its mail: not in the tables, not in the log', async () => {
  await using t = await testApp({ logLevel: 'debug' });
  const ada = await unconfirmed(t);
  const reset = await resetToken(t, 'ada', ada.email);
  await t.deps.jobs.runDue();
  expect(await queued(t)).toEqual([]);
  const tables = ['users', 'action_tokens', 'audit_log', 'jobs', 'sessions'];
  const rows = tables.map((table) => t.deps.db.client.query(`select * from ${table}`).all());
  for (const token of [ada.mailed, reset]) {
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(JSON.stringify(rows)).not.toContain(token);
    expect(t.logLines.join('')).not.toContain(token);
  }
});

// proves: 1.1.2, 1.3.3, 1.3.7, 14.2.1
test('a mail names the app, has a link and no command, and escapes usernames', async () => {
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
