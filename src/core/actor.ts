import type { Session } from '../models/sessions.ts';
import type { Role, User } from '../models/users.ts';

/** The origin of a request, stored with sessions and with every audit entry. */
export interface Origin {
  /** Null without a connection. */
  readonly address: string | null;
  readonly user_agent: string | null;
  readonly request_id: string | null;
}

/** The account of a request, as read for this request. */
export interface Actor {
  readonly id: number;
  readonly role: Role;
  /** Scopes of the personal access token; a session may do all that its account may. */
  readonly scopes?: readonly string[];
  /** The session that was used; null for a token. */
  readonly session: Pick<Session, 'id' | 'second_factor_at'> | null;
  readonly origin: Origin;
}

/** A request without credentials, or the system itself in a command or job. */
export interface Unidentified {
  readonly id: null;
  readonly role: 'anonymous' | 'system';
  readonly session: null;
  readonly origin: Origin;
}

/** The account behind a session or token, without the request that contains it. */
export type Identified = Omit<Actor, 'origin'>;

export type AnyActor = Actor | Unidentified;

const NO_ORIGIN: Origin = { address: null, user_agent: null, request_id: null };

/** The actor of commands and jobs. */
export const SYSTEM: Unidentified = { id: null, role: 'system', session: null, origin: NO_ORIGIN };

/**
 * Returns an account as an actor without a session: for a request that proves the account in
 * another way, such as by a password or a mailed token, or for a command that acts for it.
 */
export function actorFor({ id, role }: Pick<User, 'id' | 'role'>, origin = NO_ORIGIN): Actor {
  return { id, role, session: null, origin };
}
