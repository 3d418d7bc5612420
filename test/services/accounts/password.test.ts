import { describe, expect, test } from 'bun:test';
import { isCommonPassword } from '../../../src/core/security/common-passwords.ts';
import { weaknessOf } from '../../../src/services/accounts/password.ts';
import { PASSWORD, testApp } from '../../support.ts';

const ada = { email: 'Ada.Lovelace@example.com', username: 'Enchantress' };
const STRONG = 'beets-and-barley';

describe('the list of common passwords', () => {
  // proves: passwords.a-password-has-8-to-128-characters-of, 6.2.4
  test('has 10,000 entries of at least 8 characters, in lower case', async () => {
    const text = await Bun.file('src/core/security/common-passwords.txt').text();
    const lines = text.trimEnd().split('\n');
    expect(new Set(lines).size).toBe(10_000);
    expect(lines.filter((it) => [...it].length < 8 || it !== it.toLowerCase())).toEqual([]);
  });

  test('is compared ignoring case', () => {
    expect(['password123', 'PASSWORD123', '12345678'].map(isCommonPassword)).not.toContain(false);
    expect(isCommonPassword(STRONG)).toBe(false);
  });
});

describe('the password policy', () => {
  test.each([
    'Ada.Lovelace@example.com',
    'ada.LOVELACE@example.com',
    'ada.lovelace',
    'enchantress',
    // proves: input.password-and-its-account, passwords.a-password-has-8-to-128-characters-of, 2.2.3
    // proves: 6.2.11
  ])('refuses %s, which is a name of its owner', (password) => {
    expect(weaknessOf(password, ada)).toContain('email or the username');
  });

  // proves: passwords.a-password-has-8-to-128-characters-of, 6.2.5
  test('accepts other passwords, also one that only contains a name', () => {
    expect(weaknessOf(STRONG, ada)).toBeUndefined();
    expect(weaknessOf('enchantress of number', ada)).toBeUndefined();
  });

  // proves: passwords.a-password-has-8-to-128-characters-of, 6.2.4
  test('applies to sign-up in v2, and names the refused field', async () => {
    await using t = await testApp();
    const { error } = await t.client.api.v2.auth.register.post({ ...ada, password: PASSWORD });
    expect(error?.status).toBe(422);
    expect(error?.value).toMatchObject({
      code: 'weak_password',
      errors: [{ path: 'body.password', code: 'weak_password' }],
    });
    const { status } = await t.client.api.v2.auth.register.post({ ...ada, password: STRONG });
    expect(status).toBe(201);
  });

  test('applies to a changed password', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('enchantress');
    const change = (new_password: string) =>
      client.api.v2.users.me.password.put({ current_password: PASSWORD, new_password });
    const { error } = await change('EnchanTress');
    expect(error?.value).toMatchObject({
      code: 'weak_password',
      errors: [{ path: 'body.new_password' }],
    });
    expect((await change(STRONG)).status).toBe(204);
  });

  // proves: passwords.a-password-has-8-to-128-characters-of
  test('does not apply to v1, which follows its guide', async () => {
    await using t = await testApp();
    const { status } = await t.client.api.v1.users.post({ ...ada, password: PASSWORD });
    expect(status).toBe(200);
  });
});
