import { LRUCache } from 'lru-cache';
import { networkOf } from '../../core/client-address.ts';
import { AppError } from '../../core/exceptions.ts';
import { createLimit } from '../../core/limits.ts';
import type { User } from '../../models/users.ts';
import { mailboxOf } from '../../utils/text/email.ts';

const WINDOW_SECONDS = 3600;
/** Notices of actions on an account per hour, as a multiple of the mails that strangers may cause. */
const NOTICES = 4;
/** Recipients counted at once, of all kinds: about 10 MB at most. */
const MAX_RECIPIENTS = 50_000;

export type Recipient = Pick<User, 'email' | 'email_verified_at'>;

/**
 * Hourly limits of mails. Each method counts one mail. All but `countAddress` return false beyond the
 * limit instead of throwing, because an error would reveal whether the account exists.
 */
export interface MailLimits {
  /** Counts against the address of the client. Throws too_many_requests. */
  countAddress(address: string | null): Promise<void>;
  /** Counts against an account that sends mail to an address other than its own. */
  countAccount(user_id: number): boolean;
  /** Counts a mail that a stranger may cause, against its mailbox. */
  countMailbox(email: string): boolean;
  /** Counts a link to reset the password. */
  countReset(to: Recipient): boolean;
  /** Counts a notice of an action on the account. */
  countNotice(to: Recipient): boolean;
  /** Returns the number of recipients counted at present. */
  counted(): number;
}

export const noMailLimits: MailLimits = {
  countAddress: async () => {},
  countAccount: () => true,
  countMailbox: () => true,
  countReset: () => true,
  countNotice: () => true,
  counted: () => 0,
};

/**
 * Limits of `perHour` mails for each client address, account and mailbox. Resets and notices to a
 * confirmed address are counted apart, so that strangers cannot use them up. An unconfirmed address
 * may belong to a stranger, so all mails to it count together.
 */
export function createMailLimits(perHour: number, maxRecipients = MAX_RECIPIENTS): MailLimits {
  const addresses = createLimit('mails', perHour, WINDOW_SECONDS);
  const recipients = createCounts(maxRecipients);
  const countMailbox = (email: string) => recipients.count(`mailbox ${mailboxOf(email)}`, perHour);
  const countOwn = (kind: string, { email, email_verified_at }: Recipient, max: number) =>
    email_verified_at === null ? countMailbox(email) : recipients.count(`${kind} ${email}`, max);
  return {
    countAddress: async (address) => {
      if (address === null) return;
      const { isOver, resetSeconds } = await addresses.count(networkOf(address));
      if (isOver) throw tooManyMails(resetSeconds);
    },
    countAccount: (user_id) => recipients.count(`account ${user_id}`, perHour),
    countMailbox,
    countReset: (to) => countOwn('reset', to, perHour),
    countNotice: (to) => countOwn('notice', to, perHour * NOTICES),
    counted: recipients.size,
  };
}

/** Counts per key in windows of an hour; beyond `maxKeys`, drops the least recently used. */
function createCounts(maxKeys: number) {
  const counts = new LRUCache<string, number>({ max: maxKeys, ttl: WINDOW_SECONDS * 1000 });
  return {
    /** Counts one more, or returns false if this window has `max` already. */
    count: (key: string, max: number): boolean => {
      const before = counts.get(key) ?? 0;
      if (before >= max) return false;
      counts.set(key, before + 1, { noUpdateTTL: before > 0 });
      return true;
    },
    size: () => counts.size,
  };
}

export function tooManyMails(retryAfterSeconds = WINDOW_SECONDS): AppError {
  const message = 'Too many mails were requested, try again later';
  return new AppError('too_many_requests', message, { retryAfterSeconds });
}
