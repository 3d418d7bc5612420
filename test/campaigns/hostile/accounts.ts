import { readFileSync, writeFileSync } from 'node:fs';
import { mailedLink, mailsIn } from '../../outbox.ts';
import { ADMIN, hutch } from '../../process/hutch.ts';
import { areaBetween, timeOfPost } from '../../process/times.ts';
import { tempDir } from '../../support.ts';
import { type Check, type Kit, PASSWORD, same } from './kit.ts';

type Up = Awaited<ReturnType<Kit['up']>>;

const PROXY = { HUTCH_TRUSTED_PROXIES: '127.0.0.1' };
const HIDDEN = 20_000;
const MAILBOX = 'victim@example.com';

const from = (host: number) => ({ 'x-forwarded-for': `203.0.113.${host}` });

/** The low ones about accounts, sessions and what others see: L1, L2, L5, L7 to L11, L13, L14, L18. */
export const ACCOUNTS: Check[] = [
  {
    finding: 'L1',
    sentence: 'An account has one count of failures, by whatever name, and over a restart.',
    expected: '5 or, with a wait over, 6 judged of 12; 2 at most of 6 after a restart',
    run: async (kit) => {
      const first = await kit.up(PROXY);
      await first.register('target', { 'x-forwarded-for': '198.51.100.7' });
      const before = await judged(first, 12);
      await first.server.stop();
      const after = await judged(await kit.up(PROXY, { dir: first.dir }), 6);
      return { got: `${before} and ${after}`, isOk: before >= 1 && before <= 6 && after <= 2 };
    },
  },
  {
    finding: 'L2',
    sentence: 'The time of a refused sign-in does not tell an imported account from none.',
    expected: 'an area of 0.4 to 0.6 between them, for bcrypt and argon2',
    triedBy: 'test/process/accounts/timing.test.ts',
    run: async (kit) => {
      const dir = tempDir();
      const hashes = {
        bcrypt: Bun.password.hashSync(PASSWORD, { algorithm: 'bcrypt', cost: 7 }),
        argon2: Bun.password.hashSync(PASSWORD, {
          algorithm: 'argon2id',
          memoryCost: 8192,
          timeCost: 2,
        }),
      };
      const lines = Object.entries(hashes).map(([username, password_hash]) =>
        JSON.stringify({ email: `${username}@example.com`, username, password_hash }),
      );
      writeFileSync(`${dir}/users.jsonl`, lines.join('\n'));
      await hutch(['users', 'import', `${dir}/users.jsonl`, '--data-dir', dir]);
      const it = await kit.up({ HUTCH_RATE_LIMIT: 'off' }, { dir });
      const url = `${it.server.url}/api/v2/auth/login`;
      const refuse = (login: string) => () =>
        timeOfPost(url, { login, password: 'not-the-password' }, 401);
      const areas = [];
      for (const known of Object.keys(hashes))
        areas.push(await areaBetween(refuse(known), refuse('nobody')));
      const isOk = areas.every((area) => area > 0.4 && area < 0.6);
      return { got: areas.map((area) => area.toFixed(2)).join(', '), isOk };
    },
  },
  {
    finding: 'L5',
    sentence: 'A stream ends with its session.',
    expected: 'closed before the next heartbeat',
    run: async (kit) => {
      const it = await kit.up({ HUTCH_HEARTBEAT_SECONDS: '25' });
      const token = await it.register('ada');
      const answer = await it.call('GET', '/api/v2/items/events', { token });
      const ended = (async () => {
        try {
          for await (const _ of answer.body ?? []);
        } catch {
          // It is closed.
        }
        return true;
      })();
      await it.call('POST', '/api/v2/auth/logout', { token });
      return same(await Promise.race([ended, Bun.sleep(15_000).then(() => false)]), true);
    },
  },
  {
    finding: 'L7',
    sentence: 'A sign-in with a cookie over HTTP/1.0 without Host is no fault of the server.',
    expected: 'no 500',
    run: async (kit) => {
      const it = await kit.up();
      await it.register('ada');
      const body = JSON.stringify({ login: 'ada', password: PASSWORD, transport: 'cookie' });
      const said = await it.raw(
        `POST /api/v2/auth/login HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      const status = Number(said.split(' ')[1]);
      return { got: String(status), isOk: status >= 200 && status < 500 };
    },
  },
  {
    finding: 'L8',
    sentence: 'A cookie whose session ended is cleared, and what is public is shown.',
    expected: 'the status that anyone gets, and a cookie that is over, for each route',
    run: async (kit) => {
      const it = await kit.up(ADMIN.env);
      const own = { 'sec-fetch-site': 'same-origin' };
      const token = await it.server.signIn(ADMIN.username, ADMIN.password);
      await it.call('POST', '/api/v2/items', { token, body: { title: 'public' } });
      const headers = { ...own, cookie: await endedCookie(it, own) };
      const routes: [method: string, path: string][] = [
        ['GET', '/api/v2/items'],
        ['GET', '/api/v2/items/1'],
        ['GET', '/api/v2/items/1/stats'],
        ['POST', '/api/v2/items/1/views'],
        ['GET', '/api/v2/items/events'],
        ['POST', '/api/v2/auth/logout'],
      ];
      const wrong: string[] = [];
      for (const [method, path] of routes) {
        const anyone = await it.call(method, path, { headers: own });
        const ended = await it.call(method, path, { headers });
        const isCleared = ended.headers.getSetCookie().some((line) => /Max-Age=0/i.test(line));
        await Promise.all([anyone.body?.cancel(), ended.body?.cancel()]);
        const isSame = path.endsWith('/logout') ? ended.ok : ended.status === anyone.status;
        if (!isSame || !isCleared) wrong.push(`${method} ${path} ${ended.status} ${isCleared}`);
      }
      return same(wrong, []);
    },
  },
  {
    finding: 'L9',
    sentence: 'A mailed token is not in the files of the database once the mail is sent.',
    expected: 'found in neither file within 30 s',
    run: async (kit) => {
      const it = await kit.up();
      await it.register('ada');
      const token = (await mailedLink(it.dir, 'ada@example.com', '/verify')).split('#token=')[1];
      const isThere = () =>
        ['hutch.db', 'hutch.db-wal'].some((name) =>
          readFileSync(it.file(name), 'latin1').includes(token ?? ''),
        );
      let seconds = 0;
      for (; seconds < 30 && isThere(); seconds++) await Bun.sleep(1_000);
      return { got: isThere() ? 'still there' : `gone after ${seconds} s`, isOk: !isThere() };
    },
  },
  {
    finding: 'L10',
    sentence: 'A method that a path does not have is 405 with the methods that it has.',
    expected: '405 with an Allow that does not name it, for each',
    run: async (kit) => {
      const it = await kit.up();
      const token = await it.register('ada');
      const asked: [method: string, path: string][] = [
        ...['export', 'import', 'batch', 'popular'].map((it): [string, string] => [
          'PATCH',
          `items/${it}`,
        ]),
        ['DELETE', 'auth/passkeys/login'],
        ['DELETE', 'auth/passkeys/options'],
      ];
      const wrong: string[] = [];
      for (const [method, path] of asked) {
        const { status, headers } = await it.call(method, `/api/v2/${path}`, { token, body: {} });
        const allow = headers.get('allow') ?? '';
        if (status !== 405 || allow === '' || allow.includes(method)) {
          wrong.push(`${method} ${path} ${status} ${allow}`);
        }
      }
      return same(wrong, []);
    },
  },
  {
    finding: 'L10',
    sentence: 'Wrong parameters of a source, two Host headers and a long head are refused.',
    expected: '422 for each value of params; 400; 431 with a problem or nothing',
    run: async (kit) => {
      const it = await kit.up(ADMIN.env);
      const token = await it.server.signIn(ADMIN.username, ADMIN.password);
      const body = { name: 'up', base_url: 'http://127.0.0.1', access: 'user', ttl_seconds: 60 };
      await it.call('POST', '/api/v2/sources', { token, body });
      const statuses = new Set<number>();
      for (const params of [5, 'x', [], false]) {
        const dryRun = { token, body: { params } };
        statuses.add(await it.statusOf('POST', '/api/v2/sources/up/dry-run', dryRun));
        const fetching = { token, body: { calls: [{ source: 'up', params }] } };
        statuses.add(await it.statusOf('POST', '/api/v2/sources/fetch', fetching));
      }
      const get = 'GET /api/v2/items HTTP/1.1\r\nHost: a.example\r\n';
      const hosts = await it.raw(`${get}Host: b.example\r\nConnection: close\r\n\r\n`);
      const long = await it.raw(`${get}X-Long: ${'x'.repeat(100_000)}\r\n\r\n`);
      const got = [[...statuses], hosts.split(' ')[1], long.split(' ')[1]];
      return same(got, [[422], '400', '431']);
    },
  },
  {
    finding: 'L11',
    sentence: 'A cell of CSV is no formula, whatever stands before the sign.',
    expected: 'a quote before it',
    run: async (kit) => {
      const it = await kit.up();
      const token = await it.register('ada');
      const texts = ['=1+1', 'a;=1+1', '\n=1+1', ' =1+1', '\u00a0=1+1', '\ufeff=1+1', 'a\t=1+1'];
      for (const description of texts) {
        const body = { title: 'a', description };
        await it.call('POST', '/api/v2/items', { token, body });
      }
      const csv = await (await it.call('GET', '/api/v2/items/export?format=csv', { token })).text();
      const all = csv.match(/=1\+1/g)?.length;
      return same([all, csv.match(/(^|[,;"\t\n])\s*=1\+1/g)], [texts.length, null]);
    },
  },
  {
    finding: 'L13',
    sentence: 'Items that others may not see do not show in a filter of them.',
    expected: 'an empty page without a cursor, for each field',
    run: async (kit) => {
      const it = await kit.up();
      const [ada, eve] = [await it.register('ada'), await it.register('eve')];
      const item = { title: 't', visibility: 'private', tags: ['wood'], url: 'https://a.example' };
      await it.importItems(ada, Array<string>(kit.rows(HIDDEN)).fill(JSON.stringify(item)));
      const filters = ['owner_id][eq]=1', 'tags][eq]=wood', 'url][eq]=https://a.example'];
      const pages: string[] = [];
      for (const filter of filters) {
        const path = `/api/v2/items?filter[${filter}`;
        const { data, page } = await it.jsonOf<{
          data: unknown[];
          page: { has_more: boolean; next_cursor: string | null };
        }>('GET', path, { token: eve });
        pages.push(`${data.length} ${page.has_more} ${page.next_cursor}`);
      }
      return same(
        pages,
        filters.map(() => '0 false null'),
      );
    },
  },
  {
    finding: 'L14',
    sentence: 'A mailbox gets few mails, however many accounts have them sent.',
    expected: '5 mails of 8 that were asked for',
    run: async (kit) => {
      const it = await kit.up(PROXY);
      for (let eve = 1; eve <= 8; eve++) {
        const token = await it.register(`eve${eve}`, from(eve));
        const body = { new_email: MAILBOX, password: PASSWORD };
        await it.call('POST', '/api/v2/users/me/email', { token, body, headers: from(eve) });
      }
      const mailsTo = (to: string) =>
        mailsIn(it.dir).filter((mail) => mail.includes(`\nTo: ${to}\r\n`)).length;
      // Mails are sent in order: those to the last account are last.
      for (let look = 0; look < 100 && mailsTo('eve8@example.com') < 1; look++) await Bun.sleep(50);
      await Bun.sleep(500);
      return same(mailsTo(MAILBOX), 5);
    },
  },
  {
    finding: 'L18',
    sentence: 'With verification required a sign-up does not tell whether the address is taken.',
    expected: '202 with the same body',
    run: async (kit) => {
      const it = await kit.up({ ...ADMIN.env, HUTCH_EMAIL_VERIFICATION: 'required' });
      const signUp = async (email: string, username: string) => {
        const body = { email, username, password: PASSWORD };
        const answer = await it.call('POST', '/api/v2/auth/register', { body });
        return [answer.status, (await answer.text()).replaceAll(email, 'EMAIL')];
      };
      const taken = await signUp(ADMIN.env.HUTCH_ADMIN_EMAIL, 'somebody');
      return same([taken[0], await signUp('new@example.com', 'new')], [202, taken]);
    },
  },
  {
    finding: 'L18',
    sentence: 'Sessions and idempotency keys of an account are bounded.',
    expected: 'the oldest of three sessions ends; a third key is quota_exceeded',
    run: async (kit) => {
      const it = await kit.up({ HUTCH_QUOTA_SESSIONS: '2', HUTCH_QUOTA_IDEMPOTENCY_KEYS: '2' });
      const first = await it.register('ada');
      let token = '';
      for (let turn = 0; turn < 2; turn++) {
        ({ token } = (await (await it.login('ada')).json()) as { token: string });
      }
      const ended = await it.statusOf('GET', '/api/v2/users/me', { token: first });
      const codes: unknown[] = [];
      for (const key of ['a', 'b', 'c']) {
        const init = { token, body: { title: 'a' }, headers: { 'idempotency-key': `key-${key}` } };
        const { code, id } = await it.jsonOf<{ code?: string; id?: number }>(
          'POST',
          '/api/v2/items',
          init,
        );
        codes.push(code ?? id);
      }
      return same([ended, ...codes], [401, 1, 2, 'quota_exceeded']);
    },
  },
];

/** Guesses `count` times at once, by both names; returns how many guesses were judged. */
async function judged(it: Up, count: number): Promise<number> {
  const statuses = await Promise.all(
    Array.from({ length: count }, async (_, turn) => {
      const login = turn % 2 === 0 ? 'target' : 'target@example.com';
      return (await it.login(login, 'wrong-password-1', from(turn + 1))).status;
    }),
  );
  return statuses.filter((status) => status === 401).length;
}

/** Signs an admin in with a cookie and out again; returns the cookie. */
async function endedCookie(it: Up, headers: Record<string, string>): Promise<string> {
  const body = { login: ADMIN.username, password: ADMIN.password, transport: 'cookie' };
  const opened = await it.call('POST', '/api/v2/auth/login', { body, headers });
  const cookie = opened.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  await it.call('POST', '/api/v2/auth/logout', { headers: { ...headers, cookie } });
  return cookie;
}
