import { expect, test } from 'bun:test';
import { atOnce, PASSWORD, testApp } from '../../support.ts';

const account = (index: number) => ({
  email: index % 2 ? 'Ada@example.com' : 'ada@EXAMPLE.com',
  username: `ada${index}`,
  password: PASSWORD,
});

// proves: 2.3.4
test('of 20 simultaneous sign-ups with one email exactly one wins, by the index', async () => {
  await using t = await testApp();
  const results = await atOnce(20, (index) => t.deps.users.create(account(index)));
  const wins = results.filter(({ status }) => status === 'fulfilled');
  expect(wins).toHaveLength(1);
  for (const result of results) {
    if (result.status === 'rejected') expect(result.reason.code).toBe('email_taken');
  }
  expect(t.deps.db.client.query('select count(*) from users').values()).toEqual([[1]]);
});

test('of 20 simultaneous sign-ups with one username exactly one wins', async () => {
  await using t = await testApp();
  const results = await atOnce(20, (index) =>
    t.deps.users.create({ email: `a${index}@example.com`, username: 'Ada', password: PASSWORD }),
  );
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

// proves: input.username
test('names are compared without case in any script', async () => {
  await using t = await testApp();
  await t.deps.users.create({ email: 'é@example.com', username: 'Élodie', password: PASSWORD });
  const again = t.deps.users.create({
    email: 'x@example.com',
    username: 'éLODIE',
    password: PASSWORD,
  });
  await expect(again).rejects.toMatchObject({ code: 'username_taken' });
});
