import { createClient } from '../../src/client.ts';
import { AnswerError, dataOf } from './calls.ts';
import { countListed, postPlaces, readSome, showPopular } from './fill.ts';
import { type Options, parseOptions, USAGE, UsageError } from './options.ts';
import { places } from './places.ts';
import { count } from './progress.ts';
import { startOwnServer } from './server.ts';

const EXIT_INTERRUPTED = 130;

process.exit(await main(process.argv.slice(2)));

/** Gives the exit code. */
async function main(args: string[]): Promise<number> {
  try {
    const options = parseOptions(args);
    if (!options.help) return await runDemo(options);
    console.log(USAGE);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${error.message}\n\n${USAGE}`);
      return 2;
    }
    console.error(error instanceof AnswerError ? error.message : error);
    return 1;
  }
}

async function runDemo(options: Options): Promise<number> {
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (interrupted.signal.aborted) process.exit(EXIT_INTERRUPTED);
      interrupted.abort();
    });
  }
  const server = options.url ? undefined : await startOwnServer(options.dataDir);
  try {
    return await fill(options.url ?? server?.url ?? '', options, interrupted.signal);
  } finally {
    await server?.stop();
  }
}

async function fill(url: string, options: Options, signal: AbortSignal): Promise<number> {
  const limits = { inFlight: options.inFlight, signal };
  const token = await signIn(url, options);
  const { items } = createClient(url, { token, retries: 0 }).api.v1;
  const all = await places(options.count);
  const posted = new Map<number, string>();
  await postPlaces(items, all, posted, limits);
  if (!signal.aborted) await readSome(items, [...posted.keys()], limits);
  if (signal.aborted) {
    console.log(`Interrupted after ${count(posted.size)} of ${count(all.length)} places.`);
    return EXIT_INTERRUPTED;
  }
  await showPopular(items);
  const listed = await countListed(items, posted);
  console.log(`The server lists ${count(listed)} of the ${count(all.length)} places.`);
  return listed === all.length ? 0 : 1;
}

/** Returns a token of the account, which is created if necessary. Throws AnswerError. */
async function signIn(url: string, { username, password }: Options): Promise<string> {
  const { users, login } = createClient(url, { retries: 0 }).api.v1;
  const id = crypto.randomUUID();
  const account = { username: username ?? `demo-${id.slice(0, 8)}`, password: password ?? id };
  const newToken = async () =>
    (await dataOf(() => login['access-token'].post(account))).access_token;
  try {
    return await newToken();
  } catch (error) {
    if (!(error instanceof AnswerError && error.status === 400)) throw error;
  }
  await dataOf(() => users.post({ ...account, email: `${account.username}@example.com` }));
  return newToken();
}
