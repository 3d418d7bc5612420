import { describe, expect, test } from 'bun:test';
import {
  isPublicAddress,
  type Lookup,
  parseAllowList,
  parseTarget,
  resolvePublic,
} from '../../src/core/address.ts';
import { OutboundError } from '../../src/core/outbound-error.ts';
import { failureOf } from './http-upstream.ts';

const none = parseAllowList([]);
const answering = (...addresses: string[]): Lookup => {
  return async () => addresses.map((address) => ({ address }));
};

describe('a target', () => {
  test('is canonical: lower case, no trailing dot, no fragment, no default port', () => {
    expect(parseTarget('HTTPS://API.Example.:443/a/../b?c=d#e', none)).toEqual({
      href: 'https://api.example/b?c=d',
      protocol: 'https:',
      hostname: 'api.example',
      port: 443,
      host: 'api.example',
      path: '/b?c=d',
      isLiteral: false,
      isAllowListed: false,
    });
  });

  test('may be http on port 443', () => {
    expect(parseTarget('http://a.test:443/', none)).toMatchObject({
      port: 443,
      host: 'a.test:443',
    });
  });

  test('may be an address or an international name', () => {
    expect(parseTarget('http://[2606:4700::1111]/', none).isLiteral).toBe(true);
    expect(parseTarget('http://1.1/', none)).toMatchObject({
      hostname: '1.0.0.1',
      isLiteral: true,
    });
    expect(parseTarget('http://köln.example/', none).hostname).toBe('xn--kln-sna.example');
  });

  test('is refused without its password or query in the message', () => {
    for (const url of ['http://joe:hunter2@a.test/?key=hunter2', 'http://a.test:22/?key=hunter2']) {
      expect(() => parseTarget(url, none)).toThrow(OutboundError);
      expect(() => parseTarget(url, none)).not.toThrow(/hunter2/);
    }
  });
});

describe('the allow-list', () => {
  const allow = parseAllowList(['127.0.0.1:4000', 'Intranet.Example.', '[::1]:4000', 'fd00::1']);
  const isAllowed = (url: string) => parseTarget(url, allow).isAllowListed;

  test('allows a host with its port, and a host without one on any port', () => {
    expect(isAllowed('http://127.0.0.1:4000/')).toBe(true);
    expect(isAllowed('http://[::1]:4000/')).toBe(true);
    expect(isAllowed('http://intranet.example:8443/')).toBe(true);
    expect(isAllowed('http://INTRANET.example./')).toBe(true);
    expect(isAllowed('http://[fd00::1]:9000/')).toBe(true);
  });

  test('allows no other port, sub-domain or spelling that is another address', () => {
    expect(isAllowed('http://127.0.0.1/')).toBe(false);
    expect(isAllowed('http://[::1]/')).toBe(false);
    expect(isAllowed('http://a.intranet.example/')).toBe(false);
    expect(isAllowed('http://[::ffff:7f00:1]/')).toBe(false);
    expect(() => isAllowed('http://127.0.0.1:4001/')).toThrow(OutboundError);
  });

  test.each([
    '',
    '*',
    '*.example',
    'http://a.test',
    'a.test/',
    'u@a.test',
    'a.test:0',
    'a.test:70000',
    'a b',
    'a,b',
  ])('has no entry %j', (entry) => {
    expect(() => parseAllowList([entry])).toThrow(`"${entry}" is not a host`);
  });

  test('takes the default port as any other', () => {
    const target = parseTarget('http://a.test/', parseAllowList(['a.test:80']));
    expect(target.isAllowListed).toBe(true);
  });
});

describe('resolving', () => {
  const target = parseTarget('http://name.test/', none);

  test('gives every public address in the order of the resolver', async () => {
    const lookup = answering('2606:4700::1111', '1.1.1.1', '::ffff:8.8.8.8');
    expect(await resolvePublic(target, lookup)).toEqual(['2606:4700::1111', '1.1.1.1', '8.8.8.8']);
  });

  test.each([
    '1.1.1.1 127.0.0.1',
    '::1 1.1.1.1',
    '1.1.1.1 ::ffff:10.0.0.1',
    'fe80::1%eth0',
    'nonsense',
  ])('refuses a name if one answer is not public: %s', async (answers) => {
    const failure = await failureOf(resolvePublic(target, answering(...answers.split(' '))));
    expect([failure.code, failure.message]).toEqual([
      'address_refused',
      'name.test is not a public address',
    ]);
  });

  test('fails as dns_failed when there is no answer', async () => {
    const broken = () => Promise.reject(new Error('ENOTFOUND'));
    for (const lookup of [answering(), broken]) {
      expect((await failureOf(resolvePublic(target, lookup))).code).toBe('dns_failed');
    }
  });

  test('asks for the name without its trailing dot, and not at all for an address', async () => {
    const asked: string[] = [];
    const lookup: Lookup = async (name) => {
      asked.push(name);
      return [{ address: '1.1.1.1' }];
    };
    await resolvePublic(parseTarget('http://name.test./', none), lookup);
    await resolvePublic(parseTarget('http://8.8.8.8/', none), lookup);
    expect(asked).toEqual(['name.test']);
  });

  test('lets an allow-listed host be private', async () => {
    const allowed = parseTarget('http://in.test/', parseAllowList(['in.test']));
    expect(await resolvePublic(allowed, answering('10.0.0.7'))).toEqual(['10.0.0.7']);
  });
});

test('only routed unicast addresses are public', () => {
  expect(['1.1.1.1', '93.184.216.34', '2606:4700::1111'].every(isPublicAddress)).toBe(true);
  expect(['::7f00:1', '4000::1', '100.64.0.1', '', 'a'].some(isPublicAddress)).toBe(false);
});
