import { describe, expect, test } from 'bun:test';
import { testApp } from '../../../support.ts';

const ADA = { email: 'ada@example.com', username: 'ada', password: 'beets-and-barley' };

/** Returns the status of a sign-up and the fields of its errors. */
async function signUp(fields: Partial<typeof ADA>) {
  await using t = await testApp();
  const answer = await t.json('POST', '/api/v2/auth/register', { ...ADA, ...fields });
  const { errors = [] } = (await answer.json()) as { errors?: { path: string }[] };
  return { status: answer.status, paths: errors.map(({ path }) => path) };
}

const refused = (field: string) => ({ status: 422, paths: [`body.${field}`] });
const accepted = { status: 201, paths: [] };

/** An address of `length` characters. */
const addressOf = (length: number) =>
  `ada@${`${'a'.repeat(49)}.`.repeat(5).slice(0, length - 8)}.com`;

describe('an account', () => {
  test.each([
    'nobody',
    'ada@example',
    'ada@@example.com',
    '"ada b"@example.com',
    '.ada@example.com',
    'a..b@example.com',
    'ada @example.com',
    'ada@-example.com',
    'ada@127.0.0.1',
    'ａda@example.com',
    addressOf(255),
    // proves: input.email
  ])('refuses the email %j', async (email) => {
    expect(await signUp({ email })).toEqual(refused('email'));
  });

  test.each([
    'ada+hutch@mail.example.com',
    'jürgen@bücher.example',
    addressOf(254),
    ` ${addressOf(254)}\n`,
    // proves: input.email
  ])('accepts the email %j', async (email) => {
    expect(await signUp({ email })).toEqual(accepted);
  });

  test('counts the characters of a username without surrounding blanks', async () => {
    expect(await signUp({ username: ' ab ' })).toEqual(refused('username'));
    expect(await signUp({ username: ` ${'a'.repeat(50)} ` })).toEqual(accepted);
  });

  // proves: input.username
  test.each([2, 51])('refuses a username of %d characters', async (length) => {
    expect(await signUp({ username: '🐇'.repeat(length) })).toEqual(refused('username'));
  });

  // proves: input.password
  test.each([7, 129])('refuses a password of %d characters', async (length) => {
    expect(await signUp({ password: '🐇'.repeat(length) })).toEqual(refused('password'));
  });

  // proves: input.password
  test.each([8, 128])('accepts a password of %d characters', async (length) => {
    expect(await signUp({ password: '🐇'.repeat(length) })).toEqual(accepted);
  });
});
