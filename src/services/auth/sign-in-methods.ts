import { eq } from 'drizzle-orm';
import type { Tx } from '../../core/db/writer.ts';
import { accessTokens } from '../../models/access-tokens.ts';
import { authFlows } from '../../models/auth-flows.ts';
import { identities } from '../../models/identities.ts';
import { passkeys } from '../../models/passkeys.ts';
import { sessions } from '../../models/sessions.ts';
import { recoveryCodes, totps } from '../../models/totp.ts';
import { updateUser } from '../accounts/rows.ts';
import type { AccessChanges } from './access-changes.ts';

/**
 * Ends everything but the password that signs in to an account. For an account whose address is
 * confirmed only now: somebody may have signed up with another person's address and prepared a way
 * to get in later (pre-hijacking).
 */
export async function endSignInMethods(
  { accessChanges }: { accessChanges: AccessChanges },
  tx: Tx,
  user_id: number,
): Promise<void> {
  const { orm } = tx;
  accessChanges.note(tx, user_id);
  await orm.delete(sessions).where(eq(sessions.user_id, user_id));
  await orm.delete(accessTokens).where(eq(accessTokens.user_id, user_id));
  await orm.delete(passkeys).where(eq(passkeys.user_id, user_id));
  await orm.delete(identities).where(eq(identities.user_id, user_id));
  await orm.delete(totps).where(eq(totps.user_id, user_id));
  await orm.delete(recoveryCodes).where(eq(recoveryCodes.user_id, user_id));
  await orm.delete(authFlows).where(eq(authFlows.user_id, user_id));
  await updateUser(tx, user_id, { device_key: null });
}
