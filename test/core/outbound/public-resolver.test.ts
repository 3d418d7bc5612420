import { describe, expect, test } from 'bun:test';
import { parseAllowList, parseTarget } from '../../../src/core/outbound/address.ts';
import type { Lookup } from '../../../src/core/outbound/lookup.ts';
import { createPublicResolver } from '../../../src/core/outbound/public-resolver.ts';
import { QueueFullError } from '../../../src/utils/async/keyed-limiter.ts';
import { failureOf } from './upstream.ts';

const none = parseAllowList([]);
const answering = (...addresses: string[]): Lookup => {
  return async () => addresses.map((address) => ({ address }));
};

describe('resolving', () => {
  const target = parseTarget('http://name.test/', none);

  test('gives every public address in the order of the resolver', async () => {
    const lookup = answering('2606:4700::1111', '1.1.1.1', '::ffff:8.8.8.8');
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
  ])('refuses a name if one answer is not public: %s', async (answers) => {
    const failure = await failureOf(createPublicResolver(answering(...answers.split(' ')))(target));
    expect([failure.code, failure.message]).toEqual([
      'address_refused',
      'name.test is not a public address',
    ]);
  });

  test('fails as dns_failed when there is no answer', async () => {
    const broken = () => Promise.reject(new Error('ENOTFOUND'));
    for (const lookup of [answering(), broken]) {
      expect((await failureOf(createPublicResolver(lookup)(target))).code).toBe('dns_failed');
    }
  });

  test('asks for the name without its trailing dot, and not at all for an address', async () => {
    const asked: string[] = [];
    const lookup: Lookup = async (name) => {
      asked.push(name);
      return [{ address: '1.1.1.1' }];
    };
    const resolve = createPublicResolver(lookup);
    await resolve(parseTarget('http://name.test./', none));
    await resolve(parseTarget('http://8.8.8.8/', none));
    expect(asked).toEqual(['name.test']);
  });

  // proves: calls-out.the-operator-s-lists
  test('lets an allow-listed host be private', async () => {
    const allowed = parseTarget('http://in.test/', parseAllowList(['in.test']));
    expect(await createPublicResolver(answering('10.0.0.7'))(allowed)).toEqual(['10.0.0.7']);
  });

  test('fails as overloaded when too many lookups wait', async () => {
    const full: Lookup = () => Promise.reject(new QueueFullError('full'));
    expect((await failureOf(createPublicResolver(full)(target))).code).toBe('overloaded');
  });
});

// proves: calls-out.its-address, 1.3.6
describe('in a network with a NAT64 of its own prefix', () => {
  /** Names as a DNS64 answers for them; what ipv4only.arpa has shows the prefix. */
  const network = (prefixed: readonly string[], address: string) => {
    const asked: string[] = [];
    const lookup: Lookup = async (name) => {
      asked.push(name);
      const addresses = name === 'ipv4only.arpa' ? prefixed : [address];
      return addresses.map((it) => ({ address: it }));
    };
    const resolve = createPublicResolver(lookup);
    const codeOf = async (url = 'http://name.test/') => {
      try {
        await resolve(parseTarget(url, none));
        return 'dialled';
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    return { asked, codeOf };
  };
  const PREFIXED = ['2001:67c:2e8::c000:aa', '2001:67c:2e8::c000:ab'];

  test.each([
    ['8.8.8.8', '2001:67c:2e8::808:808', 'dialled'],
    ['127.0.0.1', '2001:67c:2e8::7f00:1', 'address_refused'],
    ['10.0.0.1', '2001:67c:2e8::a00:1', 'address_refused'],
    ['169.254.169.254', '2001:67c:2e8::a9fe:a9fe', 'address_refused'],
    ['no IPv4 address', '2001:67c:2e9::7f00:1', 'dialled'],
  ])('an address that leads to %s is judged by that: %s', async (_, address, code) => {
    expect(await network(PREFIXED, address).codeOf()).toBe(code);
    expect(await network(PREFIXED, '').codeOf(`http://[${address}]/`)).toBe(code);
  });

  test('a network without one is asked once, and not for IPv4', async () => {
    const { asked, codeOf } = network([], '2606:4700::1111');
    await codeOf('http://8.8.8.8/');
    expect(asked).toEqual([]);
    await codeOf();
    await codeOf();
    expect(asked).toEqual(['name.test', 'ipv4only.arpa', 'name.test']);
  });
});
