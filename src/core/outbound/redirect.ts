import type { Target } from './address.ts';
import { OutboundError } from './errors.ts';
import type { OutboundMethod } from './request.ts';

/** One request of a call: the first, or where a redirect led. */
export interface Hop {
  readonly target: Target;
  readonly method: OutboundMethod;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

// Any other header may be a secret.
const TOLD_TO_ANYONE: ReadonlySet<string> = new Set(['accept-language', 'user-agent']);
const OF_ONE_URL: ReadonlySet<string> = new Set(['if-modified-since', 'if-none-match']);

/**
 * Where a redirect leads. 303 turns into GET, as 301 and 302 do after POST; else method and
 * body stay (RFC 9110, 15.4). Secrets and a body never go to another origin. Throws
 * bad_redirect for an address that may not be called and for a body that would have to go there.
 */
export function nextHop(
  hop: Hop,
  { status, location }: { readonly status: number; readonly location: string },
  parse: (url: string) => Target,
): Hop {
  const { host } = hop.target;
  const target = redirectTarget(location, hop.target, parse);
  const isAbroad = target.protocol !== hop.target.protocol || target.host !== host;
  const turnsToGet = becomesGet(hop.method, status);
  const body = turnsToGet ? undefined : hop.body;
  if (isAbroad && body !== undefined) {
    throw new OutboundError('bad_redirect', `${host} redirected a body to another origin`);
  }
  const headers = Object.entries(hop.headers).filter(
    ([name]) =>
      !OF_ONE_URL.has(name) &&
      !(turnsToGet && name.startsWith('content-')) &&
      (!isAbroad || TOLD_TO_ANYONE.has(name)),
  );
  const method = turnsToGet ? 'GET' : hop.method;
  return { target, method, body, headers: Object.fromEntries(headers) };
}

function becomesGet(method: OutboundMethod, status: number): boolean {
  if (status === 303) return method !== 'HEAD';
  return (status === 301 || status === 302) && method === 'POST';
}

/** The text of a header whose bytes fetch read as Latin-1: UTF-8 where they are, as browsers read it. */
function fromHeaderBytes(value: string): string {
  if (!/[\u0080-\u00ff]/.test(value)) return value;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(value, 'latin1'));
  } catch {
    return value;
  }
}

function redirectTarget(location: string, from: Target, parse: (url: string) => Target): Target {
  try {
    return parse(new URL(fromHeaderBytes(location), from.href).href);
  } catch (cause) {
    const message = `${from.host} redirected to a URL that may not be called`;
    throw new OutboundError('bad_redirect', message, { cause });
  }
}
