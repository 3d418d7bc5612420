import { describe, expect, test } from 'bun:test';
import { clientAddress, findClient, networkOf } from '../../src/core/client-address.ts';

describe('the address of a client', () => {
  // proves: 4.1.3
  test('is the peer if the peer is not trusted, regardless of its header', () => {
    expect(clientAddress('203.0.113.7', '198.51.100.1', [])).toBe('203.0.113.7');
    expect(clientAddress('203.0.113.7', '198.51.100.1', ['10.0.0.0/8'])).toBe('203.0.113.7');
  });

  // proves: 4.1.3
  test('is the entry of the trusted proxy, not an entry of the client to its left', () => {
    const spoofed = '127.0.0.1, 192.0.2.1, 198.51.100.1';
    expect(clientAddress('10.0.0.5', spoofed, ['10.0.0.0/8'])).toBe('198.51.100.1');
  });

  // proves: 15.3.4
  test('is the first untrusted entry from the right', () => {
    const chain = '192.0.2.1, 198.51.100.1,10.0.0.9 , 10.1.2.3';
    expect(clientAddress('10.0.0.5', chain, ['10.0.0.0/8'])).toBe('198.51.100.1');
  });

  test('is the last proxy if the entry before it is not an address', () => {
    const ends = ['unknown', '_hidden', '1.2.3.4:port', '1.2.3.4:', '[1.2.3.4', '[]', '999.1.1.1'];
    const oddities = ['010.0.0.1', '2130706433', '0x7f.1', '127.1', '1.2.3.4.', 'for=1.2.3.4'];
    for (const end of [...ends, ...oddities]) {
      const client = findClient('10.0.0.5', `198.51.100.1, ${end}`, ['10.0.0.5']);
      expect(client).toEqual({ address: '10.0.0.5', unreadable: end });
    }
  });

  test.each([
    ['203.0.113.7:50001', '203.0.113.7'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:5000', '2001:db8::1'],
    ['"[2001:db8::1]:5000"', '2001:db8::1'],
    ['[::ffff:203.0.113.7]:80', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['[203.0.113.7]:80', '203.0.113.7'],
    ['"203.0.113.7:80"', '203.0.113.7'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[fe80::1%eth0]:80', 'fe80::1'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
    ['203.0.113.7, ', '203.0.113.7'],
    ['198.51.100.1,, 203.0.113.7 ,,', '203.0.113.7'],
    ['198.51.100.1, 203.0.113.7:1, 10.0.0.9:2', '203.0.113.7'],
  ])('behind a proxy that sends %p is %s', (forwarded, address) => {
    expect(findClient('10.0.0.5', forwarded, ['10.0.0.0/8'])).toEqual({ address });
  });

  test('is the proxy if the header has only empty entries', () => {
    for (const forwarded of ['', ' ', ',', ', ,']) {
      expect(findClient('10.0.0.5', forwarded, ['10.0.0.5'])).toEqual({ address: '10.0.0.5' });
    }
  });

  test('of a peer with a zone omits the zone', () => {
    expect(clientAddress('fe80::1%eth0', '203.0.113.7', ['fe80::/10'])).toBe('203.0.113.7');
    expect(networkOf('fe80::1%eth0')).toBe('fe80::/64');
  });

  test('is the leftmost entry if the whole chain is trusted', () => {
    expect(clientAddress('10.0.0.5', '10.0.0.7, 10.0.0.6', ['10.0.0.0/8'])).toBe('10.0.0.7');
  });

  test('is the proxy if it sends no header', () => {
    expect(clientAddress('10.0.0.5', null, ['10.0.0.5'])).toBe('10.0.0.5');
  });

  test('is IPv4 if it is mapped into IPv6', () => {
    expect(clientAddress('::ffff:203.0.113.7', null, [])).toBe('203.0.113.7');
    expect(clientAddress('::ffff:10.0.0.5', '::ffff:198.51.100.1', ['10.0.0.0/8'])).toBe(
      '198.51.100.1',
    );
  });

  test.each([
    ['10.0.0.5', '10.0.0.5', true],
    ['10.0.0.6', '10.0.0.5', false],
    ['172.31.255.255', '172.16.0.0/12', true],
    ['172.32.0.0', '172.16.0.0/12', false],
    ['2001:db8::1', '2001:db8::/32', true],
    ['2001:db9::1', '2001:db8::/32', false],
    ['2001:db8::1', '2001:DB8:0:0::1', true],
    ['10.0.0.5', '::/0', false],
    ['2001:db8::1', '0.0.0.0/0', false],
    ['10.0.0.5', '::ffff:10.0.0.5', true],
    ['10.0.0.6', '::ffff:10.0.0.5', false],
    ['10.1.2.3', '::ffff:10.0.0.0/104', true],
    ['11.1.2.3', '::ffff:10.0.0.0/104', false],
  ])('the peer %s is trusted by %s: %p', (peer, network, isTrusted) => {
    const address = clientAddress(peer, '198.51.100.1', [network]);
    expect(address === '198.51.100.1').toBe(isTrusted);
  });
});

describe('the key of a limit', () => {
  test('is the address for IPv4, mapped or not', () => {
    expect(networkOf('203.0.113.7')).toBe('203.0.113.7');
    expect(networkOf('::ffff:203.0.113.7')).toBe('203.0.113.7');
    expect(networkOf('203.0.113.8')).not.toBe(networkOf('203.0.113.7'));
  });

  test('is the /64 for IPv6, even if addresses rotate', () => {
    const rotated = ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', '2001:0DB8:0001:0002:a:b:c:d'];
    expect(new Set(rotated.map(networkOf)).size).toBe(1);
    expect(networkOf('2001:db8:1:3::1')).not.toBe(networkOf('2001:db8:1:2::1'));
  });

  test('is the text itself if it is not an address', () => {
    expect(networkOf('unix')).toBe('unix');
  });
});
