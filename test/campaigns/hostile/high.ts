import { Database } from 'bun:sqlite';
import { resolve } from 'node:path';
import { ADMIN, hutch } from '../../process/hutch.ts';
import type { Silence } from '../../process/network/inside-silence.ts';
import { hasNamespaces, openNamespace } from '../../process/network/namespace.ts';
import { tempDir } from '../../support.ts';
import { type Check, type Kit, PASSWORD, same, skipped } from './kit.ts';

type Up = Awaited<ReturnType<Kit['up']>>;

interface Page {
  data: { id: number }[];
  page: { next_cursor: string | null; total?: unknown };
}

const SEARCHES = ['secret', 'secret+al', 'sec', 'secret&count=exact', 'alpha'];
const EXPORT_PARTS = 4;
const PART_LINES = 1_000;

/** H1 to H4: what took the server, private data or the rights of an admin. */
export const HIGH: Check[] = [
  {
    finding: 'H1',
    sentence: 'Hosts whose names nobody answers for hold up no sign-in.',
    expected: 'others sign up, sign in and call hosts before the lookups are given up',
    triedBy: 'test/process/network/silence.test.ts',
    run: async () => {
      if (!(await hasNamespaces())) return skipped('it needs root and network namespaces');
      await using namespace = await openNamespace('campaign');
      const script = resolve(import.meta.dir, '../../process/network/inside-silence.ts');
      const said = await namespace.run([process.execPath, script, tempDir()]);
      const { answered } = JSON.parse(said) as Silence;
      const others = ['ada signs up 201', 'ada signs in 200', 'ada fetches 200 200'];
      const at = [...others, 'mallory fetches 200'].map((it) => answered.indexOf(it));
      const isOk = at.every((place, index) => place > (at[index - 1] ?? -1));
      return { got: answered.join(', '), isOk };
    },
  },
  {
    finding: 'H2',
    sentence: 'A private or binned item changes nothing that others see of a search.',
    expected: 'the same rows and counts before and after, and a cursor that cannot be read',
    run: async (kit) => {
      const it = await kit.up();
      const [ada, eve] = [await it.register('ada'), await it.register('eve')];
      for (const title of ['alpha secret', 'secret beta alp', 'secret', 'alpha beta']) {
        await it.call('POST', '/api/v2/items', { token: eve, body: { title } });
      }
      const before = await searches(it, eve);
      for (let turn = 0; turn < 20; turn++) await hideItem(it, ada, turn % 2 === 0);
      const after = await searches(it, eve);
      const { cursors } = after;
      const clear = cursors.filter((cursor) =>
        /^[{[].*[}\]]$/s.test(Buffer.from(cursor, 'base64url').toString('latin1')),
      );
      return same([cursors.length > 0, clear, after.seen], [true, [], before.seen]);
    },
  },
  {
    finding: 'H3',
    sentence: 'hutch admin create makes no account of a stranger an admin without a word.',
    expected: 'refused without --promote; with it the session and the password of the stranger end',
    run: async (kit) => {
      const it = await kit.up();
      const token = await it.register('ops');
      const create = ['admin', 'create', '--data-dir', it.dir, '--email', 'ops@example.com'];
      const refused = await hutch([...create, '--username', 'boss']);
      const before = await it.statusOf('GET', '/api/v2/users', { token });
      const promoted = await hutch([...create, '--promote']);
      const after = await it.statusOf('GET', '/api/v2/users/me', { token });
      const login = (await it.login('ops@example.com')).status;
      const got = [refused.status, before, promoted.status, after, login];
      return same(got, [1, 403, 0, 401, 401]);
    },
  },
  {
    finding: 'H3',
    sentence: 'The settings of the first admin promote nobody, and say that they did nothing.',
    expected: 'no admin, and a warning',
    run: async (kit) => {
      const first = await kit.up();
      await first.register(ADMIN.username);
      await first.server.stop();
      const second = await kit.up(ADMIN.env, { dir: first.dir });
      using database = new Database(second.file('hutch.db'), { readonly: true });
      const roles = database.query('select role from users').values();
      const isTold = second.server.lines.some(({ message }) =>
        String(message).startsWith('HUTCH_ADMIN_* had no effect'),
      );
      return same([roles, isTold], [[['user']], true]);
    },
  },
  {
    finding: 'H3',
    sentence: 'A username is never the address of another account.',
    expected: 'a 4xx to sign up so, and the admin of the settings is made',
    run: async (kit) => {
      const it = await kit.up();
      const body = { email: 'eve@example.com', username: 'root@example.com', password: PASSWORD };
      const status = await it.statusOf('POST', '/api/v2/auth/register', { body });
      await it.server.stop();
      const again = await kit.up(ADMIN.env, { dir: it.dir });
      const login = await again.login(ADMIN.env.HUTCH_ADMIN_EMAIL, ADMIN.password);
      return same([status >= 400 && status < 500, login.status], [true, 200]);
    },
  },
  {
    finding: 'H4',
    sentence: 'The export of a large account takes no memory and holds nobody up.',
    expected: 'all items exported within 250 MB, and health meanwhile',
    run: async (kit) => {
      const it = await kit.up({ HUTCH_RATE_LIMIT: 'off' });
      const token = await it.register('big');
      const line = JSON.stringify({ title: 't', description: 'x'.repeat(9_000) });
      const lines = Array<string>(kit.rows(PART_LINES)).fill(line);
      for (let part = 0; part < EXPORT_PARTS; part++) await it.importItems(token, lines);
      const exported = it.call('GET', '/api/v2/users/me/export', { token }).then((it) => it.text());
      const watch = await it.healthDuring(exported);
      const bytes = (await exported).length;
      const isWhole = bytes > 9_000 * EXPORT_PARTS * lines.length;
      const isOk = isWhole && it.peakMb() < 250 && kit.isPrompt(watch, 1);
      return { got: `${bytes} bytes, ${it.peakMb()} MB, ${JSON.stringify(watch)}`, isOk };
    },
  },
  {
    finding: 'H4',
    sentence: 'What an account may store is bounded, and the refusal names the quota.',
    expected: '201, 201, and quota_exceeded of items, for an import too',
    run: async (kit) => {
      const it = await kit.up({ HUTCH_QUOTA_ITEMS: '2' });
      const token = await it.register('full');
      const post = () => it.call('POST', '/api/v2/items', { token, body: { title: 'a' } });
      const statuses = [(await post()).status, (await post()).status];
      const refused = (await (await post()).json()) as { code: string; quota?: { name: string } };
      const imported = await it.importItems(token, ['{"title":"b"}']).catch(String);
      const isRefused = String(imported).includes('quota_exceeded');
      return same([...statuses, refused.code, isRefused], [201, 201, 'quota_exceeded', true]);
    },
  },
];

/**
 * Each search to its end, as `token` sees it: its ids in their order, and its counts. How many are
 * on a page is left out: a busy machine makes pages shorter.
 */
async function searches(it: Up, token: string) {
  const cursors: string[] = [];
  const seen: unknown[] = [];
  for (const search of SEARCHES) {
    const ids: number[] = [];
    let cursor: string | null = '';
    for (let page = 0; page < 50 && cursor !== null; page++) {
      const path: string = `/api/v2/items?limit=1&q=${search}${cursor && `&cursor=${cursor}`}`;
      const list: Page = await it.jsonOf<Page>('GET', path, { token });
      ids.push(...list.data.map(({ id }) => id));
      seen.push(list.page.total ?? null);
      cursor = list.page.next_cursor;
      if (cursor !== null) cursors.push(cursor);
    }
    seen.push(ids);
  }
  return { cursors, seen: seen.filter((each) => each !== null) };
}

/** Makes an item of the same words that others may not see. */
async function hideItem(it: Up, token: string, isBinned: boolean): Promise<void> {
  const title = 'secret secret alphabet beta';
  const body = { title, visibility: isBinned ? 'public' : 'private' };
  const { id } = await it.jsonOf<{ id: number }>('POST', '/api/v2/items', { token, body });
  if (isBinned) await it.call('DELETE', `/api/v2/items/${id}`, { token });
}
