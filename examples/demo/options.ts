import { parseArgs } from 'node:util';

export interface Options {
  help: boolean;
  /** A server that runs already; without it the demo starts its own. */
  url?: string;
  dataDir?: string;
  username?: string;
  password?: string;
  /** Places to post, at most. */
  count: number;
  /** Requests under way at the same time. */
  inFlight: number;
}

export const USAGE = `Usage: bun run demo [options]

Posts the places of the world as items through the typed client, reads some of them, and
prints the rates. It starts a server of its own and stops it at the end, unless it has --url.

  --url URL         use a server that runs already; needs --username and --password
  --username NAME   account that owns the items, made if registration is open
  --password TEXT   its password
  --data-dir DIR    where its own server keeps the data; default: a temporary directory
  --count N         post the first N places only
  --in-flight N     requests under way at the same time; default: 64
  --help            print this
`;

/** Options that cannot be used; the message says which. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Throws UsageError. */
export function parseOptions(args: string[]): Options {
  const { help = false, url, username, password, ...rest } = valuesOf(args);
  if (url && (username === undefined || password === undefined)) {
    throw new UsageError('--url needs --username and --password.');
  }
  if (url && !URL.canParse(url)) throw new UsageError('--url must be an http or https URL.');
  if (url && rest['data-dir']) throw new UsageError('--url and --data-dir exclude each other.');
  return {
    help,
    ...(url && { url }),
    ...(username && { username }),
    ...(password && { password }),
    ...(rest['data-dir'] && { dataDir: rest['data-dir'] }),
    count: wholeNumber('--count', rest.count) ?? Number.POSITIVE_INFINITY,
    inFlight: wholeNumber('--in-flight', rest['in-flight']) ?? 64,
  };
}

function valuesOf(args: string[]) {
  const text = { type: 'string' } as const;
  const options = {
    help: { type: 'boolean' },
    url: text,
    username: text,
    password: text,
    'data-dir': text,
    count: text,
    'in-flight': text,
  } as const;
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function wholeNumber(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new UsageError(`${flag} must be a whole number from 1.`);
  return Number(text);
}
