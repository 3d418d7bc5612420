import { beforeAll, describe, expect, test } from 'bun:test';
import { resolve } from 'node:path';
import { tempDir } from '../../support.ts';
import type { Seen } from './inside.ts';
import { hasNamespaces, openNamespace } from './namespace.ts';

const isPossible = await hasNamespaces();
const PUBLIC = ['93.184.216.34', '2606:2800:220:1:248:1893:25c8:1946'];
/** The first of them behind the NAT64 of the network. */
const BEHIND_NAT64 = '2001:67c:2e8::5db8:d822';

/** The statuses for a name that is public at every other lookup. */
const everyOther = (count: number) =>
  Array.from({ length: count }, (_, index) => (index % 2 === 0 ? 200 : 502));

// Needs root and network namespaces.
// proves: 1.3.6
describe.skipIf(!isPossible)('in a network whose name server changes its answers', () => {
  let seen: Seen;
  beforeAll(async () => {
    await using namespace = await openNamespace('rebinding');
    const script = resolve(import.meta.dir, 'inside.ts');
    seen = JSON.parse(await namespace.run([process.execPath, script, tempDir()]));
  }, 60_000);

  test('connections to all addresses are observed', () => {
    const private_ = ['127.0.0.1', '169.254.169.254', '10.0.0.1', '::1', 'fd00:ec2::254'];
    expect(seen.control).toEqual([...private_, ...PUBLIC].map((address) => `${address} 80`));
  });

  // proves: data.the-file-is-not-encrypted-operator-encrypt-the
  // proves: outbound-calls.hutch-opens-no-other-connection-uses-no-proxy
  test('Hutch never connects to an internal address, a proxy or a port other than 80 and 443', () => {
    const allowed = [...PUBLIC, BEHIND_NAT64].flatMap((address) => [
      `${address} 80`,
      `${address} 443`,
    ]);
    expect(seen.dialled.length).toBeGreaterThan(0);
    expect(seen.dialled.filter((it) => !allowed.includes(it))).toEqual([]);
  });

  test('a public name is called at its address with its name as Host', () => {
    expect([seen.statuses['public'], seen.statuses['outer']]).toEqual([[200, 200], [200]]);
    const hosts = Object.groupBy(seen.requests, ({ host }) => host);
    expect(hosts['public.test']?.[0]).toEqual({
      address: '93.184.216.34',
      host: 'public.test',
      path: '/',
    });
    expect(hosts['six.test']?.[0]?.address).toBe('2606:2800:220:1:248:1893:25c8:1946');
  });

  test.each(['four', 'six', 'both', 'half'])(
    '%s.test is called while it is public and refused otherwise',
    (name) => {
      expect(seen.statuses[name]).toEqual(everyOther(20));
      const arrived = seen.requests.filter(({ host }) => host === `${name}.test`);
      expect(arrived).toHaveLength(10);
    },
  );

  // proves: outbound-calls.the-name-servers-of-etc-resolv-conf
  test('each call looks a name up once and connects to the result', () => {
    expect(seen.queries).toMatchObject({ 'four.test 1': 20, 'six.test 28': 20, 'half.test 1': 20 });
  });

  // proves: outbound-calls.its-address
  test('behind a NAT64 the embedded IPv4 address decides', () => {
    expect(seen.statuses['nat64-inner']).toEqual([502, 502]);
    expect(seen.statuses['nat64-outer']).toEqual([200, 200]);
  });

  test('concurrent calls are each checked by the address that they connect to', () => {
    const called = seen.statuses['crowd']?.filter((status) => status === 200);
    const arrived = seen.requests.filter(({ host }) => host === 'crowd.test');
    expect(new Set(seen.statuses['crowd'])).toEqual(new Set([200, 502]));
    expect(arrived.length).toBe(called?.length ?? 0);
  });

  test('the same holds over TLS', () => {
    expect(seen.statuses['secure']).toEqual(Array<number>(20).fill(502));
    expect(seen.dialled).toContain('93.184.216.34 443');
  });

  test.each(['retry', 'redirect'])('a name that becomes private before a %s is refused', (name) => {
    expect(seen.statuses[name]).toEqual([502, 502, 502]);
    expect(seen.requests.filter(({ host }) => host === `${name}.test`)).toHaveLength(3);
  });

  test.each(['mixed', 'alias'])('%s.test is refused', (name) => {
    expect(seen.statuses[name]).toEqual([502, 502]);
  });

  test.each(['hostile', 'hostile by redirect'])('the corpus is refused: %s', (what) => {
    const statuses = new Set(seen.statuses[what]);
    expect(seen.statuses[what]?.length).toBeGreaterThanOrEqual(180);
    expect([...statuses].filter((status) => status !== 422 && status !== 502)).toEqual([]);
  });
});
