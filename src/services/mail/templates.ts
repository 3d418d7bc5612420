import type { OutgoingMail } from '../../core/mail/mail.ts';
import type { AuditAction } from '../audit/audit.ts';

/** The pages that spend the token of a link. */
const PAGES = { verify: '/verify', reset: '/reset', changeEmail: '/confirm-email' };

/** The acts that are told by mail, and its subject. */
const ACTS = {
  'password.changed': 'Your password was changed',
  'token.created': 'A personal access token was added to your account',
  'totp.enabled': 'The authenticator of your account was turned on',
  'totp.disabled': 'The authenticator of your account was turned off',
  'recovery_code.used': 'A recovery code of your account was used',
  'passkey.added': 'A passkey was added to your account',
  'passkey.removed': 'A passkey of your account was removed',
  'identity.linked': 'A sign-in by another service was added to your account',
  'identity.unlinked': 'A sign-in by another service was removed from your account',
} satisfies { [Act in AuditAction]?: string };

export type NoticedAct = keyof typeof ACTS;

export type MailTemplates = ReturnType<typeof createMailTemplates>;

/** The base URL of links: never the Host header that a request claims. */
export function linkBase(config: { publicUrl: string; host: string; port: number }): string {
  if (config.publicUrl !== '') return config.publicUrl;
  const isAny = config.host === '0.0.0.0' || config.host === '::';
  const host = isAny ? 'localhost' : config.host;
  return `http://${host.includes(':') ? `[${host}]` : host}:${config.port}`;
}

/** Returns the link at which a reset token is spent. */
export function resetLink(base: string, token: string): string {
  return linkTo(base, PAGES.reset, token);
}

/** What mails say of the service. */
export interface MailSettings {
  appName: string;
  /** The base URL of links. */
  base(): string;
}

/**
 * The mails. A token stands after `#`, which no server, proxy or scanner gets to see, and only
 * a POST spends it: what merely opens links uses none of them up.
 */
export const createMailTemplates = (settings: MailSettings) => ({
  ...actions(settings),
  ...notices(settings),
});

const actions = ({ appName, base }: MailSettings) => ({
  verify: (to: string, username: string, token: string): OutgoingMail =>
    compose(appName, to, 'Confirm your email address', [
      `The account ${named(username)} at ${appName} was made with this address. To confirm that it is yours, open this link within 24 hours:`,
      ...link(base(), PAGES.verify, token),
      'Enter the password of the account there, and everything stays as it is. If you do not know the password, everything that was set up before you confirm ends, the password too, and you choose a new one.',
      'If you did not make this account, ignore this mail.',
    ]),

  reset: (to: string, username: string, token: string): OutgoingMail =>
    compose(appName, to, 'Reset your password', [
      `Somebody asked to reset the password of the account ${named(username)} at ${appName}. To choose a new one, open this link within 30 minutes:`,
      ...link(base(), PAGES.reset, token),
      'A new password signs the account out everywhere.',
      'If that was not you, ignore this mail: nothing has changed.',
    ]),

  changeEmail: (to: string, username: string, token: string): OutgoingMail =>
    compose(appName, to, 'Confirm your new email address', [
      `The account ${named(username)} at ${appName} wants to use this address. To confirm it, open this link within 24 hours and enter the password of the account:`,
      ...link(base(), PAGES.changeEmail, token),
      'If that is not your account, ignore this mail: nothing has changed.',
    ]),
});

const notices = ({ appName }: MailSettings) => ({
  emailChanged: (to: string, username: string): OutgoingMail =>
    compose(appName, to, 'Your email address was changed', [
      `The account ${named(username)} at ${appName} now uses another address; this one no longer belongs to it.`,
      `If that was not you, tell the operator of ${appName} at once.`,
    ]),

  /** Tells the owner of an account of an act on it, in case somebody else did it. */
  notice: (to: string, username: string, act: NoticedAct): OutgoingMail =>
    compose(appName, to, ACTS[act], [
      `${ACTS[act]}. This is about the account ${named(username)} at ${appName}.`,
      `If that was not you, reset your password at once, and tell the operator of ${appName}.`,
    ]),

  alreadySignedUp: (to: string, username: string): OutgoingMail =>
    compose(appName, to, 'You already have an account', [
      `Somebody tried to sign up at ${appName} with this address, which the account ${named(username)} uses already.`,
      'If that was you, sign in, or ask for a new password if you forgot it. Otherwise ignore this mail: nothing has changed.',
    ]),

  usernameTaken: (to: string, username: string): OutgoingMail =>
    compose(appName, to, 'Choose another username', [
      `No account was made at ${appName} for this address: the username ${named(username)} is taken. Sign up again with another one.`,
      'If you did not sign up, ignore this mail.',
    ]),
});

/** A username without what mail programs turn into a link: whoever signs up chose it. */
function named(username: string): string {
  return username.replaceAll(/[.:/@\\]/g, '·');
}

interface Link {
  link: string;
}
type Paragraph = string | Link;

function linkTo(base: string, page: string, token: string): string {
  return `${base}${page}#token=${token}`;
}

function link(base: string, page: string, token: string): Paragraph[] {
  return [
    { link: linkTo(base, page, token) },
    'If the link does not open, copy it into the address bar of your browser.',
  ];
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
