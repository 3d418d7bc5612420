import { domainToASCII, domainToUnicode } from 'node:url';
import { fold, tidy } from './text.ts';

/** RFC 5321 limits. */
const MAX_EMAIL = 254;
const MAX_LOCAL = 64;
const MAX_LABEL = 63;

const ATOM = /^[\p{L}\p{N}\p{M}!#$%&'*+/=?^_`{|}~-]+$/u;
const LABEL = /^[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}-]*[\p{L}\p{N}\p{M}])?$/u;

/**
 * Whether `text` is an address that mail could go to: dot-atom (RFC 5322) at a domain with a
 * dot. Blanks around it and its form in Unicode do not matter: `tidy` makes it what is stored.
 * What NFKC would change is refused, so that no two spellings look like one address.
 */
export function isEmail(given: string): boolean {
  const text = tidy(given);
  return isAddress(text) && text.slice(text.lastIndexOf('@')).includes('.');
}

/** An address and the name that mail programs show for it. */
export interface Mailbox {
  /** Empty for none. */
  name: string;
  address: string;
}

/**
 * Reads one mailbox, as `ada@example.com`, `Ada <ada@example.com>` or `"Ada, B." <ada@example.com>`.
 * The domain may be a single word, as localhost. Returns undefined for anything else, a list too.
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
 * The key of an address, by which accounts are told apart: blanks around it, case, the spelling in
 * Unicode and the two forms of an international domain do not matter.
 */
export function emailKey(email: string): string {
  const key = fold(email.trim());
  const at = key.lastIndexOf('@');
  const domain = key.slice(at + 1);
  return `${key.slice(0, at + 1)}${domainToUnicode(domain) || domain}`;
}

/** The key of a username: as `emailKey`, also for one that is no address. */
export function nameKey(username: string): string {
  const key = fold(username.trim());
  return key.includes('@') ? emailKey(key) : key;
}

/**
 * A key that the spellings of one mailbox share: what `emailKey` does, a tag after `+` and dots
 * before the @. Providers differ in the latter two; where they are part of
 * the name, some mailboxes share a key. It is for limits, never for identity.
 */
export function mailboxOf(email: string): string {
  const key = emailKey(email);
  const at = key.lastIndexOf('@');
  const local = key.slice(0, at);
  const name = local.replace(/(?<=.)\+.*$/s, '').replaceAll('.', '');
  const domain = key.slice(at + 1);
  return `${name}@${domainToASCII(domain) || domain}`;
}
