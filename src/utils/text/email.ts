import { domainToASCII, domainToUnicode } from 'node:url';
import { fold, tidy } from './text.ts';

/** RFC 5321 limits. */
const MAX_EMAIL = 254;
const MAX_LOCAL = 64;
const MAX_LABEL = 63;

const ATOM = /^[\p{L}\p{N}\p{M}!#$%&'*+/=?^_`{|}~-]+$/u;
const LABEL = /^[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}-]*[\p{L}\p{N}\p{M}])?$/u;

/**
 * True if mail could be sent to `address`: a dot-atom (RFC 5322) at a domain with a dot. Surrounding
 * spaces and the Unicode form do not matter, since `tidy` normalizes both before storing. Text that
 * NFKC would change is refused, so that no two addresses look the same.
 */
export function isEmail(address: string): boolean {
  const text = tidy(address);
  return isAddress(text) && text.slice(text.lastIndexOf('@')).includes('.');
}

/** An address and its display name. */
export interface Mailbox {
  /** Empty for none. */
  name: string;
  address: string;
}

/**
 * Parses one mailbox, such as `ada@example.com`, `Ada <ada@example.com>` or
 * `"Ada, B." <ada@example.com>`. The domain may be a single word, such as localhost. Returns undefined
 * for anything else, including lists.
 */
export function parseMailbox(text: string): Mailbox | undefined {
  const trimmed = text.trim();
  if (isAddress(trimmed)) return { name: '', address: trimmed };
  const [, quoted, plain, address = ''] =
    /^(?:"((?:[^"\\\p{Cc}]|\\["\\])*)"|([^"<>()[\]\\,;:@\p{Cc}]*))\s*<([^<>]*)>$/u.exec(trimmed) ??
    [];
  if (!isAddress(address)) return undefined;
  return { name: (quoted?.replaceAll(/\\(.)/g, '$1') ?? plain ?? '').trim(), address };
}

function isAddress(text: string): boolean {
  if (text.length > MAX_EMAIL || text !== text.normalize('NFKC')) return false;
  const at = text.lastIndexOf('@');
  const local = text.slice(0, at);
  const labels = text.slice(at + 1).split('.');
  return (
    at > 0 &&
    local.length <= MAX_LOCAL &&
    local.split('.').every((atom) => ATOM.test(atom)) &&
    labels.every((label) => label.length <= MAX_LABEL && LABEL.test(label)) &&
    !/^\d+$/.test(labels.at(-1) ?? '')
  );
}

/**
 * Returns the key by which accounts are identified: surrounding spaces, case, the Unicode form and
 * the two forms of an international domain do not matter.
 */
export function emailKey(email: string): string {
  const key = fold(email.trim());
  const at = key.lastIndexOf('@');
  const domain = key.slice(at + 1);
  return `${key.slice(0, at + 1)}${domainToUnicode(domain) || domain}`;
}

/** Returns the key of a username: like `emailKey`, also for names that are not addresses. */
export function nameKey(username: string): string {
  const key = fold(username.trim());
  return key.includes('@') ? emailKey(key) : key;
}

/**
 * Returns a key that all spellings of one mailbox share: like `emailKey`, and without the tag after `+`
 * and the dots before the @. At providers where those distinguish mailboxes, several mailboxes share a
 * key. Use it for limits, never for identity.
 */
export function mailboxOf(email: string): string {
  const key = emailKey(email);
  const at = key.lastIndexOf('@');
  const local = key.slice(0, at);
  const name = local.replace(/(?<=.)\+.*$/s, '').replaceAll('.', '');
  const domain = key.slice(at + 1);
  return `${name}@${domainToASCII(domain) || domain}`;
}
