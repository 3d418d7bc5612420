import { Database } from 'bun:sqlite';
import { copyFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { requireDeclaredAccess } from '../../../src/api/plugins/access-rules.ts';
import { createApp } from '../../../src/app.ts';
import { mailedLink } from '../../outbox.ts';
import { hutch } from '../../process/hutch.ts';
import { tempDir, testApp } from '../../support.ts';
import { overload } from '../load/overload.ts';
import { type Check, type Kit, PASSWORD, same } from './kit.ts';

type Up = Awaited<ReturnType<Kit['up']>>;

const CROWD = 60;
const ITEMS = 20_000;
const COPIED = 54;
const PROXY = { HUTCH_TRUSTED_PROXIES: '127.0.0.1' };
const by = (address: string) => ({ 'x-forwarded-for': address });
const [HOME, ELSEWHERE, STRANGER] = [by('198.51.100.7'), by('192.0.2.55'), by('203.0.113.9')];

const commonItems = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    JSON.stringify({ title: `common word ${index}`, description: 'common straw '.repeat(20) }),
  );

/** M1 to M9: costly work, locked-out owners, rules that fail open. */
export const MEDIUM: Check[] = [
  {
    finding: 'M1',
    sentence: 'Searches for common words, counts and deep pages hold nobody up.',
    expected: 'each 200, and health meanwhile',
    run: async (kit) => {
      const it = await kit.up({ HUTCH_RATE_LIMIT: 'off' });
      const rows = kit.rows(ITEMS);
      await it.importItems(await it.register('big'), commonItems(rows));
      const words = Array<string>(32).fill('common').join('+');
      const paths = [
        `/api/v2/items?q=${words}`,
        '/api/v2/items?q=common&count=exact',
        `/api/v1/items/?skip=${rows - 100}`,
      ];
      const statuses = new Set<number>();
      const ask = async () => {
        for (let turn = 0; turn < 15; turn++)
          statuses.add(await it.statusOf('GET', paths[turn % paths.length] ?? ''));
      };
      const watch = await it.healthDuring(Promise.all(Array.from({ length: 8 }, ask)));
      const isOk = [...statuses].join() === '200' && kit.isPrompt(watch, 10);
      return { got: `${[...statuses].join()}, ${JSON.stringify(watch)}`, isOk };
    },
  },
  {
    finding: 'M2',
    sentence: 'Whoever knows a name keeps its owner neither out nor from changing the password.',
    expected: 'a stranger is refused; the owner is not, at home, signed in, and after a reset',
    run: async (kit) => {
      const it = await kit.up(PROXY);
      const token = await it.register('owner', HOME);
      for (let turn = 0; turn < 30; turn++) await it.login('owner', 'wrong-password-1', STRANGER);
      const stranger = (await it.login('owner', PASSWORD, STRANGER)).status;
      const home = (await it.login('owner', PASSWORD, HOME)).status;
      const body = { current_password: PASSWORD, new_password: 'straw-and-carrots-2' };
      const init = { token, body, headers: ELSEWHERE };
      const changed = await it.statusOf('PUT', '/api/v2/users/me/password', init);
      await resetPassword(it, 'owner', 'straw-and-carrots-3');
      const reset = (await it.login('owner', 'straw-and-carrots-3', ELSEWHERE)).status;
      return same([stranger, home, changed, reset], [429, 200, 204, 200]);
    },
  },
  {
    finding: 'M3',
    sentence: 'A session alone makes no access token, and none lives for ever.',
    expected:
      'a 4xx without the password; with it an end, a mail, and no life after a new password',
    run: async (kit) => {
      const it = await kit.up();
      const session = await it.register('ada');
      const body = { name: 'x', scopes: ['items:read'] };
      const alone = await it.statusOf('POST', '/api/v2/tokens', { token: session, body });
      const endless = await it.statusOf('POST', '/api/v2/tokens', {
        token: session,
        body: { ...body, password: PASSWORD, expires_in_days: null },
      });
      const made = await it.jsonOf<{ token: string; expires_at: string | null }>(
        'POST',
        '/api/v2/tokens',
        { token: session, body: { ...body, password: PASSWORD } },
      );
      const { token } = made;
      const read = () => it.statusOf('GET', '/api/v2/items', { token });
      const before = await read();
      const isAnnounced = await it.hasMail(/access token/i);
      const change = { current_password: PASSWORD, new_password: 'straw-and-carrots-2' };
      await it.call('PUT', '/api/v2/users/me/password', { token: session, body: change });
      const got = [alone, endless >= 400, made.expires_at !== null, before, isAnnounced];
      return same([...got, await read()], [403, true, true, 200, true, 401]);
    },
  },
  {
    finding: 'M4',
    sentence: 'What the document calls a route for admins admits nobody else.',
    expected: '403 for a user and 401 for nobody, for each; and 403 for a role of one’s own',
    run: async (kit) => {
      const it = await kit.up();
      const token = await it.register('ada');
      const routes = await adminRoutes();
      const seen = new Set<string>();
      for (const { method, path } of routes) {
        const nobody = await it.statusOf(method, path);
        const body = method === 'GET' ? {} : { body: {} };
        seen.add(`${await it.statusOf(method, path, { token, ...body })} ${nobody}`);
      }
      const promotion = { token, body: { role: 'admin' } };
      const self = await it.statusOf('PATCH', '/api/v2/users/1', promotion);
      return same([routes.length > 5, [...seen], self], [true, ['403 401'], 403]);
    },
  },
  {
    finding: 'M4',
    sentence: 'A server with a route that declares no access does not start.',
    expected: 'an error that names the route',
    run: async () => {
      await using t = await testApp();
      const app = createApp(t.deps).patch('/api/v2/users/renamed/:id', () => 'open');
      try {
        requireDeclaredAccess(app);
      } catch (error) {
        return same(String(error).includes('PATCH /api/v2/users/renamed/:id'), true);
      }
      return { got: 'no error', isOk: false };
    },
  },
  {
    finding: 'M5',
    sentence: 'The text of a URL or Host moves no request past a limit.',
    expected: 'at most 20 of each 30 requests answered',
    run: async (kit) => {
      const answered: number[] = [];
      const forms = [
        'GET /api/v2/items?q=://a/health/x HTTP/1.0\r\n',
        'GET /health/../api/v2/items HTTP/1.0\r\n',
        'GET /api/v2/items?x=://a/health/x HTTP/1.1\r\nHost: a?\r\n',
        'GET /api/v1/items/popular?x=://a/health/x HTTP/1.1\r\nHost: a?\r\n',
      ];
      for (const form of forms) {
        const it = await kit.up({ HUTCH_LIMIT_REQUESTS: '20' });
        const statuses: string[] = [];
        for (let turn = 0; turn < 30; turn++) {
          const said = await it.raw(`${form}Connection: close\r\n\r\n`);
          statuses.push(said.split(' ')[1] ?? '');
        }
        answered.push(statuses.filter((status) => status === '200').length);
      }
      return { got: answered.join(', '), isOk: answered.every((count) => count <= 20) };
    },
  },
  {
    finding: 'M6',
    sentence: 'Large bodies of strangers hold nobody up.',
    expected: 'all refused, and health meanwhile',
    run: async (kit) => {
      const it = await kit.up({ HUTCH_RATE_LIMIT: 'off' });
      const body = '['.repeat(1_000_000);
      const all = Promise.all(
        Array.from({ length: CROWD }, () => it.statusOf('POST', '/api/v2/items', { body })),
      );
      const watch = await it.healthDuring(all);
      const statuses = [...new Set(await all)];
      const isOk =
        statuses.every((status) => [401, 503].includes(status)) && kit.isPrompt(watch, 0);
      return { got: `${statuses.join()}, ${JSON.stringify(watch)}`, isOk };
    },
  },
  {
    finding: 'M7',
    sentence: 'Deleting an account with many items holds nobody up.',
    expected: '204, and health meanwhile',
    run: async (kit) => {
      const it = await kit.up({ HUTCH_RATE_LIMIT: 'off' });
      const token = await it.register('big');
      await it.importItems(token, commonItems(kit.rows(ITEMS)));
      const deleted = it.statusOf('DELETE', '/api/v2/users/me', {
        token,
        body: { password: PASSWORD },
      });
      // Its rows are removed after the response, part by part.
      const emptied = deleted.then(() => untilEmpty(it));
      const watch = await it.healthDuring(emptied);
      const got = `${await deleted}, ${await emptied} items left, ${JSON.stringify(watch)}`;
      return { got, isOk: got.startsWith('204, 0 items') && kit.isPrompt(watch, 10) };
    },
  },
  {
    finding: 'M8',
    sentence: 'A copy of the database file alone has every item soon after the last write.',
    expected: `${COPIED} items in a whole file that others may not read`,
    run: async (kit) => {
      const it = await kit.up();
      const token = await it.register('ada');
      const lines = Array.from({ length: COPIED }, (_, index) => `{"title":"item ${index}"}`);
      await it.importItems(token, lines);
      while (statSync(it.file('hutch.db-wal')).size > 0) await Bun.sleep(200);
      const copy = join(tempDir(), 'copy.db');
      copyFileSync(it.file('hutch.db'), copy);
      using database = new Database(copy);
      const check = database.query('pragma integrity_check').values();
      const count = database.query('select count(*) from items').values();
      const { mode } = statSync(it.file('hutch.db'));
      return same([check, count, mode & 0o077], [[['ok']], [[COPIED]], 0]);
    },
  },
  {
    finding: 'M9',
    sentence: 'More requests than there is time for are refused, and probes answered.',
    expected: 'successes and 503 alone, every probe answered, and a stop that ends well',
    triedBy: 'test/campaigns/load/overload.test.ts',
    run: async () => {
      const budget = { connections: 1_000, seconds: 2, load: 400, goodput: 0, p99: 60_000 };
      const { losses, figures } = await overload.run(budget, () => {});
      return { got: losses.join(' ') || String(figures['responses']), isOk: losses.length === 0 };
    },
  },
];

async function resetPassword(it: Up, login: string, new_password: string): Promise<void> {
  const forgot = { body: { login }, headers: ELSEWHERE };
  await it.call('POST', '/api/v2/auth/password/forgot', forgot);
  const link = await mailedLink(it.dir, `${login}@example.com`, '/reset');
  const body = { token: link.split('#token=')[1], new_password };
  await it.call('POST', '/api/v2/auth/password/reset', { body, headers: ELSEWHERE });
}

/** The operations that the document calls admins' alone, with an id for each parameter. */
async function adminRoutes(): Promise<{ method: string; path: string }[]> {
  const { stdout } = await hutch(['openapi']);
  const { paths } = JSON.parse(stdout) as {
    paths: Record<string, Record<string, { description?: string }>>;
  };
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([, { description }]) => description?.includes('Only admins may call it.'))
      .map(([method]) => ({
        method: method.toUpperCase(),
        path: path.replace('{name}', 'weather').replace(/\{\w+\}/g, '1'),
      })),
  );
}

/** Waits until no items are left, or for a while, and returns their number. */
async function untilEmpty(it: Up): Promise<number> {
  using database = new Database(it.file('hutch.db'), { readonly: true });
  const count = () => Number(database.query('select count(*) from items').values()[0]?.[0]);
  for (let look = 0; look < 1_200 && count() > 0; look++) await Bun.sleep(100);
  return count();
}
