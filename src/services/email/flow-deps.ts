import type { Session as DbSession } from '../../core/db/db.ts';
import { AppError } from '../../core/exceptions.ts';
import type { Log } from '../../core/log.ts';
import type { ActionToken, User } from '../../models/index.ts';
import { emailKey } from '../../utils/text/email.ts';
import { findUser, type Users } from '../accounts/users.ts';
import type { Audit } from '../audit/audit.ts';
import type { AccessChanges } from '../auth/access-changes.ts';
import { type ActionTokens, invalidActionToken } from '../auth/action-tokens.ts';
import type { Devices } from '../auth/devices.ts';
import { type PasswordProofDeps, provePassword } from '../auth/proof.ts';
import type { MailLimits } from '../mail/limits.ts';
import type { Notices } from '../mail/notices.ts';
import type { Mails } from '../mail/queue.ts';
import type { MailTemplates } from '../mail/templates.ts';

const WRONG_PASSWORD = 'The password is wrong';

/** What every flow that goes by mail is made from. */
export interface EmailFlowDeps extends PasswordProofDeps {
  users: Users;
  devices: Devices;
  accessChanges: AccessChanges;
  audit: Audit;
  actionTokens: ActionTokens;
  mails: Mails;
  templates: MailTemplates;
  notices: Notices;
  limits: MailLimits;
  log: Log;
  /** Whether v2 signs in only who has proved the address. */
  isVerificationRequired: boolean;
  now(): Date;
}

/** The account of a spent token, if it still has the address that the token was sent to. */
export async function userOfToken(tx: DbSession, token: ActionToken): Promise<User> {
  const user = await findUser(tx, token.user_id);
  if (user?.email_key !== emailKey(token.email)) throw invalidActionToken();
  return user;
}

/**
 * The hash that `password` made, for whoever holds a live token, which has failures of its own.
 * Throws invalid_action_token when the account is gone, bad_credentials, too_many_requests,
 * overloaded.
 */
export async function provePasswordOf(
  deps: EmailFlowDeps,
  { id, user_id }: ActionToken,
  password: string,
): Promise<string> {
  const user = await findUser(deps.db.read, user_id);
  if (!user) throw invalidActionToken();
  return provePassword(deps, user, password, { bucket: `mail:${id}`, refusal: WRONG_PASSWORD });
}

export function wrongPassword(): AppError {
  return new AppError('bad_credentials', WRONG_PASSWORD);
}
