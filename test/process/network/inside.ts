/**
 * Runs in a network namespace in which every address is local: starts listeners, a name server and
 * Hutch, requests URLs that Hutch must not connect to, and prints its observations as JSON. Its only
 * argument is a data directory.
 */
import { createServer } from 'node:net';
import { hostileRows } from '../../core/outbound/hostile-urls.ts';
import { ADMIN, type RunningHutch, serve } from '../hutch.ts';
import { startNameServer, type Zone } from './name-server.ts';

export interface Seen {
  /** The connections of the script itself, which prove that connections are observed. */
  control: string[];
  /** The address and port of every connection of Hutch. */
  dialled: string[];
  /** The received requests with their local address and Host header. */
  requests: { address: string; host: string; path: string }[];
  /** The statuses of the calls by test case. */
  statuses: Record<string, number[]>;
  /** The number of DNS queries by `name type`. */
  queries: Record<string, number>;
}

const PORTS = [22, 25, 53, 80, 443, 2375, 6379, 8080];
const CALLS = 20;
const AT_ONCE = 16;
const [V4, V6] = ['93.184.216.34', '2606:2800:220:1:248:1893:25c8:1946'];
const METADATA = '169.254.169.254';

const zones: Record<string, Zone> = {
  'public.test': { A: [[V4]], AAAA: [[V6]] },
  'four.test': { A: [[V4], [METADATA]] },
  'six.test': { AAAA: [[V6], ['::1']] },
  'both.test': { A: [[V4], ['127.0.0.1']], AAAA: [[V6], ['fd00:ec2::254']] },
  'half.test': { A: [[V4]], AAAA: [[V6], ['::1']] },
  'crowd.test': { A: [[V4], [METADATA]] },
  'secure.test': { A: [[V4], [METADATA]] },
  'retry.test': { A: [[V4], [METADATA]] },
  'redirect.test': { A: [[V4], ['10.0.0.1']] },
  'mixed.test': { A: [[V4, METADATA]] },
  'alias.test': { CNAME: 'inner.test' },
  'outer.test': { CNAME: 'public.test' },
  // A NAT64 with its own prefix.
  'ipv4only.arpa': { AAAA: [['2001:67c:2e8::c000:aa', '2001:67c:2e8::c000:ab']] },
  'nat64-inner.test': { AAAA: [['2001:67c:2e8::7f00:1']] },
  'nat64-outer.test': { AAAA: [['2001:67c:2e8::5db8:d822']] },
};
const inner: Zone = { A: [['127.0.0.1']], AAAA: [['::1']] };

const seen: Seen = { control: [], dialled: [], requests: [], statuses: {}, queries: {} };
for (const port of PORTS) for (const host of ['0.0.0.0', '::']) await listen(host, port);
const nameServer = await startNameServer(zones, inner);

for (const host of ['127.0.0.1', METADATA, '10.0.0.1', '[::1]', '[fd00:ec2::254]', V4, `[${V6}]`]) {
  await fetch(`http://${host}/`);
}
seen.control = seen.dialled.splice(0);
seen.requests = [];

{
  await using server = await serve(Bun.argv[2] ?? '', {
    env: {
      ...ADMIN.env,
      HUTCH_RATE_LIMIT: 'off',
      HUTCH_EXTERNAL_TIMEOUT_MS: '5000',
      // A proxy would resolve names itself and connect to any address.
      HTTP_PROXY: 'http://127.0.0.1:8080',
      HTTPS_PROXY: 'http://127.0.0.1:8080',
    },
  });
  await callAll(server, await server.signIn(ADMIN.username, ADMIN.password));
}
for (const question of nameServer.queries)
  seen.queries[question] = (seen.queries[question] ?? 0) + 1;
console.log(JSON.stringify(seen));
process.exit(0);

async function callAll({ url: origin }: RunningHutch, token: string): Promise<void> {
  const call = async (url: string) => {
    const path = `/api/v1/external/?url=${encodeURIComponent(url)}`;
    const response = await fetch(origin + path, { headers: { authorization: `Bearer ${token}` } });
    await response.text();
    return response.status;
  };
  const inSequence = async (url: string, count = CALLS) => {
    const statuses: number[] = [];
    for (let index = 0; index < count; index++) statuses.push(await call(url));
    return statuses;
  };
  const concurrently = async (urls: string[]) => {
    const statuses: number[] = [];
    for (let at = 0; at < urls.length; at += AT_ONCE) {
      statuses.push(...(await Promise.all(urls.slice(at, at + AT_ONCE).map(call))));
    }
    return statuses;
  };
  const { statuses } = seen;
  statuses['public'] = await inSequence('http://public.test/', 2);
  statuses['outer'] = await inSequence('http://outer.test/', 1);
  for (const name of ['four', 'six', 'both', 'half']) {
    statuses[name] = await inSequence(`http://${name}.test/`);
  }
  for (const name of ['nat64-inner', 'nat64-outer']) {
    statuses[name] = await inSequence(`http://${name}.test/`, 2);
  }
  statuses['crowd'] = await concurrently(Array<string>(CALLS).fill('http://crowd.test/'));
  statuses['secure'] = await inSequence('https://secure.test/');
  statuses['retry'] = await inSequence('http://retry.test/busy', 3);
  statuses['redirect'] = await inSequence(
    `http://redirect.test/${redirectPath('http://redirect.test/')}`,
    3,
  );
  for (const name of ['mixed', 'alias'])
    statuses[name] = await inSequence(`http://${name}.test/`, 2);
  const hostile = hostileRows.map(([, url]) => url);
  statuses['hostile'] = await concurrently(hostile);
  statuses['hostile by redirect'] = await concurrently(
    hostile.map((url) => `http://public.test/${redirectPath(url)}`),
  );
}

/** Returns the path that the listeners redirect to `url`. */
function redirectPath(url: string): string {
  return `to/${Buffer.from(url).toString('hex')}`;
}

/** Listens on an address and port, records each connection and responds to each request. */
async function listen(host: string, port: number): Promise<void> {
  const server = createServer((socket) => {
    const address = socket.localAddress ?? '';
    seen.dialled.push(`${address} ${port}`);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      const text = chunk.toString('latin1');
      const path = /^GET (\S+)/.exec(text)?.[1];
      if (path === undefined) return socket.destroy();
      seen.requests.push({ address, host: /^host: (.*)\r$/im.exec(text)?.[1] ?? '', path });
      return socket.write(answerTo(path));
    });
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject).listen({ host, port, ipv6Only: true }, resolve);
  return promise;
}

function answerTo(path: string): Buffer {
  const target = /^\/to\/([0-9a-f]*)$/.exec(path)?.[1];
  if (target !== undefined) {
    const location = Buffer.from(target, 'hex');
    const head = 'HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: ';
    return Buffer.concat([Buffer.from(head), location, Buffer.from('\r\n\r\n')]);
  }
  if (path !== '/') {
    const status = path === '/busy' ? '503 Busy' : '404 Not Found';
    return Buffer.from(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`);
  }
  const head = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';
  return Buffer.from(`${head}Content-Length: 2\r\n\r\n{}`);
}
