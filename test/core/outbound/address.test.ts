import { describe, expect, test } from 'bun:test';
import { parseAllowList, parseTarget } from '../../../src/core/outbound/address.ts';
import { OutboundError } from '../../../src/core/outbound/errors.ts';

const none = parseAllowList([]);

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

  test('may use http on port 443', () => {
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

  test('is refused with a message that omits its password and query', () => {
    for (const url of ['http://joe:hunter2@a.test/?key=hunter2', 'http://a.test:22/?key=hunter2']) {
      expect(() => parseTarget(url, none)).toThrow(OutboundError);
      expect(() => parseTarget(url, none)).not.toThrow(/hunter2/);
    }
  });
});

// proves: 13.2.4
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

  test('allows no other port, subdomain or notation of another address', () => {
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
  ])('rejects the entry %j', (entry) => {
    expect(() => parseAllowList([entry])).toThrow(`"${entry}" is not a host`);
  });

  test('accepts the default port', () => {
    const target = parseTarget('http://a.test/', parseAllowList(['a.test:80']));
    expect(target.isAllowListed).toBe(true);
  });
});
