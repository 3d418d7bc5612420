import ipaddr from 'ipaddr.js';
import { OutboundError } from './errors.ts';

/** Maximum length of a URL in characters. */
export const MAX_URL_LENGTH = 2_048;

/** Hosts (`host` or `host:port`). */
export type HostList = ReadonlySet<string>;

/** Hosts that may be private and use any port. */
export type AllowList = Pick<HostList, 'has'>;

/** Allows every host; only for URLs that the operator configures. */
export const ANY_HOST: AllowList = { has: () => true };

/** A URL that passed all checks that do not need DNS. */
export interface Target {
  /** The canonical URL without a fragment; the base URL of a redirect. */
  readonly href: string;
  readonly protocol: 'http:' | 'https:';
  /** Lower case, no trailing dot; an IPv6 address is in brackets. */
  readonly hostname: string;
  readonly port: number;
  /** The Host header, also used in messages; includes the port only if it is not the default. */
  readonly host: string;
  /** Path and query. */
  readonly path: string;
  /** True if the host is an IP address. */
  readonly isLiteral: boolean;
  readonly isAllowListed: boolean;
}

const HOST_NAME = /^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern refuses them
const FORBIDDEN_CHARACTERS = /[\u0000-\u001f\u007f\\]/;
const PUBLIC_PORTS: ReadonlySet<number> = new Set([80, 443]);

/** Parses a list of hosts from the configuration. Throws TypeError for an invalid entry. */
export function parseAllowList(entries: readonly string[]): HostList {
  return new Set(entries.map(parseAllowedHost));
}

/**
 * Parses a URL to be called. Throws url_refused unless it is an absolute http or https URL of at most
 * 2,048 characters without user information, whose port is 80 or 443 or whose host is allow-listed.
 */
export function parseTarget(raw: string, allow: AllowList): Target {
  const url = parseHttpUrl(raw);
  const hostname = url.hostname.replace(/\.$/, '');
  const isLiteral = hostname.startsWith('[') || ipaddr.IPv4.isValid(hostname);
  if (!isLiteral && !isHostName(hostname)) throw refused('The URL has no valid host name');

  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  const host = url.port ? `${hostname}:${url.port}` : hostname;
  const isAllowListed = isListed(allow, hostname, port);
  if (!isAllowListed && !PUBLIC_PORTS.has(port)) {
    throw refused(`${hostname} may only be called on port 80 or 443`);
  }
  const protocol = url.protocol === 'https:' ? 'https:' : 'http:';
  const path = url.pathname + url.search;
  const href = `${protocol}//${host}${path}`;
  return { href, protocol, hostname, port, host, path, isLiteral, isAllowListed };
}

/** Parses like `parseTarget`. If `only` is not empty, also throws url_refused for a host on neither list. */
export function parsePermitted(raw: string, allow: AllowList, only: HostList): Target {
  const target = parseTarget(raw, allow);
  const { hostname, port, isAllowListed } = target;
  if (only.size === 0 || isAllowListed || isListed(only, hostname, port)) return target;
  throw refused(`${hostname} is not a host that may be called`);
}

function isListed(list: AllowList, hostname: string, port: number): boolean {
  return list.has(hostname) || list.has(`${hostname}:${port}`);
}

function parseAllowedHost(entry: string): string {
  const authority = ipaddr.IPv6.isValid(entry) ? `[${entry}]` : entry.trim();
  const url = URL.parse(`http://${authority}`);
  const port = /:(\d+)$/.exec(authority)?.[1];
  const hostname = url?.hostname.replace(/\.$/, '') ?? '';
  const isHost = hostname.startsWith('[') || isHostName(hostname);
  if (/[@/?#\\\s]/.test(authority) || !isHost || port === '0') {
    throw new TypeError(`"${entry}" is not a host or host:port that can be allowed`);
  }
  return port ? `${hostname}:${Number(port)}` : hostname;
}

function parseHttpUrl(raw: string): URL {
  if (raw.length > MAX_URL_LENGTH) throw refused(`The URL is over ${MAX_URL_LENGTH} characters`);
  if (FORBIDDEN_CHARACTERS.test(raw)) throw refused('The URL has characters that no URL may have');
  if (!/^https?:\/\/[^/]/i.test(raw)) throw refused('The URL must begin with http:// or https://');
  const url = URL.parse(raw);
  if (!url) throw refused('The URL cannot be parsed');
  if (url.username || url.password || /^[^/]*\/\/[^/?#]*@/.test(raw)) {
    throw refused('The URL must not contain a user name or password');
  }
  return url;
}

function isHostName(hostname: string): boolean {
  return hostname.length <= 253 && HOST_NAME.test(hostname);
}

function refused(message: string): OutboundError {
  return new OutboundError('url_refused', message);
}
