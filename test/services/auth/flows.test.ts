import { expect, test } from 'bun:test';
import { createAuthFlows } from '../../../src/services/auth/flows.ts';
import { testApp } from '../../support.ts';

test.each([
  ['passkey_login', 5],
  ['passkey_register', 5],
  ['oauth', 15],
  // proves: sign-in-methods.passkey-auth-passkeys-login, sign-in-methods.sign-in-provider-auth-identities-login
  // proves: data.sign-in-flows
] as const)('a flow of the kind %s ends after %d minutes', async (kind, minutes) => {
  let at = Date.parse('2026-01-01T00:00:00.000Z');
  await using t = await testApp();
  const flows = createAuthFlows({ db: t.deps.db, now: () => new Date(at) });
  const [early, late] = [await flows.begin(kind, null, 'a'), await flows.begin(kind, null, 'b')];
  at += minutes * 60_000 - 1;
  expect(await flows.take(kind, early)).toMatchObject({ data: 'a' });
  at += 1;
  await expect(flows.take(kind, late)).rejects.toMatchObject({ code: 'invalid_action_token' });
});
