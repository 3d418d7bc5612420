import { emailKey, isEmail, nameKey } from './email.ts';
import { codePoints, tidy } from './text.ts';

/**
 * True if the account with `email` may have `username`. A username with an @ looks like an address, so
 * it must be the account's own: no username ever equals the address of another account. Both are
 * compared by `emailKey`.
 */
export function isUsernameFor(email: string, username: string): boolean {
  return !nameKey(username).includes('@') || emailKey(username) === emailKey(email);
}

export const USERNAME_RULE = 'A username with an @ must be the email address of its account.';

/** Checks a new account against the limits of the API. Returns a sentence per problem. */
export function accountProblems(account: {
  email: string;
  username: string;
  password: string;
}): string[] {
  const { email, username, password } = account;
  return [
    ...(isEmail(email) ? [] : ['The email is not a valid address.']),
    ...(inRange(tidy(username), 3, 50) ? [] : ['The username must have 3 to 50 characters.']),
    ...(isUsernameFor(email, username) ? [] : [USERNAME_RULE]),
    ...passwordProblems(password),
  ];
}

/** Checks a new password of an existing account. Returns a sentence per problem. */
export function passwordProblems(password: string): string[] {
  return inRange(password, 8, 128) ? [] : ['The password must have 8 to 128 characters.'];
}

function inRange(text: string, least: number, most: number): boolean {
  const length = codePoints(text);
  return length >= least && length <= most;
}
