import { type Check, same } from './hostile-kit.ts';

const NESTED = 20_000;
const CROWD = 60;
const ITEMS = 20_000;
/** What one request may make another wait, with room for a busy machine. */
const MOST_MS = 250;

const lines = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    JSON.stringify({ title: `common word ${index}`, description: 'common straw '.repeat(20) }),
  ).join('\n');

/** One caller must not stop the server or take it over. */
export const CALLERS: Check[] = [
  {
    sentence: 'A body of nested arrays is refused at once and takes no memory.',
    expected: 'a 4xx within 200 MB',
    run: async (kit) => {
      const it = await kit.up();
      const body = `{"login":${'['.repeat(NESTED)}${']'.repeat(NESTED)},"password":"x"}`;
      const status = await it.statusOf('POST', '/api/v2/auth/login', { body });
      const isOk = status >= 400 && status < 500 && it.peakMb() < 200;
      return { got: `${status}, ${it.peakMb()} MB`, isOk };
    },
  },
  {
    sentence: 'Large bodies of strangers hold nobody up.',
    expected: `all refused, health within ${MOST_MS} ms`,
    isTimed: true,
    run: async (kit) => {
      const it = await kit.up({ HUTCH_RATE_LIMIT: 'off' });
      const body = '['.repeat(1_000_000);
      const all = Promise.all(
        Array.from({ length: CROWD }, () => it.statusOf('POST', '/api/v2/items', { body })),
      );
      const slowest = await it.slowestHealth(all);
      const statuses = [...new Set(await all)];
      const isOk = statuses.every((status) => [401, 503].includes(status)) && slowest < MOST_MS;
      return { got: `${statuses.join()}, ${slowest} ms`, isOk };
    },
  },
  {
    sentence: 'A chunked request that is answered as malformed is not done.',
    expected: 'no item',
    run: async (kit) => {
      const it = await kit.up();
      const token = await it.register('tess');
      const head = `POST /api/v2/items HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
      await it.raw(`${head}d\r\n{"title":"t"}\r\n0\r\nX-Sum: 1\r\n\r\n`);
      const list = (await (await it.call('GET', '/api/v2/items', { token })).json()) as {
        data: [];
      };
      return same(list.data.length, 0);
    },
  },
  {
    sentence: 'An account of a stranger becomes no admin without a word.',
    expected: 'the command fails, the account stays a user',
    run: async (kit) => {
      const it = await kit.up();
      const token = await it.register('ops');
      const { hutch } = await import('../process/hutch.ts');
      const args = ['admin', 'create', '--data-dir', it.dir, '--email', 'ops@example.com'];
      const { status } = await hutch([...args, '--username', 'boss'], { env: {} });
      return same(
        [status !== 0, await it.statusOf('GET', '/api/v2/users', { token })],
        [true, 403],
      );
    },
  },
  {
    sentence: 'The export of a large account takes no memory and holds nobody up.',
    expected: `40 MB exported within 250 MB, health within ${MOST_MS} ms`,
    isTimed: true,
    run: async (kit) => {
      const it = await kit.up({ HUTCH_RATE_LIMIT: 'off' });
      const token = await it.register('big');
      const headers = { 'content-type': 'application/x-ndjson' };
      for (let part = 0; part < 4; part++) {
        const line = JSON.stringify({ title: 't', description: 'x'.repeat(9_000) });
        const body = Array<string>(1_000).fill(line).join('\n');
        await (await it.call('POST', '/api/v2/items/import', { token, headers, body })).text();
      }
      const exported = it.call('GET', '/api/v2/users/me/export', { token }).then((it) => it.text());
      const slowest = await it.slowestHealth(exported);
      const bytes = (await exported).length;
      const isOk = bytes > 36_000_000 && it.peakMb() < 250 && slowest < MOST_MS;
      return { got: `${bytes} bytes, ${it.peakMb()} MB, ${slowest} ms`, isOk };
    },
  },
  {
    sentence: 'Searches for common words and deep pages hold nobody up.',
    expected: `health within ${MOST_MS} ms`,
    isTimed: true,
    run: async (kit) => {
      const it = await kit.up({ HUTCH_RATE_LIMIT: 'off' });
      const token = await it.register('big');
      const headers = { 'content-type': 'application/x-ndjson' };
      await (
        await it.call('POST', '/api/v2/items/import', { token, headers, body: lines(ITEMS) })
      ).text();
      const paths = ['/api/v2/items?q=common+word+straw', `/api/v2/items?q=common&count=exact`];
      const crowd = Promise.all(
        Array.from({ length: 8 }, async (_, turn) => {
          for (let again = 0; again < 5; again++) {
            await it.statusOf('GET', paths[(turn + again) % 2] ?? '');
            await it.statusOf('GET', `/api/v1/items/?skip=${ITEMS - 100}`);
          }
        }),
      );
      const slowest = await it.slowestHealth(crowd);
      return { got: `${slowest} ms`, isOk: slowest < MOST_MS };
    },
  },
  {
    sentence: 'Deleting an account with many items holds nobody up.',
    expected: `204, health within ${MOST_MS} ms`,
    isTimed: true,
    run: async (kit) => {
      const it = await kit.up({ HUTCH_RATE_LIMIT: 'off' });
      const token = await it.register('big');
      const headers = { 'content-type': 'application/x-ndjson' };
      await (
        await it.call('POST', '/api/v2/items/import', { token, headers, body: lines(ITEMS) })
      ).text();
      const body = { password: 'straw-and-carrots-1' };
      const deleted = it.statusOf('DELETE', '/api/v2/users/me', { token, body });
      const slowest = await it.slowestHealth(deleted);
      return {
        got: `${await deleted}, ${slowest} ms`,
        isOk: (await deleted) === 204 && slowest < MOST_MS,
      };
    },
  },
  {
    sentence: 'The text of a URL moves no request past a limit.',
    expected: 'refusals after 20 requests',
    run: async (kit) => {
      const it = await kit.up({ HUTCH_LIMIT_REQUESTS: '20' });
      const statuses: string[] = [];
      for (let turn = 0; turn < 30; turn++) {
        const path = turn % 2 === 0 ? '/api/v2/items?q=://a/health/x' : '/health/../api/v2/items';
        const said = await it.raw(`GET ${path} HTTP/1.0\r\nConnection: close\r\n\r\n`);
        statuses.push(said.split(' ')[1] ?? '');
      }
      const refused = statuses.filter((status) => status === '429').length;
      return { got: `${refused} of 30 refused`, isOk: refused >= 5 };
    },
  },
  {
    sentence: 'A body that follows a refusal is not taken for ever.',
    expected: 'less than 64 MB',
    run: async (kit) => {
      const it = await kit.up();
      const { hostname, port } = new URL(it.server.url);
      let taken = 0;
      const chunk = Buffer.alloc(1024 * 1024, 120);
      const head =
        'POST /api/v2/items HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000000000\r\n\r\n';
      const { connect } = await import('node:net');
      const socket = connect(Number(port), hostname, () => socket.write(head));
      socket.on('error', () => {});
      const until = performance.now() + 2_000;
      while (performance.now() < until && !socket.destroyed) {
        const isTaken = await Promise.race([
          new Promise<boolean>((resolve) => socket.write(chunk, (error) => resolve(!error))),
          Bun.sleep(300).then(() => false),
        ]);
        if (!isTaken) break;
        taken++;
      }
      socket.destroy();
      return { got: `${taken} MB`, isOk: taken < 64 };
    },
  },
  {
    sentence: 'What an account may store is bounded, and the refusal names the quota.',
    expected: '201, 201, a 4xx quota_exceeded',
    run: async (kit) => {
      const it = await kit.up({ HUTCH_QUOTA_ITEMS: '2' });
      const token = await it.register('full');
      const post = () => it.call('POST', '/api/v2/items', { token, body: { title: 'a' } });
      const first = [(await post()).status, (await post()).status];
      const { code } = (await (await post()).json()) as { code: string };
      return same([...first, code], [201, 201, 'quota_exceeded']);
    },
  },
];
