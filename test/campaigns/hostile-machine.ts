import { Database } from 'bun:sqlite';
import { readFileSync } from 'node:fs';
import { ADMIN, hutch } from '../process/hutch.ts';
import { tempDir } from '../support.ts';
import { type Check, same } from './hostile-kit.ts';

const KUBERNETES = {
  HUTCH_SERVICE_HOST: '10.0.0.1',
  HUTCH_SERVICE_PORT: '3000',
  HUTCH_PORT_3000_TCP: 'tcp://10.0.0.1:3000',
};

/** What a machine, a proxy and an operator do. */
export const MACHINE: Check[] = [
  {
    sentence: 'Entries of X-Forwarded-For with ports are the clients that they name.',
    expected: '401 six times',
    run: async (kit) => {
      const it = await kit.up({
        HUTCH_TRUSTED_PROXIES: '127.0.0.1',
        HUTCH_LIMIT_SIGN_INS_ADDRESS: '3',
      });
      const statuses = [];
      for (let turn = 1; turn <= 6; turn++) {
        const headers = { 'x-forwarded-for': `203.0.113.${turn}:5000${turn}` };
        statuses.push((await it.login(`u${turn}`, 'wrong-password', headers)).status);
      }
      return same(statuses, [401, 401, 401, 401, 401, 401]);
    },
  },
  {
    sentence: 'The variables of a Kubernetes Service named hutch are passed over.',
    expected: 'it serves',
    run: async (kit) =>
      same(await (await kit.up(KUBERNETES)).statusOf('GET', '/health/ready'), 200),
  },
  {
    sentence: 'Probes by address are answered when a public URL is set.',
    expected: '200 three times',
    run: async (kit) => {
      const it = await kit.up({ HUTCH_PUBLIC_URL: 'https://api.example.com' });
      const statuses = [];
      for (const host of ['127.0.0.1', '10.42.0.7:3000', 'hutch.default.svc']) {
        statuses.push(
          (await it.raw(`GET /health/ready HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).split(' ')[1],
        );
      }
      return same(statuses, ['200', '200', '200']);
    },
  },
  {
    sentence: 'While another process holds the write lock, everybody but writers is answered.',
    expected: 'health before the write, which is then 503 with Retry-After',
    run: async (kit) => {
      const it = await kit.up();
      const token = await it.register('ada');
      const other = new Database(it.file('hutch.db'));
      other.run('begin immediate');
      const order: string[] = [];
      const write = it.call('POST', '/api/v2/items', { token, body: { title: 'a' } });
      const noted = write.then(({ status, headers }) =>
        order.push(`${status} ${headers.get('retry-after')}`),
      );
      order.push(`health ${await it.statusOf('GET', '/health/live')}`);
      await noted;
      other.close();
      return same(order, ['health 200', '503 1']);
    },
  },
  {
    sentence: 'An import of many equal names beside a server refuses nobody a write.',
    expected: 'imported, every write 201',
    run: async (kit) => {
      const it = await kit.up({ HUTCH_RATE_LIMIT: 'off' });
      const token = await it.register('ada');
      const hash = `$2b$04$${'a'.repeat(53)}`;
      const lines = Array.from({ length: 2_000 }, (_, index) =>
        JSON.stringify({ email: `info@c${index}.example.com`, password_hash: hash }),
      );
      await Bun.write(it.file('users.jsonl'), lines.join('\n'));
      let isOver = false;
      const args = ['users', 'import', it.file('users.jsonl'), '--data-dir', it.dir];
      const importing = hutch(args, { env: {} }).finally(() => {
        isOver = true;
      });
      const statuses = new Set<number>();
      while (!isOver)
        statuses.add(await it.statusOf('POST', '/api/v2/items', { token, body: { title: 'a' } }));
      return same([(await importing).status, [...statuses]], [0, [201]]);
    },
  },
  {
    sentence: 'Listeners are told of what a command makes.',
    expected: 'both items',
    run: async (kit) => {
      const it = await kit.up();
      const token = await it.register('cli');
      const answer = await it.call('GET', '/api/v2/items/events', { token });
      let said = '';
      void (async () => {
        const text = (answer.body as ReadableStream<Uint8Array>).getReader();
        for (;;) said += Buffer.from((await text.read()).value ?? []).toString();
      })().catch(() => {});
      await Bun.write(it.file('one.jsonl'), '{"title":"by the command"}');
      await hutch(
        ['items', 'import', it.file('one.jsonl'), '--owner', 'cli', '--data-dir', it.dir],
        { env: {} },
      );
      await it.call('POST', '/api/v2/items', { token, body: { title: 'by the API' } });
      await Bun.sleep(2_000);
      return same([said.includes('by the command'), said.includes('by the API')], [true, true]);
    },
  },
  {
    sentence: 'A client that goes away in mid-body is no error in the log.',
    expected: 'no line',
    run: async (kit) => {
      const it = await kit.up();
      await it.raw(
        'POST /api/v2/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
      );
      await Bun.sleep(500);
      return same(
        it.server.lines.filter(({ level }) => level === 'error'),
        [],
      );
    },
  },
  {
    sentence: 'A wildcard as an origin is refused at start.',
    expected: 'status 2',
    run: async () => {
      const env = { HUTCH_CORS_ORIGINS: 'https://*.example.com' };
      return same(
        (await hutch(['serve', '--port', '0', '--data-dir', tempDir()], { env })).status,
        2,
      );
    },
  },
  {
    sentence: 'A server that everybody may reach without TLS warns.',
    expected: 'a warning',
    run: async (kit) => {
      const it = await kit.up({}, { args: ['--host', '0.0.0.0'] });
      return same(
        it.server.lines.some(({ level }) => level === 'warn'),
        true,
      );
    },
  },
  {
    sentence: 'A reader that pins the write-ahead log is told of.',
    expected: 'a warning and pinned_since',
    run: async (kit) => {
      const it = await kit.up({ ...ADMIN.env });
      const token = await it.server.signIn(ADMIN.username, ADMIN.password);
      using other = new Database(it.file('hutch.db'), { readonly: true });
      other.run('begin');
      other.query('select count(*) from items').all();
      await it.call('POST', '/api/v2/items', { token, body: { title: 'a' } });
      const isTold = () => it.server.lines.some((line) => 'bytes' in line && 'since' in line);
      for (let turn = 0; turn < 200 && !isTold(); turn++) await Bun.sleep(100);
      const stats = await (await it.call('GET', '/api/v2/system/stats', { token })).text();
      return same([isTold(), /"pinned_since":"2/.test(stats)], [true, true]);
    },
  },
  {
    sentence: 'A database that cannot be read is storage_failed, for writes too.',
    expected: '503 twice',
    run: async (kit) => {
      const it = await kit.up();
      const token = await it.register('ada');
      while (readFileSync(it.file('hutch.db-wal')).length > 0) await Bun.sleep(200);
      const pages = readFileSync(it.file('hutch.db')).length / 4096;
      const file = await import('node:fs').then((fs) => ({
        fs,
        fd: fs.openSync(it.file('hutch.db'), 'r+'),
      }));
      for (let page = 1; page < pages; page++) {
        file.fs.writeSync(file.fd, Buffer.alloc(4096, 0xff), 0, 4096, page * 4096);
      }
      file.fs.closeSync(file.fd);
      const other = new Database(it.file('hutch.db'));
      other.run('pragma user_version = 1');
      other.close();
      const read = await it.statusOf('GET', '/api/v2/items');
      const write = await it.statusOf('POST', '/api/v2/items', { token, body: { title: 'a' } });
      return same([read, write], [503, 503]);
    },
  },
  {
    sentence: 'Connections that are held open cost no time when descriptors run out.',
    expected: 'less than half of a core',
    isTimed: true,
    run: async (kit) => {
      const it = await kit.up();
      const { hostname, port } = new URL(it.server.url);
      const { connect } = await import('node:net');
      Bun.spawnSync(['prlimit', '--pid', String(it.server.pid), '--nofile=64:64']);
      const sockets = Array.from({ length: 90 }, () =>
        connect(Number(port), hostname).on('error', () => {}),
      );
      await Bun.sleep(500);
      const before = cpuSeconds(it.server.pid);
      await Bun.sleep(4_000);
      const share = (cpuSeconds(it.server.pid) - before) / 4;
      for (const socket of sockets) socket.destroy();
      return { got: `${Math.round(share * 100)} %`, isOk: share < 0.5 };
    },
  },
];

function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
