import { describe, expect, test } from 'bun:test';
import { isPublicAddress, nat64PrefixesIn } from '../../../src/core/outbound/address-range.ts';

/** Returns the last 32 bits of an IPv6 address that embeds this IPv4 address. */
const hex = (ip: string) => {
  const [a = 0, b = 0, c = 0, d = 0] = ip.split('.').map(Number);
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
};

test.each([
  '1.1.1.1',
  '93.184.216.34',
  '168.63.129.15',
  '168.63.129.17',
  '2606:4700::1111',
  '2001:200::1',
  '::ffff:8.8.8.8',
])('%s is public', (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

// proves: outbound-calls.its-address, 1.3.6, 13.2.4
describe('no internal service of a cloud is public', () => {
  test.each([
    ['AWS, Google, Azure, DigitalOcean, Oracle', '169.254.169.254'],
    ['AWS, by IPv6', 'fd00:ec2::254'],
    ['AWS, names', '169.254.169.253'],
    ['AWS, names by IPv6', 'fd00:ec2::253'],
    ['AWS, containers', '169.254.170.2'],
    ['AWS, pods', 'fd00:ec2::23'],
    ['Azure, the host', '168.63.129.16'],
    ['Google, by IPv6', 'fd20:ce::254'],
    ['Alibaba', '100.100.100.200'],
    ['Alibaba, names', '100.100.2.136'],
    ['Oracle', '192.0.0.192'],
    ['Scaleway', '169.254.42.42'],
    ['Scaleway, by IPv6', 'fd00:42::42'],
    ['Tencent', '169.254.0.23'],
    ['IBM, services', '161.26.0.10'],
    ['IBM, endpoints', '166.9.14.1'],
  ])('%s: %s', (_, address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});

// proves: outbound-calls.its-address, 1.3.6
describe('no form of a private IPv4 address is public', () => {
  const inside = ['127.0.0.1', '10.0.0.1', '192.168.0.1', '169.254.169.254', '168.63.129.16'];
  const forms: [string, (ip: string) => string][] = [
    ['plain', (ip) => ip],
    ['IPv4-mapped', (ip) => `::ffff:${ip}`],
    ['IPv4-mapped in hex', (ip) => `::ffff:${hex(ip)}`],
    ['IPv4-compatible', (ip) => `::${hex(ip)}`],
    ['IPv4-translated (RFC 2765)', (ip) => `::ffff:0:${hex(ip)}`],
    ['NAT64, well-known (RFC 6052)', (ip) => `64:ff9b::${hex(ip)}`],
    ['NAT64, local use (RFC 8215)', (ip) => `64:ff9b:1::${hex(ip)}`],
    ['6to4', (ip) => `2002:${hex(ip)}::1`],
    ['Teredo, server', (ip) => `2001:0:${hex(ip)}::1`],
    [
      'Teredo, client',
      (ip) =>
        `2001::${hex(
          ip
            .split('.')
            .map((it) => 255 - +it)
            .join('.'),
        )}`,
    ],
    ['ISATAP', (ip) => `2606:4700::5efe:${hex(ip)}`],
    ['ISATAP, universal', (ip) => `2606:4700::200:5efe:${hex(ip)}`],
  ];
  test.each(forms)('%s', (_, form) => {
    const addresses = inside.map(form);
    expect(addresses.filter((it) => isPublicAddress(it))).toEqual([]);
  });
});

test.each([
  '',
  'a',
  '1.1.1.1.1',
  'fe80::1%eth0',
  '::1',
  '::',
  '0.0.0.0',
  '100.64.0.1',
  '172.16.0.1',
  '192.88.99.1',
  '198.18.0.1',
  '203.0.113.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '4000::1',
  '100::1',
  '100:0:0:1::1',
  '2001:db8::1',
  '64:ff9b::808:808',
  '64:ff9b:1::808:808',
  '2001:2::1',
  '3fff::1',
  '5f00::1',
  'fc00::1',
  'fe80::1',
  'fec0::1',
  'ff02::1',
])('%j is not public', (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

describe('a NAT64 prefix of the network', () => {
  // RFC 6052, 2.4, with 192.0.0.170 in place of 192.0.2.33.
  test.each([
    [32, '2001:db8:c000:aa::', '2001:db8:a00:1::', '2001:db8:808:808::'],
    [40, '2001:db8:1c0:0:aa::', '2001:db8:10a:0:1::', '2001:db8:108:808:8::'],
    [48, '2001:db8:122:c000:0:aa00::', '2001:db8:122:a00:0:100::', '2001:db8:122:808:8:800::'],
    [56, '2001:db8:122:3c0:0:aa::', '2001:db8:122:30a:0:1::', '2001:db8:122:308:8:808::'],
    [
      64,
      '2001:db8:122:344:c0:0:aa00:0',
      '2001:db8:122:344:a:0:100:0',
      '2001:db8:122:344:8:808:800:0',
    ],
    [96, '2001:db8:122:344::c000:aa', '2001:db8:122:344::a00:1', '2001:db8:122:344::808:808'],
    [96, '64:ff9b::c000:aa', '64:ff9b::a00:1', '64:ff9b::808:808'],
    [96, '64:ff9b:1::c000:ab', '64:ff9b:1::a83f:8110', '64:ff9b:1::808:808'],
  ])('of %i bits is found, and the embedded address decides', (bits, seen, inner, outer) => {
    const prefixes = nat64PrefixesIn([seen]);
    expect(prefixes.map(([, length]) => length)).toEqual([bits]);
    expect(isPublicAddress(inner, prefixes)).toBe(false);
    expect(isPublicAddress(outer, prefixes)).toBe(true);
  });

  test('is not found in other addresses', () => {
    expect(nat64PrefixesIn(['192.0.0.170', '2606:4700::1111', '::1'])).toEqual([]);
  });
});
