/**
 * Runs in a network namespace whose name server ignores queries for most names: starts Hutch, lets
 * one account call hosts with such names, and prints as JSON which requests of others succeed.
 * Its only argument is a data directory.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { until } from '../../until.ts';
import { ADMIN, serve } from '../hutch.ts';
import { startNameServer } from './name-server.ts';

export interface Silence {
  /** The responses in order, each a label and statuses. */
  answered: string[];
  /** The names whose lookup was never answered. */
  unanswered: string[];
}

const LIVE = '93.184.216.34';
const PAGE = 'http://localhost:5173/sign-in';
const PASSWORD = 'straw-and-carrots-1';

createServer((socket) => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n';
  socket.on('error', () => {}).on('data', () => socket.write(`${head}{}`));
}).listen(80, '0.0.0.0');
const nameServer = await startNameServer({ 'live.test': { A: [[LIVE]] } }, { isSilent: true });
const unanswered = () => [
  ...new Set(nameServer.queries.flatMap((it) => it.match(/^(\S+\.dead\.test) /)?.[1] ?? [])),
];

const RESOLV_CONF = '/etc/resolv.conf';
// The namespace has its own file; the file of the machine must not change.
if (readFileSync(RESOLV_CONF, 'utf8') !== 'nameserver 127.0.0.1\n') process.exit(1);

const silence: Silence = { answered: [], unanswered: [] };
{
  await using server = await serve(Bun.argv[2] ?? '', {
    env: {
      ...ADMIN.env,
      HUTCH_OIDC_ISSUER: 'https://provider.dead.test',
      HUTCH_OIDC_CLIENT_ID: 'hutch',
      HUTCH_OIDC_CLIENT_SECRET: 'the-secret',
      HUTCH_SMTP_URL: 'smtp://mail.dead.test',
      HUTCH_CORS_ORIGINS: new URL(PAGE).origin,
    },
  });
  // The origin of a server without a public URL.
  const origin = server.url.replace('127.0.0.1', 'localhost');
  await watch(origin, await server.signIn(ADMIN.username, ADMIN.password));
}
silence.unanswered = unanswered();
console.log(JSON.stringify(silence));
process.exit(0);

async function watch(origin: string, admin: string): Promise<void> {
  const post = async (label: string, path: string, body: object, token?: string) => {
    const headers = { 'content-type': 'application/json', ...bearer(token) };
    const init = { method: 'POST', headers, body: JSON.stringify(body) };
    return record(label, fetch(`${origin}/api/v2/${path}`, init));
  };
  const signUp = (name: string) => {
    const account = { email: `${name}@example.com`, username: name, password: PASSWORD };
    return post(`${name} signs up`, 'auth/register', account);
  };
  const signIn = (name: string) =>
    post(`${name} signs in`, 'auth/login', { login: name, password: PASSWORD });
  const fetchUrls = (name: string, token: string, urls: string[]) =>
    post(`${name} fetches`, 'sources/fetch', { calls: urls.map((url) => ({ url })) }, token);
  const dead = (name: string, count: number) =>
    Array.from({ length: count }, (_, index) => `http://${name}${index}.dead.test/`);

  const source = {
    name: 'silent',
    base_url: 'http://source.dead.test',
    access: 'public',
    ttl_seconds: 60,
    refresh: '* * * * *',
  };
  await post('the admin adds a source', 'sources', source, admin);
  const { token: mallory } = await signUp('mallory');
  const query = dead('one', 32).map((url) => `url=${encodeURIComponent(url)}`);
  const external = `${origin}/api/v1/external/?${query.join('&')}`;
  const attacks = [
    fetchUrls('mallory', String(mallory), dead('two', 64)),
    record('mallory calls v1', fetch(external, { headers: bearer(String(mallory)) })),
    post('a visitor starts a sign-in', 'auth/identities/login/options', {
      provider: 'oidc',
      redirect_uri: PAGE,
    }),
  ];
  await until(() => unanswered().length > 32);

  const { token: ada } = await signUp('ada');
  await signIn('ada');
  await fetchUrls('ada', String(ada), ['http://live.test/']);
  await Promise.all(attacks);
  // These lookups continue without callers.
  await until(() =>
    ['source.dead.test', 'mail.dead.test'].every((it) => unanswered().includes(it)),
  );
  await signIn('ada');

  await startNameServer({ 'moved.test': { A: [[LIVE]] } }, { isSilent: true }, '127.0.0.2');
  writeFileSync(RESOLV_CONF, 'nameserver 127.0.0.2\n');
  // Hutch checks the file once a second.
  await Bun.sleep(1_100);
  await fetchUrls('ada', String(ada), ['http://moved.test/']);
}

/** Records a response and returns its body. */
async function record(
  label: string,
  response: Promise<Response>,
): Promise<Record<string, unknown>> {
  const { status, body } = await response.then(async (it) => ({
    status: it.status,
    body: (await it.json()) as Record<string, unknown>,
  }));
  const results = (body['results'] ?? []) as { status: number | null }[];
  const distinct = [...new Set(results.map((it) => it.status))];
  silence.answered.push([label, status, ...distinct].join(' ').trim());
  return body;
}

function bearer(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}
