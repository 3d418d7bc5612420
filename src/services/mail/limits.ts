import { LRUCache } from 'lru-cache';
import { networkOf } from '../../core/client-address.ts';
import { AppError } from '../../core/exceptions.ts';
import { createLimit } from '../../core/limits.ts';
import type { User } from '../../models/index.ts';
import { mailboxOf } from '../../utils/text/email.ts';

const WINDOW_SECONDS = 3600;
/** Acts on the own account that are told in an hour, for each mail that strangers may cause. */
const NOTICES = 4;
/** Recipients that are counted at once, of each kind: some 10 MB at most. */
const MAX_RECIPIENTS = 50_000;

/** Whom a mail goes to. */
export type Recipient = Pick<User, 'email' | 'email_verified_at'>;

/**
 * How often mail goes out in an hour. Each method counts a mail; but for `countAddress` it returns
 * false when there were enough. That is no error: it would tell whether there is such an account.
 */
export interface MailLimits {
  /** Counts against the address that asks. Throws too_many_requests. */
  countAddress(address: string | null): Promise<void>;
  /** Counts against an account that has mail sent to addresses other than its own. */
  countAccount(user_id: number): boolean;
  /** Counts a mail that a stranger may cause, against the mailbox that it goes to. */
  countMailbox(email: string): boolean;
  /** Counts a link to reset the password. */
  countReset(to: Recipient): boolean;
  /** Counts a notice of an act on the account. */
  countNotice(to: Recipient): boolean;
  /** How many recipients are counted at present. */
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
 * Limits of `perHour` mails for each address that asks, each account and each mailbox. An address
 * that its account has proved has counts of its own for resets and notices: strangers cannot use
 * them up. An address that is not proved may be a stranger's, so all mails to it count together.
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

/** Counts by key in windows of an hour; beyond `maxKeys` the least recently used ones are dropped. */
function createCounts(maxKeys: number) {
  const counts = new LRUCache<string, number>({ max: maxKeys, ttl: WINDOW_SECONDS * 1000 });
  return {
    /** Counts one more, unless `max` were counted in this window: then returns false. */
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
  const message = 'Too many mails were asked for, try again later';
  return new AppError('too_many_requests', message, { retryAfterSeconds });
}
