import ipaddr from 'ipaddr.js';
import { OutboundError } from './errors.ts';

/** Longest URL that is looked at, in characters. */
export const MAX_URL_LENGTH = 2_048;

/** Hosts (`host` or `host:port`). */
export type HostList = ReadonlySet<string>;

/** Hosts that may be private and on any port. */
export type AllowList = Pick<HostList, 'has'>;

/** Allows every host: for addresses that the operator names and nobody else. */
export const ANY_HOST: AllowList = { has: () => true };

/** A URL that has passed every check that needs no DNS. */
export interface Target {
  /** Canonical URL, without a fragment; what a redirect is relative to. */
  readonly href: string;
  readonly protocol: 'http:' | 'https:';
  /** Lower case, no trailing dot; an IPv6 address is in brackets. */
  readonly hostname: string;
  readonly port: number;
  /** Value of the Host header, and the name for messages: the port only if not the default. */
  readonly host: string;
  /** Path and query. */
  readonly path: string;
  /** Whether the host is an IP address and not a name. */
  readonly isLiteral: boolean;
  readonly isAllowListed: boolean;
}

const HOST_NAME = /^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const SMUGGLING = /[\u0000-\u001f\u007f\\]/;
const PUBLIC_PORTS: ReadonlySet<number> = new Set([80, 443]);

/** Reads a list of hosts of the configuration; throws a TypeError that names a bad entry. */
export function parseAllowList(entries: readonly string[]): HostList {
  return new Set(entries.map(parseAllowedHost));
}

/**
 * Parses a URL to be dialled. Throws url_refused unless it is an absolute http or https URL
 * of at most 2,048 characters, without userinfo, on port 80, 443 or an allow-listed host.
 */
export function parseTarget(raw: string, allow: AllowList): Target {
  const url = parseHttpUrl(raw);
  const hostname = url.hostname.replace(/\.$/, '');
  const isLiteral = hostname.startsWith('[') || ipaddr.IPv4.isValid(hostname);
  if (!isLiteral && !isHostName(hostname)) throw refused('The URL has no valid host name');

  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  const host = url.port ? `${hostname}:${url.port}` : hostname;
  const isAllowListed = isOn(allow, hostname, port);
  if (!isAllowListed && !PUBLIC_PORTS.has(port)) {
    throw refused(`${hostname} may only be called on port 80 or 443`);
  }
  const protocol = url.protocol === 'https:' ? 'https:' : 'http:';
  const path = url.pathname + url.search;
  const href = `${protocol}//${host}${path}`;
  return { href, protocol, hostname, port, host, path, isLiteral, isAllowListed };
}

/** As `parseTarget`; where `only` lists any hosts, throws url_refused for one on neither list. */
export function parsePermitted(raw: string, allow: AllowList, only: HostList): Target {
  const target = parseTarget(raw, allow);
  const { hostname, port, isAllowListed } = target;
  if (only.size === 0 || isAllowListed || isOn(only, hostname, port)) return target;
  throw refused(`${hostname} is not a host that may be called`);
}

function isOn(list: AllowList, hostname: string, port: number): boolean {
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
  if (SMUGGLING.test(raw)) throw refused('The URL has characters that no URL may have');
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
