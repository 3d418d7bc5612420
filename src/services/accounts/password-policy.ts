import { AppError } from '../../core/exceptions.ts';
import { isCommonPassword } from '../../core/security/common-passwords.ts';
import { emailKey, nameKey } from '../../utils/text/email.ts';
import { fold } from '../../utils/text/text.ts';

/** Whose password it is to be. */
export interface PasswordOwner {
  email: string;
  username: string;
}

/**
 * Why a password of the right length is refused, as a sentence; undefined when it is not: one of
 * the 10,000 most common, or without case the email, what is before its @, or the username.
 */
export function weaknessOf(password: string, owner: PasswordOwner): string | undefined {
  if (isCommonPassword(password)) return 'The password is one of the most common.';
  const email = emailKey(owner.email);
  const names = [email, email.slice(0, email.lastIndexOf('@')), nameKey(owner.username)];
  return names.includes(fold(password))
    ? 'The password must not be the email or the username.'
    : undefined;
}

/** Throws weak_password that names `field` when `weaknessOf` has something to say. */
export function refuseWeak(password: string, owner: PasswordOwner, field = 'password'): void {
  const msg = weaknessOf(password, owner);
  if (msg === undefined) return;
  const fields = [{ type: 'weak_password', path: [field], msg }];
  throw new AppError('weak_password', msg, { fields });
}
