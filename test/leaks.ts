import { hashToken } from '../src/core/security/security.ts';
import { isEmail } from '../src/utils/text/email.ts';

/** The secrets of a request, and those of a response from then on. */
const SENT = ['password', 'new_password', 'current_password', 'token', 'device_token'];
const HANDED_OUT = [
  'token',
  'access_token',
  'device_token',
  'reset_token',
  'recovery_codes',
  'secret',
  'flow',
];
/** The pattern of password hashes. */
const PASSWORD_HASH = /\$argon2(?:id?|d)\$|\$2[aby]\$\d\d\$/;
/** A shorter text is found anywhere by chance. */
const MIN_LENGTH = 8;

/**
 * Learns the secrets that go to a server and come from it, and throws an error for any of them
 * in what it answers or logs later: passwords, tokens, and the hashes of both. The answer that
 * hands a token out for the first time is the one that may hold it.
 */
export function createLeaks() {
  /** Secrets by prefix, so that each text is searched only once. */
  const known = new Map<string, Set<string>>();
  const found: string[] = [];

  const learn = (secret: string): void => {
    for (const form of [...spellings(secret), hashToken(secret)]) {
      const start = form.slice(0, MIN_LENGTH);
      known.set(start, (known.get(start) ?? new Set()).add(form));
    }
  };
  const check = (text: string, where: string): void => {
    const leak = text.match(PASSWORD_HASH)?.[0] ?? findKnown(known, text);
    if (leak === undefined) return;
    // Kept as well: what is thrown may be caught on its way.
    found.push(`A secret in ${where}: ${leak}`);
    throw new Error(found.at(-1));
  };

  return {
    learn,
    /** Learns from what is sent. */
    request: (headers: Headers, body: string): void => {
      for (const secret of secretsSent(headers, body)) learn(secret);
    },
    /** Throws for what an answer must not hold, then learns from it. */
    answer: (headers: Headers, body: string, where: string): void => {
      const { 'set-cookie': _, ...rest } = headers.toJSON();
      const handedOut = secretsHandedOut(headers, body);
      // The answer to a repeat is the first one once more.
      const again = headers.get('idempotency-replayed') === 'true' ? handedOut : [];
      const shown = again.reduce((text, secret) => text.replaceAll(secret, ''), body);
      check(`${Object.values(rest).join('\n')}\n${shown}`, `the answer of ${where}`);
      for (const secret of handedOut) learn(secret);
    },
    /** Throws for what a log must not hold. */
    log: (text: string, where: string): void => check(text, where),
    /** The leaks found since the last call. */
    takeFound: (): string[] => found.splice(0),
  };
}

/** The secrets of the whole suite. */
export const leaks = createLeaks();

/**
 * Gives what the next request is looked at with: `createLeaks` itself where input is generated,
 * whose passwords stand in other input by chance and are looked for in their own answer alone.
 */
export type LeaksOf = () => ReturnType<typeof createLeaks>;

/** The servers, by origin, whose responses to the tests' fetch are checked: test/preload.ts. */
export const watched = new Map<string, LeaksOf>();

/** The request body as text; streams may never end and are not read. */
export function textSent(body: unknown): string {
  return typeof body === 'string' || body instanceof URLSearchParams ? String(body) : '';
}

function findKnown(known: Map<string, Set<string>>, text: string): string | undefined {
  for (let at = 0; at + MIN_LENGTH <= text.length; at++) {
    for (const secret of known.get(text.slice(at, at + MIN_LENGTH)) ?? []) {
      if (text.startsWith(secret, at)) return secret;
    }
  }
  return undefined;
}

/** The secret itself and its forms in JSON and in a URL. */
function spellings(secret: string): Set<string> {
  return new Set([secret, JSON.stringify(secret).slice(1, -1), encoded(secret)]);
}

/** A lone surrogate cannot be in a URL. */
function encoded(secret: string): string {
  return encodeURIComponent(secret.toWellFormed());
}

function secretsSent(headers: Headers, body: string): string[] {
  const fields = fieldsOf(body);
  const [, bearer] = headers.get('authorization')?.match(/^bearer (.+)$/i) ?? [];
  const secrets = SENT.flatMap((name) => textsOf(fields[name])).filter(
    (secret) => !isOpen(secret, fields),
  );
  return [...secrets, ...textsOf(bearer)].filter(isTelling);
}

function secretsHandedOut(headers: Headers, body: string): string[] {
  const fields = fieldsOf(body);
  const cookies = headers.getSetCookie().flatMap((it) => it.match(/=([^;]*)/)?.[1] ?? []);
  return [...HANDED_OUT.flatMap((name) => textsOf(fields[name])), ...cookies].filter(isTelling);
}

/** The fields of a JSON object or a form. */
function fieldsOf(body: string): Record<string, unknown> {
  if (!body.startsWith('{')) return Object.fromEntries(new URLSearchParams(body));
  try {
    return JSON.parse(body);
  } catch {
    return {};
  }
}

function textsOf(value: unknown): string[] {
  return [value].flat().filter((it) => typeof it === 'string');
}

/** Sent as something else too, as in a test that the own address is refused as a password. */
function isOpen(secret: string, fields: Record<string, unknown>): boolean {
  const others = Object.entries(fields).filter(([name]) => !SENT.includes(name));
  return others.some(([, it]) => textOf(it).toLowerCase().includes(secret.toLowerCase()));
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

/** False for secrets that occur in other texts by chance: a word, a number, an address, a repeated key. */
function isTelling(secret: string): boolean {
  const isWord = /^(?:\p{L}*|\d*)$/u.test(secret);
  return secret.length >= MIN_LENGTH && new Set(secret).size > 4 && !isWord && !isEmail(secret);
}
