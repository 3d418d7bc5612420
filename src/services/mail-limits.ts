import { networkOf } from '../core/client-address.ts';
import { AppError } from '../core/exceptions.ts';
import { createLimit } from '../core/limits.ts';

const WINDOW_SECONDS = 3600;

/** How often mail may be asked for. Who asks is counted apart from whom it goes to. */
export interface MailLimits {
  /** Counts against the address that asks. Throws too_many_requests. */
  countAddress(address: string | null): Promise<void>;
  /**
   * Counts against whom the mail goes to; false when it has had enough. Not an error: to tell
   * it would tell that there is such an account.
   */
  countRecipient(key: number | string): Promise<boolean>;
}

export const noMailLimits: MailLimits = {
  countAddress: async () => {},
  countRecipient: async () => true,
};

/** Limits of `perHour` mails, for each address and for each recipient. */
export function createMailLimits(perHour: number): MailLimits {
  const addresses = createLimit('mails', perHour, WINDOW_SECONDS);
  const recipients = createLimit('mail-recipients', perHour, WINDOW_SECONDS);
  return {
    countAddress: async (address) => {
      if (address === null) return;
      const { isOver, resetSeconds } = await addresses.count(networkOf(address));
      if (isOver) throw tooManyMails(resetSeconds);
    },
    countRecipient: async (key) => !(await recipients.count(String(key))).isOver,
  };
}

export function tooManyMails(retryAfterSeconds = WINDOW_SECONDS): AppError {
  const message = 'Too many mails were asked for, try again later';
  return new AppError('too_many_requests', message, { retryAfterSeconds });
}
