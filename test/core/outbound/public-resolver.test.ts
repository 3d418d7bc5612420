import { describe, expect, test } from 'bun:test';
import { parseAllowList, parseTarget } from '../../../src/core/outbound/address.ts';
import type { Lookup } from '../../../src/core/outbound/lookup.ts';
import type { FetchFunction } from '../../../src/core/outbound/options.ts';
import { createPublicResolver } from '../../../src/core/outbound/public-resolver.ts';
import { QueueFullError } from '../../../src/utils/async/keyed-limiter.ts';
import { until } from '../../until.ts';
import {
  codeOf,
  failureOf,
  httpUpstream,
  JSON_HEAD,
  outboundFor,
  rawUpstream,
} from './upstream.ts';

const none = parseAllowList([]);
const resolvingTo = (...addresses: string[]): Lookup => {
  return async () => addresses.map((address) => ({ address }));
};

describe('resolving', () => {
  const target = parseTarget('http://name.test/', none);

  test('returns every public address in the order of the resolver', async () => {
    const lookup = resolvingTo('2606:4700::1111', '1.1.1.1', '::ffff:8.8.8.8');
    expect(await createPublicResolver(lookup)(target)).toEqual([
      '2606:4700::1111',
      '1.1.1.1',
      '8.8.8.8',
    ]);
  });

  test.each([
    '1.1.1.1 127.0.0.1',
    '::1 1.1.1.1',
    '1.1.1.1 ::ffff:10.0.0.1',
    'fe80::1%eth0',
    'nonsense',
  ])('refuses a name if one address is not public: %s', async (answers) => {
    const failure = await failureOf(
      createPublicResolver(resolvingTo(...answers.split(' ')))(target),
    );
    expect([failure.code, failure.message]).toEqual([
      'address_refused',
      'name.test is not a public address',
    ]);
  });

  test('fails as dns_failed without an address', async () => {
    const broken = () => Promise.reject(new Error('ENOTFOUND'));
    for (const lookup of [resolvingTo(), broken]) {
      expect((await failureOf(createPublicResolver(lookup)(target))).code).toBe('dns_failed');
    }
  });

  test('looks up the name without its trailing dot, and never an address', async () => {
    const lookups: string[] = [];
    const lookup: Lookup = async (name) => {
      lookups.push(name);
      return [{ address: '1.1.1.1' }];
    };
    const resolve = createPublicResolver(lookup);
    await resolve(parseTarget('http://name.test./', none));
    await resolve(parseTarget('http://8.8.8.8/', none));
    expect(lookups).toEqual(['name.test']);
  });

  // proves: outbound-calls.the-operator-s-lists
  test('allows private addresses of an allow-listed host', async () => {
    const allowed = parseTarget('http://in.test/', parseAllowList(['in.test']));
    expect(await createPublicResolver(resolvingTo('10.0.0.7'))(allowed)).toEqual(['10.0.0.7']);
  });

  test('fails as overloaded if too many lookups wait', async () => {
    const full: Lookup = () => Promise.reject(new QueueFullError('full'));
    expect((await failureOf(createPublicResolver(full)(target))).code).toBe('overloaded');
  });
});

// proves: outbound-calls.its-address, 1.3.6
describe('in a network with its own NAT64 prefix', () => {
  /** A network with a DNS64; the addresses of ipv4only.arpa reveal its prefix. */
  const network = (prefixed: readonly string[], address: string) => {
    const lookups: string[] = [];
    const lookup: Lookup = async (name) => {
      lookups.push(name);
      const addresses = name === 'ipv4only.arpa' ? prefixed : [address];
      return addresses.map((it) => ({ address: it }));
    };
    const resolve = createPublicResolver(lookup);
    const outcomeOf = async (url = 'http://name.test/') => {
      try {
        await resolve(parseTarget(url, none));
        return 'dialled';
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    return { lookups, outcomeOf };
  };
  const PREFIXED = ['2001:67c:2e8::c000:aa', '2001:67c:2e8::c000:ab'];

  test.each([
    ['8.8.8.8', '2001:67c:2e8::808:808', 'dialled'],
    ['127.0.0.1', '2001:67c:2e8::7f00:1', 'address_refused'],
    ['10.0.0.1', '2001:67c:2e8::a00:1', 'address_refused'],
    ['169.254.169.254', '2001:67c:2e8::a9fe:a9fe', 'address_refused'],
    ['no IPv4 address', '2001:67c:2e9::7f00:1', 'dialled'],
  ])('an address that embeds %s is checked by it: %s', async (_, address, code) => {
    expect(await network(PREFIXED, address).outcomeOf()).toBe(code);
    expect(await network(PREFIXED, '').outcomeOf(`http://[${address}]/`)).toBe(code);
  });

  test('prefixes are looked up once, and never for IPv4', async () => {
    const { lookups, outcomeOf } = network([], '2606:4700::1111');
    await outcomeOf('http://8.8.8.8/');
    expect(lookups).toEqual([]);
    await outcomeOf();
    await outcomeOf();
    expect(lookups).toEqual(['name.test', 'ipv4only.arpa', 'name.test']);
  });
});

/** A fetch that records URLs and hosts and responds without a connection. */
function recorder() {
  const dialled: [url: string, host: string | null][] = [];
  const fetch: FetchFunction = async (url, init) => {
    dialled.push([url, new Headers(init.headers).get('host')]);
    return Response.json('reached');
  };
  return { dialled, fetch };
}

// proves: outbound-calls.its-address, 1.3.6
test('the address that was checked is the one that is connected to', async () => {
  const sentinel = await rawUpstream((socket) => socket.end());
  const answers = ['93.184.216.34', '127.0.0.1'];
  const lookup: Lookup = async () => [{ address: answers.shift() ?? '127.0.0.1' }];
  const { dialled, fetch } = recorder();
  await outboundFor({ allowHosts: [], lookup, fetch }).getJson('http://rebind.test/a?b');
  expect(dialled).toEqual([['http://93.184.216.34:80/a?b', 'rebind.test']]);
  expect(answers).toEqual(['127.0.0.1']);
  expect(sentinel.connections).toBe(0);
});

// proves: outbound-calls.its-address
test('a name that becomes private before a retry is refused', async () => {
  const answers = ['93.184.216.34'];
  const lookup: Lookup = async () => [{ address: answers.shift() ?? '127.0.0.1' }];
  let dials = 0;
  const fetch: FetchFunction = async () => {
    dials += 1;
    return new Response(null, { status: 503 });
  };
  const outbound = outboundFor({ allowHosts: [], lookup, fetch, retries: 1 });
  expect(await codeOf(outbound.getJson('http://rebind.test/'))).toBe('address_refused');
  expect(dials).toBe(1);
});

test.each([
  ['refused', {}],
  ['served stale', { staleMs: 60_000 }],
] as const)(
  'a cached response whose name became private is %s and not revalidated',
  async (what, cache) => {
    const answers = ['93.184.216.34'];
    const lookup: Lookup = async () => [{ address: answers.shift() ?? '127.0.0.1' }];
    const dialled: string[] = [];
    const fetch: FetchFunction = async (url) => {
      dialled.push(url);
      return Response.json('kept', { headers: { etag: '"1"', 'cache-control': 'max-age=0' } });
    };
    const outbound = outboundFor({ allowHosts: [], lookup, fetch });
    const call = () => outbound.call({ url: 'http://rebind.test/', cache });
    expect(await call()).toMatchObject({ data: 'kept', cache: 'miss' });
    if (what === 'refused') expect(await codeOf(call())).toBe('address_refused');
    else expect(await call()).toMatchObject({ data: 'kept', cache: 'stale' });
    await until(() => outbound.stats().failed.address_refused === 1 || what !== 'refused');
    expect(dialled).toEqual(['http://93.184.216.34:80/']);
  },
);

test('an IPv6 address is written in brackets', async () => {
  const lookup: Lookup = async () => [{ address: '2606:4700::1111' }];
  const { dialled, fetch } = recorder();
  await outboundFor({ lookup, fetch }).getJson('https://six.test./');
  expect(dialled).toEqual([['https://[2606:4700::1111]:443/', 'six.test']]);
});

test('the next address is tried if one refuses the connection', async () => {
  const { port } = httpUpstream((request) => Response.json(request.headers.get('host')));
  const lookup: Lookup = async () => [{ address: '127.0.0.2' }, { address: '127.0.0.1' }];
  const host = `two.test:${port}`;
  expect(await outboundFor({ allowHosts: ['two.test'], lookup }).getJson(`http://${host}/`)).toBe(
    host,
  );
});

test('a retry starts with the address after the one that hung', async () => {
  const dialled: string[] = [];
  const fetch: FetchFunction = async (url) => {
    dialled.push(url);
    return dialled.length === 1 ? new Promise<never>(() => {}) : Response.json('reached');
  };
  const lookup: Lookup = async () => [{ address: '1.1.1.1' }, { address: '8.8.8.8' }];
  await outboundFor({ lookup, fetch, attemptMs: 30, retries: 1 }).getJson('http://two.test/');
  expect(dialled).toEqual(['http://1.1.1.1:80/', 'http://8.8.8.8:80/']);
});

test('at most four addresses of a name are tried', async () => {
  let dials = 0;
  const fetch: FetchFunction = async () => {
    dials += 1;
    throw Object.assign(new TypeError('refused'), { code: 'ECONNREFUSED' });
  };
  const lookup: Lookup = async () =>
    Array.from({ length: 9 }, (_, i) => ({ address: `1.1.1.${i}` }));
  expect(await codeOf(outboundFor({ lookup, fetch }).getJson('http://many.test/'))).toBe(
    'connect_failed',
  );
  expect(dials).toBe(4);
});

test('two names on one address never share a connection', async () => {
  const ports: (number | undefined)[] = [];
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: (request, self) => {
      ports.push(self.requestIP(request)?.port);
      return Response.json(request.headers.get('host'));
    },
  });
  const lookup: Lookup = async () => [{ address: '127.0.0.1' }];
  const outbound = outboundFor({ allowHosts: ['a.test', 'b.test'], lookup });
  for (const name of ['a.test', 'a.test', 'b.test']) {
    const host = `${name}:${server.port}`;
    expect(await outbound.getJson(`http://${host}/`)).toBe(host);
  }
  await server.stop(true);
  const [first, again, other] = ports;
  expect(again).toBe(first);
  expect(other).not.toBe(first);
});

test('62 hosts that are called in rotation reuse their connections', async () => {
  const upstream = await rawUpstream((socket) => {
    const response = `${JSON_HEAD}Content-Length: 1\r\n\r\n1`;
    socket.write(response);
    socket.on('data', () => socket.write(response));
  });
  const names = Array.from({ length: 62 }, (_, index) => `n${index}.test`);
  const lookup: Lookup = async () => [{ address: '127.0.0.1' }];
  const outbound = outboundFor({ allowHosts: names, lookup });
  for (const name of [...names, ...names]) {
    await outbound.getJson(`http://${name}:${upstream.port}/`);
  }
  expect(upstream.connections).toBe(62);
});

// proves: outbound-calls.the-operator-s-lists, 1.3.6, 13.2.4, 13.2.5
test('with a list of only hosts, no other host is called, even by a redirect', async () => {
  const { dialled, fetch } = recorder();
  const lookup: Lookup = async () => [{ address: '93.184.216.34' }];
  const onlyHosts = ['api.example.com', 'other.example.com:443'];
  const outbound = outboundFor({ allowHosts: ['in.test'], onlyHosts, fetch, lookup });
  for (const url of ['https://api.example.com/', 'https://other.example.com/', 'http://in.test/']) {
    expect(await outbound.getJson(url)).toBe('reached');
  }
  for (const url of [
    'https://example.com/',
    'https://api.example.com.evil.example/',
    'http://other.example.com/',
    'https://93.184.216.34/',
  ]) {
    expect(await codeOf(outbound.getJson(url))).toBe('url_refused');
  }
  expect(dialled).toHaveLength(3);
  const location = 'https://example.com/';
  const redirecting = outboundFor({
    onlyHosts,
    lookup,
    fetch: async () => new Response(null, { status: 302, headers: { location } }),
  });
  expect(await codeOf(redirecting.getJson('https://api.example.com/'))).toBe('bad_redirect');
});

test('a host of that list is refused if its address is private', async () => {
  const { dialled, fetch } = recorder();
  const lookup: Lookup = async () => [{ address: '10.0.0.1' }];
  const outbound = outboundFor({ onlyHosts: ['api.example.com'], fetch, lookup });
  expect(await codeOf(outbound.getJson('https://api.example.com/'))).toBe('address_refused');
  expect(dialled).toEqual([]);
});
