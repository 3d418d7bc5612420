import { Database } from 'bun:sqlite';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { hutch } from '../../process/hutch.ts';
import { type Check, type Kit, same } from '../hostile/kit.ts';

type Up = Awaited<ReturnType<Kit['up']>>;

const PUBLIC = 'https://api.example.com';
const IMPORTED = 2_000;
const HELD = 90;
const WATCHED_SECONDS = 4;
const JSON_TYPE = 'Content-Type: application/json\r\n';

/** The environment variables that a Service named hutch adds to pods. */
const KUBERNETES = {
  HUTCH_SERVICE_HOST: '10.0.0.1',
  HUTCH_SERVICE_PORT: '3000',
  HUTCH_SERVICE_PORT_HTTP: '3000',
  HUTCH_PORT: 'tcp://10.0.0.1:3000',
  HUTCH_PORT_3000_TCP: 'tcp://10.0.0.1:3000',
  HUTCH_PORT_3000_TCP_ADDR: '10.0.0.1',
  HUTCH_API_SERVICE_HOST: '10.0.0.1',
};

/** Findings that stop or mislead the server: F1 to F7, F11, F15, F39. */
export const FIELD_SERVER: Check[] = [
  {
    finding: 'F1',
    sentence: 'A body of nested arrays is refused at once and takes no memory.',
    expected: 'a 4xx for 20,000 and 50,000 levels within 200 MB, and health meanwhile',
    run: async (kit) => {
      const it = await kit.up();
      const send = async (levels: number) => {
        const body = `{"login":${'['.repeat(levels)}${']'.repeat(levels)},"password":"x"}`;
        const head = `POST /api/v2/auth/login HTTP/1.1\r\nHost: localhost\r\n${JSON_TYPE}`;
        const said = await it.raw(`${head}Content-Length: ${body.length}\r\n\r\n${body}`);
        return Number(said.split(' ')[1]);
      };
      const all = Promise.all([send(20_000), ...Array.from({ length: 8 }, () => send(50_000))]);
      const watch = await it.healthDuring(all);
      const statuses = await all;
      const isRefused = statuses.every((status) => status >= 400 && status < 500);
      const isOk = isRefused && it.peakMb() < 200 && watch.failures === 0;
      return { got: `${statuses.join()}, ${it.peakMb()} MB, ${JSON.stringify(watch)}`, isOk };
    },
  },
  {
    finding: 'F2',
    sentence: 'A chunked request with trailers, or one that is cut, is not done.',
    expected: 'no success and no item',
    run: async (kit) => {
      const it = await kit.up();
      const token = await it.register('tess');
      const head = `POST /api/v2/items HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\n`;
      const bodies = ['d\r\n{"title":"t"}\r\n0\r\nX-Sum: 1\r\n\r\n', 'd\r\n{"title":"t"}\r\n0\r\n'];
      const said = [];
      for (const body of bodies) said.push((await it.raw(head + body)).split(' ')[1]);
      const list = await it.jsonOf<{ data: unknown[] }>('GET', '/api/v2/items', { token });
      return same([said.includes('201'), list.data], [false, []]);
    },
  },
  {
    finding: 'F3',
    sentence: 'Entries of X-Forwarded-For with ports or brackets are the clients that they name.',
    expected: '401 six times, for each form',
    run: async (kit) => {
      const forms = [
        (turn: number) => `203.0.113.${turn}:5000${turn}`,
        (turn: number) => `[2001:db8:${turn}::1]`,
        (turn: number) => `[2001:db8:${turn}::1]:5000`,
      ];
      const statuses = new Set<number>();
      for (const form of forms) {
        const it = await kit.up({
          HUTCH_TRUSTED_PROXIES: '127.0.0.1',
          HUTCH_LIMIT_SIGN_INS_ADDRESS: '3',
        });
        for (let turn = 1; turn <= 6; turn++) {
          const headers = { 'x-forwarded-for': form(turn) };
          statuses.add((await it.login(`u${turn}`, 'wrong-password', headers)).status);
        }
      }
      return same([...statuses], [401]);
    },
  },
  {
    finding: 'F4',
    sentence: 'The variables of a Kubernetes Service named hutch are passed over.',
    expected: 'it serves, and healthcheck reaches it',
    run: async (kit) => {
      const it = await kit.up(KUBERNETES);
      const { port } = new URL(it.server.url);
      const env = { HUTCH_API_SERVICE_HOST: '10.0.0.1', HUTCH_PORT: port };
      const ready = await it.statusOf('GET', '/health/ready');
      return same([ready, (await hutch(['healthcheck'], { env })).status], [200, 0]);
    },
  },
  {
    finding: 'F5',
    sentence: 'Probes by address are answered when a public URL is set.',
    expected: '200 for each Host, and for the public one with a dot',
    run: async (kit) => {
      const it = await kit.up({ HUTCH_PUBLIC_URL: PUBLIC });
      const get = async (path: string, host: string) =>
        (await it.raw(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)).split(
          ' ',
        )[1];
      const statuses = [];
      for (const host of ['127.0.0.1', '10.42.0.7:3000', 'hutch.default.svc'])
        statuses.push(await get('/health/ready', host));
      statuses.push(await get('/api/v2/items', 'api.example.com.'));
      return same(statuses, ['200', '200', '200', '200']);
    },
  },
  {
    finding: 'F6',
    sentence: 'While another process holds the write lock, everybody but writers is answered.',
    expected: 'health and a list before the writes, which are then 503 with Retry-After',
    run: async (kit) => {
      const it = await kit.up();
      const token = await it.register('ada');
      const other = new Database(it.file('hutch.db'));
      // The server may be writing: it queues and sends a mail after a sign-up.
      other.run('pragma busy_timeout = 5000');
      other.run('begin immediate');
      const order: string[] = [];
      const writes = Array.from({ length: 4 }, async () => {
        const init = { token, body: { title: 'a' } };
        const { status, headers } = await it.call('POST', '/api/v2/items', init);
        order.push(`${status} ${headers.get('retry-after')}`);
      });
      order.push(`health ${await it.statusOf('GET', '/health/live')}`);
      order.push(`list ${await it.statusOf('GET', '/api/v2/items')}`);
      await Promise.all(writes);
      other.close();
      return same(order, ['health 200', 'list 200', ...Array<string>(4).fill('503 1')]);
    },
  },
  {
    finding: 'F7',
    sentence: 'An import of many equal names beside a server refuses nobody a write.',
    expected: 'imported, every write 201',
    run: async (kit) => {
      const it = await kit.up({ HUTCH_RATE_LIMIT: 'off' });
      const token = await it.register('ada');
      const hash = `$2b$04$${'a'.repeat(53)}`;
      const lines = Array.from({ length: kit.rows(IMPORTED) }, (_, index) =>
        JSON.stringify({ email: `info@c${index}.example.com`, password_hash: hash }),
      );
      writeFileSync(it.file('users.jsonl'), lines.join('\n'));
      let isOver = false;
      const args = ['users', 'import', it.file('users.jsonl'), '--data-dir', it.dir];
      const importing = hutch(args).finally(() => {
        isOver = true;
      });
      const statuses = new Set<number>();
      while (!isOver)
        statuses.add(await it.statusOf('POST', '/api/v2/items', { token, body: { title: 'a' } }));
      return same([(await importing).status, [...statuses]], [0, [201]]);
    },
  },
  {
    finding: 'F11',
    sentence: 'Listeners are told of what a command makes, in the order of the events.',
    expected: 'both items, once each and in order; the same for who resumes from 0',
    run: async (kit) => {
      const it = await kit.up();
      const token = await it.register('cli');
      const listening = titlesHeard(it, token, '');
      await Bun.sleep(500);
      writeFileSync(it.file('one.jsonl'), '{"title":"by the command"}');
      const args = ['items', 'import', it.file('one.jsonl'), '--owner', 'cli'];
      await hutch([...args, '--data-dir', it.dir]);
      await it.call('POST', '/api/v2/items', { token, body: { title: 'by the API' } });
      const both = ['by the command', 'by the API'];
      const resumed = await titlesHeard(it, token, '?last_event_id=0');
      return same([await listening, resumed], [both, both]);
    },
  },
  {
    finding: 'F15',
    sentence: 'A client that goes away in mid-body is no error in the log.',
    expected: 'no line',
    run: async (kit) => {
      const it = await kit.up();
      const head = `POST /api/v2/auth/login HTTP/1.1\r\nHost: localhost\r\n${JSON_TYPE}`;
      await it.raw(`${head}Content-Length: 100\r\n\r\n{`, 500);
      await Bun.sleep(500);
      // Its line follows those of the earlier work.
      await it.call('GET', '/health/ready');
      const errors = it.server.lines.filter(({ level }) => level === 'error');
      return same([it.server.lines.length > 0, errors], [true, []]);
    },
  },
  {
    finding: 'F39',
    sentence: 'Connections that are held open cost no time when descriptors run out.',
    expected: 'less than half of a core, and an answer once they are closed',
    run: async (kit) => {
      const it = await kit.up();
      const { hostname, port } = new URL(it.server.url);
      Bun.spawnSync(['prlimit', '--pid', String(it.server.pid), '--nofile=64:64']);
      const sockets = Array.from({ length: HELD }, () =>
        connect(Number(port), hostname).on('error', () => {}),
      );
      await Bun.sleep(500);
      const before = cpuSeconds(it.server.pid);
      await Bun.sleep(WATCHED_SECONDS * 1_000);
      const share = (cpuSeconds(it.server.pid) - before) / WATCHED_SECONDS;
      for (const socket of sockets) socket.destroy();
      const status = await it.statusOf('GET', '/health/live');
      const isOk = share < 0.5 && status === 200;
      return { got: `${Math.round(share * 100)} %, then ${status}`, isOk };
    },
  },
];

/** The titles of the first two items that a listener receives. */
async function titlesHeard(it: Up, token: string, query: string): Promise<string[]> {
  const answer = await it.call('GET', `/api/v2/items/events${query}`, { token });
  let said = '';
  const titles = () => [...said.matchAll(/"title":"([^"]*)"/g)].map(([, title]) => title ?? '');
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  const patience = Bun.sleep(30_000).then(() => undefined);
  while (titles().length < 2) {
    const read = await Promise.race([reader.read(), patience]);
    if (!read || read.done) break;
    said += Buffer.from(read.value).toString();
  }
  await reader.cancel();
  return titles();
}

function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
