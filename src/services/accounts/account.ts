import type { User } from '../../models/users.ts';

/** An account as its owner sees it. */
export type OwnAccount = Pick<
  User,
  'id' | 'email' | 'username' | 'role' | 'created_at' | 'updated_at'
> & { email_verified: boolean; has_password: boolean };

/** The account without its password hash and internal keys. */
export function ownAccount(user: User): OwnAccount {
  const { id, email, username, role, created_at, updated_at } = user;
  const email_verified = user.email_verified_at !== null;
  const has_password = user.password_hash !== null;
  return { id, email, username, role, created_at, updated_at, email_verified, has_password };
}

/** An account as an admin sees it. */
export type Account = OwnAccount & { is_active: boolean };

export function account(user: User): Account {
  return { ...ownAccount(user), is_active: user.is_active };
}
