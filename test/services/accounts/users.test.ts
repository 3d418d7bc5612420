import { expect, test } from 'bun:test';
import { atOnce, PASSWORD, testApp } from '../../support.ts';

const account = (index: number) => ({
  email: index % 2 ? 'Ada@example.com' : 'ada@EXAMPLE.com',
  username: `ada${index}`,
  password: PASSWORD,
});

/** The codes with which calls failed. */
const failures = (results: PromiseSettledResult<unknown>[]) =>
  results.flatMap((it) => (it.status === 'rejected' ? [it.reason.code] : []));

// proves: 2.3.4
test('of 20 simultaneous sign-ups with one email one succeeds, and the others are email_taken', async () => {
  await using t = await testApp();
  const results = await atOnce(20, (index) => t.deps.users.create(account(index)));
  expect(failures(results)).toEqual(Array(19).fill('email_taken'));
  expect(t.deps.db.client.query('select count(*) from users').values()).toEqual([[1]]);
});

test('of 20 simultaneous sign-ups with one username one succeeds, and the others are username_taken', async () => {
  await using t = await testApp();
  const results = await atOnce(20, (index) =>
    t.deps.users.create({ email: `a${index}@example.com`, username: 'Ada', password: PASSWORD }),
  );
  expect(failures(results)).toEqual(Array(19).fill('username_taken'));
});

// proves: input.username
test('names are compared ignoring case in any script', async () => {
  await using t = await testApp();
  await t.deps.users.create({ email: 'é@example.com', username: 'Élodie', password: PASSWORD });
  const again = t.deps.users.create({
    email: 'x@example.com',
    username: 'éLODIE',
    password: PASSWORD,
  });
  await expect(again).rejects.toMatchObject({ code: 'username_taken' });
});
