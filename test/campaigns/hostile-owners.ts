import { readFileSync } from 'node:fs';
import { ADMIN } from '../process/hutch.ts';
import { type Check, same } from './hostile-kit.ts';

const PROXY = { HUTCH_TRUSTED_PROXIES: '127.0.0.1' };

/** Private data stays private; owners keep their accounts. */
export const OWNERS: Check[] = [
  {
    sentence: 'A private item changes nothing that others see of a search.',
    expected: 'the same answer before and after, and a cursor that cannot be read',
    run: async (kit) => {
      const it = await kit.up();
      const [ada, eve] = [await it.register('ada'), await it.register('eve')];
      for (const title of ['alpha secret', 'secret beta', 'secret']) {
        await it.call('POST', '/api/v2/items', { token: eve, body: { title } });
      }
      const search = async () => {
        const answer = await it.call('GET', '/api/v2/items?q=secret&limit=1', { token: eve });
        return (await answer.json()) as { data: { id: number }[]; page: { next_cursor: string } };
      };
      const before = await search();
      const body = { title: 'secret secret secret', visibility: 'private' };
      for (let turn = 0; turn < 20; turn++)
        await it.call('POST', '/api/v2/items', { token: ada, body });
      const after = await search();
      const clear = Buffer.from(after.page.next_cursor, 'base64url').toString();
      return same([after.data[0]?.id, /^[{[].*[}\]]$/s.test(clear)], [before.data[0]?.id, false]);
    },
  },
  {
    sentence: 'Whoever knows a name cannot keep its owner out.',
    expected: '200 for the owner, at home',
    run: async (kit) => {
      const it = await kit.up(PROXY);
      const home = { 'x-forwarded-for': '198.51.100.7' };
      await it.register('owner', home);
      for (let turn = 0; turn < 20; turn++) {
        await it.login('owner', 'wrong-password-1', { 'x-forwarded-for': '203.0.113.9' });
      }
      return same((await it.login('owner', undefined, home)).status, 200);
    },
  },
  {
    sentence: 'An account has one count of failures, whatever name it is called by.',
    expected: 'at most 5 judged of 12',
    run: async (kit) => {
      const it = await kit.up(PROXY);
      await it.register('target', { 'x-forwarded-for': '198.51.100.7' });
      let judged = 0;
      for (let turn = 0; turn < 12; turn++) {
        const login = turn % 2 === 0 ? 'target' : 'target@example.com';
        const headers = { 'x-forwarded-for': `203.0.113.${turn + 1}` };
        if ((await it.login(login, 'wrong-password-1', headers)).status === 401) judged++;
      }
      return { got: `${judged} judged`, isOk: judged <= 5 };
    },
  },
  {
    sentence: 'A session alone makes no access token.',
    expected: 'a 4xx',
    run: async (kit) => {
      const it = await kit.up();
      const token = await it.register('ada');
      const body = { name: 'x', scopes: ['items:read'] };
      const status = await it.statusOf('POST', '/api/v2/tokens', { token, body });
      return { got: String(status), isOk: status >= 400 && status < 500 };
    },
  },
  {
    sentence: 'A stream ends with its session.',
    expected: 'closed within a second',
    run: async (kit) => {
      const it = await kit.up();
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
      return same(await Promise.race([ended, Bun.sleep(1_000).then(() => false)]), true);
    },
  },
  {
    sentence: 'A cookie whose session ended is cleared, and what is public is shown.',
    expected: '200 and a cookie that is over',
    run: async (kit) => {
      const it = await kit.up(ADMIN.env);
      const own = { 'sec-fetch-site': 'same-origin' };
      const body = { login: ADMIN.username, password: ADMIN.password, transport: 'cookie' };
      const opened = await it.call('POST', '/api/v2/auth/login', { body, headers: own });
      const cookie = opened.headers.getSetCookie()[0]?.split(';')[0] ?? '';
      await it.call('POST', '/api/v2/auth/logout', { headers: { ...own, cookie } });
      const list = await it.call('GET', '/api/v2/items', { headers: { ...own, cookie } });
      const cleared = list.headers.getSetCookie().some((it) => /Max-Age=0/i.test(it));
      return same([list.status, cleared], [200, true]);
    },
  },
  {
    sentence: 'A request without Host is no fault of the server.',
    expected: 'no 500',
    run: async (kit) => {
      const it = await kit.up();
      await it.register('ada');
      const body = '{"login":"ada","password":"straw-and-carrots-1","transport":"cookie"}';
      const said = await it.raw(
        `POST /api/v2/auth/login HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      const status = Number(said.split(' ')[1]);
      return { got: String(status), isOk: status >= 200 && status < 500 };
    },
  },
  {
    sentence: 'A method that a path does not have is 405 with Allow.',
    expected: '405',
    run: async (kit) => {
      const it = await kit.up();
      const token = await it.register('ada');
      const statuses = [];
      for (const path of ['export', 'import', 'batch', 'popular']) {
        statuses.push(await it.statusOf('PATCH', `/api/v2/items/${path}`, { token, body: {} }));
      }
      return same(statuses, [405, 405, 405, 405]);
    },
  },
  {
    sentence: 'A cell of CSV is no formula, whatever stands before the sign.',
    expected: 'a quote before it',
    run: async (kit) => {
      const it = await kit.up();
      const token = await it.register('ada');
      for (const title of ['\u00a0=1+1', '=1+1', 'a;=1+1']) {
        await it.call('POST', '/api/v2/items', { token, body: { title } });
      }
      const csv = await (await it.call('GET', '/api/v2/items/export?format=csv', { token })).text();
      const bare = csv.split('\n').filter((line) => /(^|[,;"])\s*=1\+1/.test(line));
      return same(bare, []);
    },
  },
  {
    sentence: 'A mailed token is not in the files of the database once the mail is sent.',
    expected: 'found in neither file within 30 s',
    run: async (kit) => {
      const it = await kit.up();
      await it.register('ada');
      const { Glob } = Bun;
      const mailOf = async () => (await Array.fromAsync(new Glob('outbox/*').scan(it.dir)))[0];
      for (let turn = 0; turn < 50 && !(await mailOf()); turn++) await Bun.sleep(100);
      const mail = readFileSync(it.file((await mailOf()) ?? ''), 'latin1').replaceAll('=\r\n', '');
      const token =
        /token=(?:3D)?([\w-]{40,})/.exec(mail)?.[1] ?? /#(?:token=)?([\w-]{40,})/.exec(mail)?.[1];
      if (!token) return { got: 'no token in the mail', isOk: false };
      const isThere = () =>
        ['hutch.db', 'hutch.db-wal'].some((name) =>
          readFileSync(it.file(name), 'latin1').includes(token),
        );
      let seconds = 0;
      for (; seconds < 30 && isThere(); seconds++) await Bun.sleep(1_000);
      return { got: isThere() ? 'still there' : `gone after ${seconds} s`, isOk: !isThere() };
    },
  },
];
