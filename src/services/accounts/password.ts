import { sql } from 'drizzle-orm';
import type { Session } from '../../core/db/db.ts';
import { prepare } from '../../core/db/query.ts';
import { AppError } from '../../core/exceptions.ts';
import { isCommonPassword } from '../../core/security/common-passwords.ts';
import { users } from '../../models/users.ts';
import { emailKey, nameKey } from '../../utils/text/email.ts';
import { fold } from '../../utils/text/text.ts';

/** The owner of a new password. */
export interface PasswordOwner {
  email: string;
  username: string;
}

/**
 * The reason to refuse a password of valid length, as a sentence: it is one of the 10,000 most
 * common or, ignoring case, the email, the part of it before the @, or the username. Undefined if
 * there is none.
 */
export function weaknessOf(password: string, owner: PasswordOwner): string | undefined {
  if (isCommonPassword(password)) return 'The password is one of the most common.';
  const email = emailKey(owner.email);
  const names = [email, email.slice(0, email.lastIndexOf('@')), nameKey(owner.username)];
  return names.includes(fold(password))
    ? 'The password must not be the email or the username.'
    : undefined;
}

/** Throws weak_password for the input field `field` if `weaknessOf` returns a reason. */
export function refuseWeak(password: string, owner: PasswordOwner, field = 'password'): void {
  const msg = weaknessOf(password, owner);
  if (msg === undefined) return;
  const fields = [{ type: 'weak_password', path: [field], msg }];
  throw new AppError('weak_password', msg, { fields });
}

/**
 * The kinds of password hashes in use, except that of new ones: the part of a hash that determines
 * its cost. One index look-up per kind.
 */
export async function otherPasswordKinds(session: Session): Promise<string[]> {
  const kinds: string[] = [];
  for (;;) {
    const [next] = await nextPasswordKind(session, { after: kinds.at(-1) ?? '' });
    if (!next) return kinds;
    kinds.push(next.kind);
  }
}

/**
 * The kind of a hash: `$2b$12$`, or argon2's parameters up to the lanes. The index
 * users_password_kind (migration password_kinds) is on the same expression.
 */
const PASSWORD_KIND = sql<string>`(case when substr(password_hash, 1, 2) = '$2' then substr(password_hash, 1, 7) else substr(password_hash, 1, instr(password_hash, ',p=') + 4) end)`;
const IS_OTHER_KIND = sql`substr(password_hash, 1, 31) <> '$argon2id$v=19$m=19456,t=2,p=1$'`;

const nextPasswordKind = prepare<{ after: string }, { kind: string }[]>((orm) =>
  orm
    .select({ kind: PASSWORD_KIND })
    .from(users)
    .where(sql`${IS_OTHER_KIND} and ${PASSWORD_KIND} > ${sql.placeholder('after')}`)
    .orderBy(PASSWORD_KIND)
    .limit(1),
);
