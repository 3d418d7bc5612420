import type { OutgoingMail } from '../core/mail.ts';
import type { AuditAction } from './audit.ts';

/** Where a link leads, and which request spends its token. */
interface Action {
  page: string;
  path: string;
  /** What goes into the body beside the token. */
  more?: Record<string, string>;
}

const VERIFY: Action = {
  page: '/verify',
  path: '/api/v2/auth/verification/confirm',
  more: { password: 'YOUR PASSWORD' },
};
const RESET: Action = {
  page: '/reset',
  path: '/api/v2/auth/password/reset',
  more: { new_password: 'YOUR NEW PASSWORD' },
};
const CHANGE_EMAIL: Action = {
  page: '/confirm-email',
  path: '/api/v2/auth/email/confirm',
  more: { password: 'YOUR PASSWORD' },
};

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
  return `${base}${RESET.page}#token=${token}`;
}

/**
 * The mails. A token stands after `#`, which no server, proxy or scanner gets to see, and only
 * a POST spends it: what merely opens links uses none of them up.
 */
export const createMailTemplates = (base: () => string) => ({ ...actions(base), ...NOTICES });

const actions = (base: () => string) => ({
  verify: (to: string, username: string, token: string): OutgoingMail =>
    compose(to, 'Confirm your email address', [
      `The account ${named(username)} was made with this address. Confirm that it is yours within 24 hours.`,
      ...spend(base(), VERIFY, token),
      'With your password all stays as it is. Without it, everything that was set up before the address was confirmed ends, the password too, and you choose a new one.',
      'If you did not make this account, ignore this mail.',
    ]),

  reset: (to: string, username: string, token: string): OutgoingMail =>
    compose(to, 'Reset your password', [
      `Somebody asked to reset the password of the account ${named(username)}. Set a new one within 30 minutes; it signs the account out everywhere.`,
      ...spend(base(), RESET, token),
      'If that was not you, ignore this mail: nothing has changed.',
    ]),

  changeEmail: (to: string, username: string, token: string): OutgoingMail =>
    compose(to, 'Confirm your new email address', [
      `The account ${named(username)} wants to use this address. Confirm it within 24 hours, with the password of that account.`,
      ...spend(base(), CHANGE_EMAIL, token),
      'If that is not your account, ignore this mail: nothing has changed.',
    ]),
});

const NOTICES = {
  emailChanged: (to: string, username: string): OutgoingMail =>
    compose(to, 'Your email address was changed', [
      `The account ${named(username)} now uses another address; this one no longer belongs to it.`,
      'If that was not you, tell the operator of this service at once.',
    ]),

  /** Of an act on the account that its owner should know of, should it not be his own. */
  notice: (to: string, username: string, act: NoticedAct): OutgoingMail =>
    compose(to, ACTS[act], [
      `${ACTS[act]}. It is the account ${named(username)}.`,
      'If that was not you, reset your password at once, and tell the operator of this service.',
    ]),

  alreadySignedUp: (to: string, username: string): OutgoingMail =>
    compose(to, 'You already have an account', [
      `Somebody tried to sign up with this address, which the account ${named(username)} uses already.`,
      'If that was you, sign in, or ask for a new password if it is forgotten. Else ignore this mail: nothing has changed.',
    ]),

  usernameTaken: (to: string, username: string): OutgoingMail =>
    compose(to, 'Choose another username', [
      `No account was made for this address: the username ${named(username)} is taken. Sign up again with another one.`,
      'If you did not sign up, ignore this mail.',
    ]),
};

/** A name that whoever signs up chose, so that no mail program makes a link of it. */
function named(username: string): string {
  return username.replaceAll(/[.:/@\\]/g, '·');
}

interface Link {
  link: string;
}
interface Code {
  code: string;
}
type Paragraph = string | Link | Code;

function spend(base: string, { page, path, more = {} }: Action, token: string): Paragraph[] {
  const body = JSON.stringify({ token, ...more });
  return [
    { link: `${base}${page}#token=${token}` },
    'Where no page opens, send this request:',
    { code: `curl -X POST ${base}${path} -H 'content-type: application/json' -d '${body}'` },
    'The token alone:',
    { code: token },
  ];
}

function compose(to: string, subject: string, paragraphs: Paragraph[]): OutgoingMail {
  const text = `${paragraphs.map(asText).join('\n\n')}\n`;
  const html = `<!doctype html>\n<html lang="en"><body>\n${paragraphs.map(asHtml).join('\n')}\n</body></html>\n`;
  return { to, subject, text, html };
}

function asText(paragraph: Paragraph): string {
  if (typeof paragraph === 'string') return paragraph;
  return 'link' in paragraph ? paragraph.link : paragraph.code;
}

function asHtml(paragraph: Paragraph): string {
  if (typeof paragraph === 'string') return `<p>${Bun.escapeHTML(paragraph)}</p>`;
  if ('code' in paragraph) return `<pre>${Bun.escapeHTML(paragraph.code)}</pre>`;
  const link = Bun.escapeHTML(paragraph.link);
  return `<p><a href="${link}">${link}</a></p>`;
}
