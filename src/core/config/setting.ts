import ipaddr from 'ipaddr.js';
import { isSafeUrl } from '../../utils/http/loopback.ts';
import { parseMailbox } from '../../utils/text/email.ts';

/** The value of a text, or the reason why it is invalid. */
export type Parsed<T> = { value: T } | { problem: string };

/** One setting: HUTCH_<NAME> in the environment, and --<flag> if it has one. */
export interface Setting<T> {
  env: string;
  flag?: string;
  help: string;
  default: T;
  /** If true, also read from the file named by <env>_FILE, and never shown. */
  secret?: boolean;
  /** Shown instead of a default that depends on the machine. */
  shown?: string;
  /** Returns the value, or the reason why `text` is invalid. */
  parse(text: string): Parsed<T>;
}

export function setting<T>(
  env: string,
  fallback: T,
  parse: Setting<T>['parse'],
  help: string,
  more: Pick<Setting<T>, 'flag' | 'secret' | 'shown'> = {},
): Setting<T> {
  return { env, default: fallback, parse, help, ...more };
}

export const text =
  () =>
  (value: string): Parsed<string> => ({ value });

/** Parses a name shown to people, without surrounding spaces. */
export const name = (value: string): Parsed<string> => {
  const trimmed = value.trim();
  return trimmed !== '' && trimmed.length <= 60 && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(trimmed)
    ? { value: trimmed }
    : { problem: 'must be one line of 1 to 60 visible characters' };
};

export const path = (value: string): Parsed<string> =>
  value === '' ? { problem: 'must not be empty' } : { value };

/** Parses one mailbox (RFC 5322 3.4): an address, or a display name and <address>. */
export const mailbox = (value: string): Parsed<string> =>
  parseMailbox(value) === undefined
    ? { problem: 'must be one address, such as hutch@example.com or Hutch <hutch@example.com>' }
    : { value: value.trim() };

export const oneOf =
  <T extends string>(...choices: readonly T[]) =>
  (value: string): Parsed<T> =>
    choices.includes(value as T)
      ? { value: value as T }
      : { problem: `must be one of ${choices.join(', ')}` };

export const wholeNumber =
  (least: number, most: number) =>
  (value: string): Parsed<number> => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    return number >= least && number <= most
      ? { value: number }
      : { problem: `must be a whole number from ${least} to ${most}` };
  };

export const hosts = (value: string): Parsed<string[]> => {
  const list = words(value);
  const wrong = list.find((entry) => !/^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:\d{1,5})?$/i.test(entry));
  return wrong === undefined
    ? { value: list }
    : { problem: `must list host or host:port entries, and ${JSON.stringify(wrong)} is none` };
};

export const publicUrl = (value: string): Parsed<string> => {
  const url = URL.parse(value);
  if (hasWildcard(url)) return { problem: 'must name one host: wildcards are not supported' };
  return url && /^https?:$/.test(url.protocol) && url.pathname === '/' && !url.search && !url.hash
    ? { value: url.origin }
    : { problem: 'must be an http or https URL without a path' };
};

export const networks = (value: string): Parsed<string[]> => {
  const list = words(value);
  const wrong = list.find((it) => !ipaddr.isValid(it) && !ipaddr.isValidCIDR(it));
  return wrong === undefined
    ? { value: list }
    : { problem: `must list addresses or CIDR networks, and ${JSON.stringify(wrong)} is none` };
};

export const origins = (value: string): Parsed<string[]> => {
  const list = words(value);
  const wild = list.find((it) => it === '*' || hasWildcard(URL.parse(it)));
  if (wild !== undefined) {
    return {
      problem: `must list each origin: ${JSON.stringify(wild)} has an unsupported wildcard`,
    };
  }
  const wrong = list.find((it) => !/^https?:/.test(it) || URL.parse(it)?.origin !== it);
  return wrong === undefined
    ? { value: list }
    : { problem: `must list origins, and ${JSON.stringify(wrong)} is none` };
};

/** Parses the base URL of a service that receives secrets: http only on this machine. */
export const serviceUrl = (value: string): Parsed<string> => {
  const url = URL.parse(value);
  if (hasWildcard(url)) return { problem: 'must name one host: wildcards are not supported' };
  return url && isSafeUrl(url) && !url.username && !url.search && !url.hash
    ? { value }
    : { problem: 'must be an https URL (http only for localhost) without a query' };
};

/** Returns true if the host has a `*`, which URL.parse accepts but no request matches. */
function hasWildcard(url: URL | null): boolean {
  return url?.hostname.includes('*') ?? false;
}

function words(value: string): string[] {
  return value.split(/[\s,]+/).filter((entry) => entry !== '');
}
