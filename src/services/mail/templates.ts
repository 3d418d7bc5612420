import type { Links } from '../../core/links.ts';
import type { OutgoingMail } from '../../core/mail/mail.ts';
import type { AuditAction } from '../audit/audit.ts';

/** The actions that an account is notified of, with the subject of the mail. */
const NOTICES = {
  'password.changed': 'Your password was changed',
  'token.created': 'A personal access token was added to your account',
  'totp.enabled': 'The authenticator of your account was turned on',
  'totp.disabled': 'The authenticator of your account was turned off',
  'recovery_code.used': 'A recovery code of your account was used',
  'passkey.added': 'A passkey was added to your account',
  'passkey.removed': 'A passkey of your account was removed',
  'identity.linked': 'A sign-in with another service was added to your account',
  'identity.unlinked': 'A sign-in with another service was removed from your account',
} satisfies { [Action in AuditAction]?: string };

export type NoticedAction = keyof typeof NOTICES;

export type MailTemplates = ReturnType<typeof createMailTemplates>;

export interface MailSettings {
  appName: string;
  links: Pick<Links, 'verifyEmail' | 'resetPassword' | 'changeEmail'>;
}

/**
 * The texts of all mails. Opening a link never spends its token, so programs that follow links do no
 * harm.
 */
export const createMailTemplates = (settings: MailSettings) => ({
  ...actions(settings),
  ...notices(settings),
});

const actions = ({ appName, links }: MailSettings) => ({
  verify: (to: string, username: string, token: string): OutgoingMail =>
    compose(appName, to, 'Confirm your email address', [
      `The account ${named(username)} at ${appName} was created with this address. To confirm that it is yours, open this link within 24 hours:`,
      ...linkTo(links.verifyEmail(token)),
      'Enter the password of the account there, and everything stays as it is. If you do not know the password, everything that was set up before you confirm ends, including the password, and you choose a new one.',
      'If you did not create this account, ignore this mail.',
    ]),

  reset: (to: string, username: string, token: string): OutgoingMail =>
    compose(appName, to, 'Reset your password', [
      `Somebody requested a new password for the account ${named(username)} at ${appName}. To choose a new one, open this link within 30 minutes:`,
      ...linkTo(links.resetPassword(token)),
      'A new password signs the account out everywhere.',
      'If that was not you, ignore this mail: nothing has changed.',
    ]),

  changeEmail: (to: string, username: string, token: string): OutgoingMail =>
    compose(appName, to, 'Confirm your new email address', [
      `The account ${named(username)} at ${appName} wants to use this address. To confirm it, open this link within 24 hours and enter the password of the account:`,
      ...linkTo(links.changeEmail(token)),
      'If that is not your account, ignore this mail: nothing has changed.',
    ]),
});

const notices = ({ appName }: MailSettings) => ({
  emailChanged: (to: string, username: string): OutgoingMail =>
    compose(appName, to, 'Your email address was changed', [
      `The account ${named(username)} at ${appName} now uses another address; this one no longer belongs to it.`,
      `If that was not you, contact the operator of ${appName} immediately.`,
    ]),

  /** Notifies the owner of an action on the account, in case somebody else did it. */
  notice: (to: string, username: string, action: NoticedAction): OutgoingMail =>
    compose(appName, to, NOTICES[action], [
      `${NOTICES[action]}. This is about the account ${named(username)} at ${appName}.`,
      `If that was not you, reset your password immediately, and contact the operator of ${appName}.`,
    ]),

  /** Notifies an admin of a webhook that the server has disabled. */
  webhookDisabled: (to: string, { host, reason }: DisabledWebhook): OutgoingMail =>
    compose(appName, to, 'A webhook was disabled', [
      `A webhook of ${appName} to ${named(host)} was disabled, because ${DISABLED[reason]}.`,
      'Events are no longer recorded for it. Once the receiver works, enable the webhook again; deliveries that were waiting are then sent.',
    ]),

  alreadySignedUp: (to: string, username: string): OutgoingMail =>
    compose(appName, to, 'You already have an account', [
      `Somebody tried to sign up at ${appName} with this address, which the account ${named(username)} already uses.`,
      'If that was you, sign in, or request a new password if you forgot it. Otherwise ignore this mail: nothing has changed.',
    ]),

  usernameTaken: (to: string, username: string): OutgoingMail =>
    compose(appName, to, 'Choose another username', [
      `No account was created at ${appName} for this address: the username ${named(username)} is taken. Sign up again with another one.`,
      'If you did not sign up, ignore this mail.',
    ]),
});

export interface DisabledWebhook {
  host: string;
  reason: keyof typeof DISABLED;
}

const DISABLED = {
  gone: 'its receiver answered that it is gone (410)',
  failing: 'no delivery has succeeded for 5 days',
  backlog: 'more than 100,000 deliveries were waiting',
};

/** Breaks anything in a username that mail programs turn into a link: strangers choose usernames. */
function named(username: string): string {
  return username.replaceAll(/[.:/@\\]/g, '·');
}

interface Link {
  link: string;
}
type Paragraph = string | Link;

function linkTo(link: string): Paragraph[] {
  return [{ link }, 'If the link does not open, copy it into the address bar of your browser.'];
}

function compose(
  appName: string,
  to: string,
  subject: string,
  paragraphs: Paragraph[],
): OutgoingMail {
  const all = [...paragraphs, appName];
  const text = `${all.map(asText).join('\n\n')}\n`;
  const html = `<!doctype html>\n<html lang="en"><body>\n${all.map(asHtml).join('\n')}\n</body></html>\n`;
  return { to, subject, text, html };
}

function asText(paragraph: Paragraph): string {
  return typeof paragraph === 'string' ? paragraph : paragraph.link;
}

function asHtml(paragraph: Paragraph): string {
  if (typeof paragraph === 'string') return `<p>${Bun.escapeHTML(paragraph)}</p>`;
  const link = Bun.escapeHTML(paragraph.link);
  return `<p><a href="${link}">${link}</a></p>`;
}
