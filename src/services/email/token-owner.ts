import type { Session } from '../../core/db/db.ts';
import { AppError } from '../../core/exceptions.ts';
import type { ActionToken } from '../../models/action-tokens.ts';
import type { User } from '../../models/users.ts';
import { emailKey } from '../../utils/text/email.ts';
import { findUser } from '../accounts/rows.ts';
import { invalidActionToken } from '../auth/action-tokens.ts';
import { type PasswordProofDeps, provePassword } from '../auth/proof.ts';

/** Returns the account of a token. Throws invalid_action_token if it was deleted. */
export async function tokenOwner(session: Session, { user_id }: ActionToken): Promise<User> {
  const user = await findUser(session, user_id);
  if (!user) throw invalidActionToken();
  return user;
}

/** Returns the account of a token. Throws invalid_action_token if it no longer has that address. */
export async function addressOwner(session: Session, token: ActionToken): Promise<User> {
  const user = await tokenOwner(session, token);
  if (user.email_key !== emailKey(token.email)) throw invalidActionToken();
  return user;
}

/**
 * Returns the stored hash if `password` belongs to the account of a live token. Failures count per
 * token. Throws invalid_action_token if the account was deleted, bad_credentials, too_many_requests,
 * overloaded.
 */
export async function proveTokenOwner(
  deps: PasswordProofDeps,
  token: ActionToken,
  password: string,
): Promise<string> {
  const user = await tokenOwner(deps.db.read, token);
  const refusal = wrongPassword().message;
  return provePassword(deps, user, password, { bucket: `mail:${token.id}`, refusal });
}

export function wrongPassword(): AppError {
  return new AppError('bad_credentials', 'The password is wrong');
}
