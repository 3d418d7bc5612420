import { Database } from 'bun:sqlite';
import { createServer } from 'node:net';
import { mailsIn } from '../../outbox.ts';
import { type Check, type Kit, refusedStart, same, skipped } from '../hostile/kit.ts';
import { createClock } from '../shims/clock-shim.ts';
import { hasShim } from '../shims/shim.ts';

const REFUSAL = '550 5.1.1 no such user';
const PUBLIC = { host: '127.0.0.1:4321' };
const TWO_HOURS = 7_200;
const WINDOW_SECONDS = 10;
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** Providers, mail servers, outside APIs and clocks: F22, F27, F35. */
export const FIELD_OUTSIDE: Check[] = [
  {
    finding: 'F22',
    sentence: 'The id and secret of a client are encoded for Basic, or sent in the body.',
    expected: 'form-encoded by Basic; in the body of a provider that reads no Basic',
    run: async (kit) => {
      const basic = await tokenRequest(kit, ['client_secret_basic', 'client_secret_post']);
      const post = await tokenRequest(kit, ['client_secret_post']);
      const [scheme = '', credentials = ''] = (basic?.authorization ?? '').split(' ');
      const sent = new URLSearchParams(post?.body);
      const got = [scheme, Buffer.from(credentials, 'base64').toString()];
      return same(
        [...got, post?.authorization, sent.get('client_id'), sent.get('client_secret')],
        ['Basic', 'urn%3Aapp:a%2Bb%252Fc', null, 'urn:app', 'a+b%2Fc'],
      );
    },
  },
  {
    finding: 'F27',
    sentence: 'A sender that is no address, or two, is refused at start.',
    expected: 'status 2 twice',
    run: async (kit) => {
      const HUTCH_SMTP_URL = 'smtp://127.0.0.1:4391';
      const senders = ['nonsense', 'a@example.com, b@example.com'];
      const starts = senders.map((HUTCH_MAIL_FROM) =>
        refusedStart(kit, { HUTCH_SMTP_URL, HUTCH_MAIL_FROM }),
      );
      const seen = await Promise.all(starts);
      return { got: seen.map(({ got }) => got).join(), isOk: seen.every(({ isOk }) => isOk) };
    },
  },
  {
    finding: 'F27',
    sentence: 'A mail that a server refuses for good is not tried again.',
    expected: 'one RCPT, a log line, and no mail that waits',
    run: async (kit) => {
      const { recipients, waiting, isLogged } = await mailTo(kit, 'refused@example.com');
      return same([recipients, isLogged, waiting], [['RCPT TO:<refused@example.com>'], true, 0]);
    },
  },
  {
    finding: 'F27',
    sentence: 'An address that a server without SMTPUTF8 cannot take fails at once, and is told.',
    expected: 'no RCPT, a log line, and no mail that waits',
    run: async (kit) => {
      const { recipients, waiting, isLogged } = await mailTo(kit, 'jos\u00e9@example.com');
      return same([recipients, isLogged, waiting], [[], true, 0]);
    },
  },
  {
    finding: 'F27',
    sentence: 'A mail says that a program sent it.',
    expected: 'Auto-Submitted: auto-generated in each',
    run: async (kit) => {
      const it = await kit.up();
      await it.register('ada');
      await it.hasMail(/./);
      const mails = mailsIn(it.dir);
      const marked = mails.filter((mail) => /^Auto-Submitted: auto-generated\r?$/m.test(mail));
      return same([mails.length > 0, marked.length], [true, mails.length]);
    },
  },
  {
    finding: 'F35',
    sentence: 'A Retry-After in any of the three forms of a date is waited for.',
    expected: 'the second request of each at the date or after it',
    run: async (kit) => {
      const it = await kit.up({ HUTCH_EXTERNAL_ALLOW_HOSTS: '127.0.0.1' });
      const token = await it.register('retry');
      const early = await Promise.all(
        [imfFixdate, rfc850, asctime].map(async (form) => {
          const at = new Date((Math.ceil(Date.now() / 1_000) + 2) * 1_000);
          const times: number[] = [];
          using upstream = busyUntil(form(at), times);
          const url = encodeURIComponent(`http://127.0.0.1:${upstream.port}/`);
          await it.call('GET', `/api/v1/external/?url=${url}`, { token });
          const [, second] = times;
          return `${times.length} ${second !== undefined && second < at.getTime()}`;
        }),
      );
      return same(early, ['2 false', '2 false', '2 false']);
    },
  },
  {
    finding: 'F35',
    sentence: 'A clock that is put back lengthens no wait.',
    expected: `429 with a Retry-After of at most ${WINDOW_SECONDS}, by a clock of two hours ago`,
    run: async (kit) => {
      if (!(await hasShim())) return skipped('it needs a C compiler');
      const clock = createClock();
      const it = await kit.up({ HUTCH_LIMIT_REQUESTS: '5', ...clock.env });
      const token = await it.register('late');
      clock.set(-TWO_HOURS);
      const init = { token, body: { title: 'before' } };
      const made = await it.jsonOf<{ created_at: string }>('POST', '/api/v2/items', init);
      const isBack = Date.parse(made.created_at) < Date.now() - (TWO_HOURS / 2) * 1_000;
      const answers = await Promise.all(
        Array.from({ length: 12 }, () => it.call('GET', '/api/v2/system/version')),
      );
      const refused = answers.filter(({ status }) => status === 429);
      const waits = refused.map(({ headers }) => Number(headers.get('retry-after')));
      const isOk = isBack && waits.length > 0 && waits.every((wait) => wait <= WINDOW_SECONDS);
      return { got: `${waits.join()}, the clock is back: ${isBack}`, isOk };
    },
  },
];

interface TokenRequest {
  authorization: string | null;
  body: string;
}

/** Returns the request to the token endpoint of a provider with these methods. */
async function tokenRequest(kit: Kit, methods: string[]): Promise<TokenRequest | undefined> {
  const requests: TokenRequest[] = [];
  using provider = tokenProvider(requests, methods);
  const it = await kit.up({
    HUTCH_OIDC_ISSUER: `http://127.0.0.1:${provider.port}`,
    HUTCH_OIDC_CLIENT_ID: 'urn:app',
    HUTCH_OIDC_CLIENT_SECRET: 'a+b%2Fc',
    HUTCH_PUBLIC_URL: `http://${PUBLIC.host}`,
  });
  const begin = { body: { provider: 'oidc' }, headers: PUBLIC };
  const text = await (await it.call('POST', '/api/v2/auth/identities/login/options', begin)).text();
  const flow = /"flow":"([^"]*)/.exec(text)?.[1];
  const state = /state=([^&"]*)/.exec(text)?.[1];
  const body = { flow, code: 'x', state };
  await it.call('POST', '/api/v2/auth/identities/login', { body, headers: PUBLIC });
  return requests[0];
}

/** A provider that names these ways to show a secret, and refuses each. */
function tokenProvider(requests: TokenRequest[], methods: string[]) {
  return Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async (request) => {
      const issuer = new URL(request.url).origin;
      if (request.method === 'POST') {
        const authorization = request.headers.get('authorization');
        requests.push({ authorization, body: await request.text() });
        return Response.json({ error: 'invalid_client' }, { status: 401 });
      }
      return Response.json({
        issuer,
        authorization_endpoint: `${issuer}/a`,
        token_endpoint: `${issuer}/t`,
        jwks_uri: `${issuer}/j`,
        token_endpoint_auth_methods_supported: methods,
      });
    },
  });
}

/** An outside API that is busy once, with this Retry-After; `times` records its requests. */
function busyUntil(retryAfter: string, times: number[]) {
  return Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: () => {
      const isFirst = times.push(Date.now()) === 1;
      const headers = { 'retry-after': retryAfter };
      return isFirst ? new Response('{}', { status: 503, headers }) : Response.json({ ok: true });
    },
  });
}

const imfFixdate = (at: Date) => at.toUTCString();

function rfc850(at: Date): string {
  const [, day, month, year = '', time] = at.toUTCString().split(' ');
  return `${DAYS[at.getUTCDay()]}, ${day}-${month}-${year.slice(2)} ${time} GMT`;
}

function asctime(at: Date): string {
  const [name = '', day, month, year, time] = at.toUTCString().split(' ');
  return `${name.slice(0, 3)} ${month} ${String(Number(day)).padStart(2)} ${time} ${year}`;
}

/** Returns the fate of a sign-up's mail to `email`, at a server that refuses all recipients. */
async function mailTo(kit: Kit, email: string) {
  const commands: string[] = [];
  await using smtp = await refusingSmtp(commands);
  const it = await kit.up({
    HUTCH_SMTP_URL: `smtp://127.0.0.1:${smtp.port}`,
    HUTCH_MAIL_FROM: 'hutch@example.com',
  });
  const body = { email, username: 'reader', password: 'straw-and-carrots-1' };
  await it.call('POST', '/api/v2/auth/register', { body });
  const isTold = () => it.server.lines.some((line) => line['job'] === 'mail');
  for (let look = 0; look < 200 && !isTold(); look++) await Bun.sleep(100);
  using database = new Database(it.file('hutch.db'), { readonly: true });
  const waiting = database
    .query(`select count(*) from jobs where name = 'mail' and state <> 'dead'`)
    .values();
  return {
    recipients: commands.filter((each) => /^RCPT/i.test(each)),
    waiting: waiting[0]?.[0],
    isLogged: isTold(),
  };
}

/** A mail server that knows no recipient. */
async function refusingSmtp(commands: string[]) {
  const server = createServer((socket) => {
    socket.write('220 x\r\n');
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      for (const command of chunk.toString().split('\r\n').filter(Boolean)) {
        commands.push(command);
        const verb = command.slice(0, 4).toUpperCase();
        const answers: Record<string, string> = { RCPT: REFUSAL, QUIT: '221 x' };
        socket.write(`${answers[verb] ?? '250 ok'}\r\n`);
      }
    });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  const port = address && typeof address === 'object' ? address.port : 0;
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      server.close();
    },
  };
}
