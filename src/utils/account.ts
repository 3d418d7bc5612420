import { isEmail } from './email.ts';
import { codePoints } from './text.ts';

/** What is wrong with the parts of a new account, by the limits of the API; empty when nothing. */
export function accountProblems(account: {
  email: string;
  username: string;
  password: string;
}): string[] {
  const { email, username, password } = account;
  const inRange = (text: string, least: number, most: number) =>
    codePoints(text) >= least && codePoints(text) <= most;
  return [
    ...(isEmail(email) ? [] : ['The email is not a valid address.']),
    ...(inRange(username, 3, 50) ? [] : ['The username must have 3 to 50 characters.']),
    ...(inRange(password, 8, 128) ? [] : ['The password must have 8 to 128 characters.']),
  ];
}
