import { TOTP } from 'otpauth';
import { createClient } from '../../src/client.ts';
import { type Check, type Kit, same } from './hostile-kit.ts';

type Up = Awaited<ReturnType<Kit['up']>>;

const PASSWORD = 'straw-and-carrots-1';
const LINES = { 'content-type': 'application/x-ndjson' };
const BIG = '{"a":9007199254740993}';
const HUGE = '{"a":1e400}';
const PROTO = '{"__proto__":{"a":1},"k":1}';

const item = (data: string) => `{"title":"t","data":${data}}`;

/** What the people who use an API send, and what they expect. */
export const FIELD_USERS: Check[] = [
  {
    sentence: 'A number that would lose precision is refused.',
    expected: 'a 4xx for each, and no line imported',
    run: async (kit) => {
      const it = await kit.up();
      const token = await it.register('num');
      return refusals(it, token, [BIG, HUGE]);
    },
  },
  {
    sentence: 'A property named __proto__ is refused, at any depth.',
    expected: 'a 4xx for each, and no line imported',
    run: async (kit) => {
      const it = await kit.up();
      const token = await it.register('proto');
      return refusals(it, token, [PROTO, `{"n":${PROTO}}`]);
    },
  },
  {
    sentence: 'Authenticator and recovery codes may have blanks and dashes.',
    expected: '200 for each spelling',
    run: async (kit) => {
      const it = await kit.up({ HUTCH_RATE_LIMIT: 'off' });
      const token = await it.register('totp');
      const body = { password: PASSWORD };
      const begun = await it.call('POST', '/api/v2/auth/totp', { token, body });
      const { secret } = (await begun.json()) as { secret: string };
      const totp = new TOTP({ secret });
      const confirmed = await it.call('POST', '/api/v2/auth/totp/confirm', {
        token,
        body: { code: totp.generate() },
      });
      const { recovery_codes: codes } = (await confirmed.json()) as { recovery_codes: string[] };
      const next = totp.generate({ timestamp: Date.now() + 30_000 });
      const spellings = [
        `${next.slice(0, 3)} ${next.slice(3)}`,
        codes[0]?.replaceAll('-', '') ?? '',
        codes[1]?.replaceAll('-', ' ') ?? '',
        `${codes[2]}\n`,
      ];
      const statuses = [];
      for (const code of spellings) {
        const login = { login: 'totp', password: PASSWORD, code };
        statuses.push(await it.statusOf('POST', '/api/v2/auth/login', { body: login }));
      }
      return same(statuses, [200, 200, 200, 200]);
    },
  },
  {
    sentence: 'The first version takes a login as a multipart form.',
    expected: '200',
    run: async (kit) => {
      const it = await kit.up();
      await it.register('form');
      const body = new FormData();
      body.set('username', 'form');
      body.set('password', PASSWORD);
      const url = `${it.server.url}/api/v1/login/access-token`;
      return same((await fetch(url, { method: 'POST', body })).status, 200);
    },
  },
  {
    sentence: 'Blanks round an address and spellings of its domain make no other account.',
    expected: '200 or 201 for blanks and NFD; 409 for the second spelling of each',
    run: async (kit) => {
      const it = await kit.up();
      await it.register('space');
      const register = (email: string, username: string) =>
        it.statusOf('POST', '/api/v2/auth/register', {
          body: { email, username, password: PASSWORD },
        });
      const first = { email: ' ann@example.com ', username: 'ann', password: PASSWORD };
      const statuses = [
        await it.statusOf('POST', '/api/v1/users/', { body: first }),
        (await it.login('space@example.com ')).status,
        await register('user@bücher.example', 'one'),
        await register('user@xn--bcher-kva.example', 'two'),
        await register('jose\u0301@example.com', 'three'),
        await register('jos\u00e9@example.com', 'four'),
      ];
      return same(statuses, [200, 200, 201, 409, 201, 409]);
    },
  },
  {
    sentence: 'Words in scripts without blanks are found, and Greek without its accents.',
    expected: 'one item for each word',
    run: async (kit) => {
      const it = await kit.up();
      const token = await it.register('words');
      for (const title of ['静默播客飞书', 'Ελλάδα ΑΘΗΝΑ', 'テスト自動化', 'ภาษาไทย']) {
        await it.call('POST', '/api/v2/items', { token, body: { title } });
      }
      const words = ['静默', '播客', 'ΑΘΗΝΑ', 'αθήνα', 'ελλαδα', 'テスト', '自動', 'ภาษา', 'ไทย'];
      const found = [];
      for (const word of words) {
        const list = await it.call('GET', `/api/v2/items?q=${encodeURIComponent(word)}`);
        found.push(((await list.json()) as { data: unknown[] }).data.length);
      }
      return same(
        found,
        words.map(() => 1),
      );
    },
  },
  {
    sentence: 'Dates that do not exist are refused, and all of RFC 3339 is read.',
    expected: '400 for the first four, 200 for the last two',
    run: async (kit) => {
      const it = await kit.up();
      const dates = [
        '2027-02-29',
        '2026-02-31',
        '2026-04-31T00:00:00Z',
        '2026-02-32',
        '2026-11-26t00:00:00z',
        '2016-12-31T23:59:60Z',
      ];
      const statuses = [];
      for (const date of dates) {
        const query = `filter[created_at][gte]=${encodeURIComponent(date)}`;
        statuses.push(await it.statusOf('GET', `/api/v2/items?${query}`));
      }
      return same(statuses, [400, 400, 400, 400, 200, 200]);
    },
  },
  {
    sentence: 'The gateway of the first version reads JSON whatever its label says.',
    expected: '200 with the document four times, and a Location in UTF-8 as it is',
    run: async (kit) => {
      const asked: string[] = [];
      using upstream = Bun.serve({
        port: 0,
        hostname: '127.0.0.1',
        fetch: (it) => label(it, asked),
      });
      const it = await kit.up({ HUTCH_EXTERNAL_ALLOW_HOSTS: '127.0.0.1' });
      const token = await it.register('ext');
      const statuses = [];
      for (const path of ['text', 'none', 'latin', 'coding', 'moved']) {
        const url = encodeURIComponent(`http://127.0.0.1:${upstream.port}/${path}`);
        statuses.push(await it.statusOf('GET', `/api/v1/external/?url=${url}`, { token }));
      }
      return same([...statuses, asked.at(-1)], [200, 200, 200, 200, 200, '/caf%C3%A9']);
    },
  },
  {
    sentence: 'The client rejects for nothing that a server says, and encodes parts of a path.',
    expected: 'an error with the status, and no other path',
    run: async () => {
      const urls: string[] = [];
      const fetcher = async (input: string | URL | Request) => {
        urls.push(input instanceof Request ? input.url : String(input));
        const headers = { 'content-type': 'application/json' };
        return new Response('<html>', { status: 502, headers });
      };
      const client = createClient('http://x', {
        retries: 0,
        fetch: fetcher as unknown as typeof fetch,
      });
      const { error } = await client.api.v2.items.get();
      await client.api.v2.sources({ name: '../items' }).get();
      const path = urls.at(-1)?.replace('http://x', '');
      return same([Number(error?.status), path], [502, '/api/v2/sources/..%2Fitems']);
    },
  },
];

/** Creates, imports and updates an item with each of `all` as its data; right are refusals. */
async function refusals(it: Up, token: string, all: string[]) {
  const own = await it.call('POST', '/api/v2/items', { token, body: { title: 'own' } });
  const { id } = (await own.json()) as { id: number };
  const statuses: number[] = [];
  let imported = 0;
  for (const data of all) {
    statuses.push(await it.statusOf('POST', '/api/v2/items', { token, body: item(data) }));
    const patch = { token, body: `{"data":${data}}` };
    statuses.push(await it.statusOf('PATCH', `/api/v2/items/${id}`, patch));
    const batch = { token, body: `{"operations":[{"op":"create","item":${item(data)}}]}` };
    statuses.push(await it.statusOf('POST', '/api/v2/items/batch', batch));
    const lines = { token, headers: LINES, body: `${item(data)}\n` };
    const report = await it.call('POST', '/api/v2/items/import', lines);
    imported += ((await report.json()) as { created?: number }).created ?? 0;
  }
  const isOk = statuses.every((status) => status >= 400 && status < 500) && imported === 0;
  return { got: `${statuses.join()}, ${imported} imported`, isOk };
}

function label({ url }: Request, asked: string[]): Response {
  const { pathname } = new URL(url);
  asked.push(pathname);
  const headers: Record<string, Record<string, string>> = {
    '/text': { 'content-type': 'text/plain' },
    '/latin': { 'content-type': 'application/json; charset=iso-8859-1' },
    '/coding': { 'content-type': 'application/json', 'content-encoding': 'utf-8' },
  };
  const location = Buffer.from('/café').toString('latin1');
  if (pathname === '/moved') return new Response(null, { status: 302, headers: { location } });
  return new Response(new TextEncoder().encode('{"ok":true}'), {
    headers: headers[pathname] ?? {},
  });
}
