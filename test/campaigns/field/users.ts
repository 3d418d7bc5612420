import { writeFileSync } from 'node:fs';
import { TOTP } from 'otpauth';
import { createClient } from '../../../src/client.ts';
import { hutch } from '../../process/hutch.ts';
import { type Check, type Kit, PASSWORD, same } from '../hostile/kit.ts';

interface Headless {
  status: number;
  error: unknown;
}

type Up = Awaited<ReturnType<Kit['up']>>;

const LINES = { 'content-type': 'application/x-ndjson' };
const CSV = { 'content-type': 'text/csv' };
const BIG = '{"a":9007199254740993}';
const HUGE = '{"a":1e400}';
const PROTO = '{"__proto__":{"a":1},"k":1}';

const item = (data: string) => `{"title":"t","data":${data}}`;

/** Findings from users of an API: F10, F12, F13, F16, F18, F19, F21, F23, F24, F26, F36. */
export const FIELD_USERS: Check[] = [
  {
    finding: 'F10',
    sentence: 'A filter can be sent as one parameter of text, or nested.',
    expected: 'one item, each way',
    run: async (kit) => {
      const it = await kit.up();
      const token = await it.register('filter');
      for (const title of ['alpha', 'beta'])
        await it.call('POST', '/api/v2/items', { token, body: { title } });
      const counts = [];
      for (const query of ['where=title+eq+alpha', 'filter[title][eq]=alpha']) {
        const path = `/api/v2/items?${query}`;
        counts.push((await it.jsonOf<{ data: unknown[] }>('GET', path)).data.length);
      }
      return same(counts, [1, 1]);
    },
  },
  {
    finding: 'F12',
    sentence: 'A number that would lose precision is refused.',
    expected: 'a 4xx for each, and no line imported',
    run: async (kit) => {
      const it = await kit.up();
      const token = await it.register('num');
      return refusals(it, token, [BIG, HUGE]);
    },
  },
  {
    finding: 'F12',
    sentence: 'The gateway hands on a number as it came, or says that it cannot.',
    expected: 'the digits of the outside API, or 502, in both versions',
    run: async (kit) => {
      using upstream = serveJson('{"n":1234567890123456789,"e":1e400}');
      const it = await kit.up({ HUTCH_EXTERNAL_ALLOW_HOSTS: '127.0.0.1' });
      const token = await it.register('gate');
      const url = `http://127.0.0.1:${upstream.port}/`;
      const path = `/api/v1/external/?url=${encodeURIComponent(url)}`;
      const first = await it.call('GET', path, { token });
      const body = { calls: [{ url }] };
      const second = await it.call('POST', '/api/v2/sources/fetch', { token, body });
      const isWhole = (text: string) =>
        text.includes('1234567890123456789') && /1e\+?400/.test(text);
      const texts = [await first.text(), await second.text()];
      const isRefused = [first.status === 502, /"data":null.*"error":\{/.test(texts[1] ?? '')];
      const isOk = texts.every((text, index) => isWhole(text) || isRefused[index]);
      return { got: texts.join(' and '), isOk };
    },
  },
  {
    finding: 'F13',
    sentence: 'A property named __proto__ is refused, at any depth.',
    expected: 'a 4xx for each, and no line imported',
    run: async (kit) => {
      const it = await kit.up();
      const token = await it.register('proto');
      return refusals(it, token, [PROTO, `{"n":${PROTO}}`]);
    },
  },
  {
    finding: 'F13',
    sentence: 'A refused __proto__ changes nothing of an item.',
    expected: 'the data and ETag that were there',
    run: async (kit) => {
      const it = await kit.up();
      const token = await it.register('proto');
      const body = { title: 'p', data: { k: 1 } };
      await it.call('POST', '/api/v2/items', { token, body });
      const shown = async () => {
        const answer = await it.call('GET', '/api/v2/items/1', { token });
        return [answer.headers.get('etag'), ((await answer.json()) as { data: unknown }).data];
      };
      const before = await shown();
      const patch = { token, body: '{"data":{"n":{"__proto__":{"c":3}}}}' };
      const status = await it.statusOf('PATCH', '/api/v2/items/1', patch);
      return same([status, before[1], await shown()], [422, { k: 1 }, before]);
    },
  },
  {
    finding: 'F16',
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
        ` ${codes[3]?.toUpperCase()} `,
      ];
      const statuses = [];
      for (const code of spellings) {
        const login = { login: 'totp', password: PASSWORD, code };
        statuses.push(await it.statusOf('POST', '/api/v2/auth/login', { body: login }));
      }
      return same(
        statuses,
        spellings.map(() => 200),
      );
    },
  },
  {
    finding: 'F18',
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
    finding: 'F19',
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
    finding: 'F21',
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
    finding: 'F26',
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
    finding: 'F26',
    sentence: 'An account with a date that does not exist is not imported.',
    expected: 'line 1 refused, line 2 imported',
    run: async (kit) => {
      const it = await kit.up();
      const line = (email: string, created_at: string) =>
        JSON.stringify({ email, created_at, password_hash: `$2b$04$${'0'.repeat(53)}` });
      const lines = [
        line('l1@example.com', '2023-02-30'),
        line('l2@example.com', '2023-02-28T00:00:00z'),
      ];
      writeFileSync(it.file('l.jsonl'), lines.join('\n'));
      const args = ['users', 'import', it.file('l.jsonl'), '--skip-bad', '--data-dir', it.dir];
      const { stdout, stderr } = await hutch(args);
      const list = await hutch(['users', 'list', '--data-dir', it.dir]);
      const isThere = ['l1@', 'l2@'].map((name) => list.stdout.includes(name));
      return same([/line 1\b/i.test(stdout + stderr), isThere], [true, [false, true]]);
    },
  },
  {
    finding: 'F23',
    sentence: 'The gateway of the first version reads JSON whatever its label says.',
    expected: 'the document four times',
    run: async (kit) => {
      using upstream = serveLabels();
      const it = await kit.up({ HUTCH_EXTERNAL_ALLOW_HOSTS: '127.0.0.1' });
      const token = await it.register('ext');
      const texts = new Set<string>();
      for (const label of ['text', 'none', 'latin', 'coding']) {
        const url = encodeURIComponent(`http://127.0.0.1:${upstream.port}/${label}`);
        const path = `/api/v1/external/?url=${url}`;
        texts.add(await (await it.call('GET', path, { token })).text());
      }
      return same([...texts], ['[{"ok":true}]']);
    },
  },
  {
    finding: 'F24',
    sentence: 'A Location with raw UTF-8 leads where it says.',
    expected: 'a request for /caf%C3%A9',
    run: async (kit) => {
      const asked: string[] = [];
      using upstream = Bun.serve({
        port: 0,
        hostname: '127.0.0.1',
        fetch: ({ url }) => {
          asked.push(new URL(url).pathname);
          const location = Buffer.from('/café').toString('latin1');
          if (asked.length > 1) return Response.json({ ok: true });
          return new Response(null, { status: 302, headers: { location } });
        },
      });
      const it = await kit.up({ HUTCH_EXTERNAL_ALLOW_HOSTS: '127.0.0.1' });
      const token = await it.register('ext');
      const url = encodeURIComponent(`http://127.0.0.1:${upstream.port}/moved`);
      const status = await it.statusOf('GET', `/api/v1/external/?url=${url}`, { token });
      return same([status, asked], [200, ['/moved', '/caf%C3%A9']]);
    },
  },
  {
    finding: 'F36',
    sentence: 'The client rejects for nothing that a server says, and encodes parts of a path.',
    expected: 'an error with the status for each body, no error for HEAD, and no other path',
    run: async () => {
      const urls: string[] = [];
      const answering = (body: string | null, status: number) => {
        const fetcher = async (input: string | URL | Request) => {
          urls.push(input instanceof Request ? input.url : String(input));
          return new Response(body, { status, headers: { 'content-type': 'application/json' } });
        };
        return createClient('http://x', {
          retries: 0,
          fetch: fetcher as unknown as typeof fetch,
        }).api.v2;
      };
      const statuses: unknown[] = [];
      for (const body of ['<html>', '', '{"code":', null]) {
        statuses.push((await answering(body, 502).items.get()).error?.status);
        statuses.push((await answering(body, 200).items.get()).status);
      }
      const { head } = answering(null, 200).items as unknown as { head(): Promise<Headless> };
      const headless = await head();
      statuses.push(headless.error ?? headless.status);
      await answering('<html>', 502).sources({ name: '../items' }).get();
      const path = urls.at(-1)?.replace('http://x', '');
      const pairs = [502, 200, 502, 200, 502, 200, 502, 200];
      return same([statuses, path], [[...pairs, 200], '/api/v2/sources/..%2Fitems']);
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
    const cell = `"${data.replaceAll('"', '""')}"`;
    const table = { token, headers: CSV, body: `title,data\nt,${cell}\n` };
    for (const init of [lines, table]) {
      const report = await it.call('POST', '/api/v2/items/import', init);
      imported += ((await report.json()) as { created?: number }).created ?? 0;
    }
  }
  const isOk = statuses.every((status) => status >= 400 && status < 500) && imported === 0;
  return { got: `${statuses.join()}, ${imported} imported`, isOk };
}

function serveJson(text: string) {
  const headers = { 'content-type': 'application/json' };
  return Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: () => new Response(text, { headers }),
  });
}

/** An outside API whose JSON has labels that are wrong, missing or without meaning, by its path. */
function serveLabels() {
  const labels: Record<string, Record<string, string>> = {
    '/text': { 'content-type': 'text/plain' },
    '/latin': { 'content-type': 'application/json; charset=iso-8859-1' },
    '/coding': { 'content-type': 'application/json', 'content-encoding': 'utf-8' },
  };
  return Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: ({ url }) => {
      const body = new TextEncoder().encode('{"ok":true}');
      return new Response(body, { headers: labels[new URL(url).pathname] ?? {} });
    },
  });
}
