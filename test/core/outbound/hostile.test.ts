import { describe, expect, test } from 'bun:test';
import type { Lookup } from '../../../src/core/outbound/lookup.ts';
import type { FetchFunction } from '../../../src/core/outbound/options.ts';
import { hostileAnswers } from './hostile-addresses.ts';
import { hostileRows } from './hostile-urls.ts';
import { codeOf, outboundFor, rawUpstream } from './upstream.ts';

const loopback: Lookup = async () => [{ address: '127.0.0.1' }];

/** A fetch that records URLs and connects to none. */
function dialCounter() {
  const dials: string[] = [];
  const fetch: FetchFunction = async (url) => {
    dials.push(url);
    return Response.json('reached');
  };
  return { dials, fetch };
}

/** An upstream that redirects to exactly `location`, and a fetch that connects to no other host. */
async function redirectTo(location: string) {
  const upstream = await rawUpstream((socket) => {
    const head = 'HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 0\r\n';
    socket.end(`${head}Location: ${location}\r\n\r\n`);
  });
  const elsewhere: string[] = [];
  const dial: FetchFunction = async (url, init) => {
    if (url.startsWith(upstream.url)) return fetch(url, init);
    elsewhere.push(url);
    return Response.json('elsewhere');
  };
  return { upstream, elsewhere, dial };
}

// proves: 1.3.6
test('the corpus has at least 180 distinct hostile URLs', () => {
  expect(new Set(hostileRows.map(([, url]) => url)).size).toBe(hostileRows.length);
  expect(hostileRows.length).toBeGreaterThanOrEqual(180);
});

// proves: input.outside-url, outbound-calls.any-url-that-a-signed-in-user-names, 1.3.6, 13.2.5
describe('refused without a connection', () => {
  test.each(hostileRows)('%s: %j', async (_what, url) => {
    const { dials, fetch } = dialCounter();
    const outbound = outboundFor({ allowHosts: [], fetch, lookup: loopback });
    expect(['url_refused', 'address_refused']).toContain(await codeOf(outbound.getJson(url)));
    expect(dials).toEqual([]);
  });
});

describe('refused as the target of a redirect, without another connection', () => {
  // A relative URL leads back to the upstream until there are too many redirects.
  const codes = ['bad_redirect', 'address_refused', 'too_many_redirects', 'connect_failed'];

  test.each(hostileRows)('%s: %j', async (_what, url) => {
    const { upstream, elsewhere, dial } = await redirectTo(url);
    const outbound = outboundFor({ allowHosts: [upstream.host], fetch: dial, lookup: loopback });
    expect(codes).toContain(await codeOf(outbound.getJson(upstream.url)));
    expect(upstream.connections).toBeWithin(1, 5);
    expect(elsewhere).toEqual([]);
  });
});

describe('a name is refused if one of its addresses is not public', () => {
  const rows = Object.entries(hostileAnswers);
  const resolvingTo = (addresses: readonly string[]): Lookup => {
    return async () => addresses.map((address) => ({ address }));
  };

  test.each(rows)('%s', async (_what, addresses) => {
    const { dials, fetch } = dialCounter();
    const outbound = outboundFor({ allowHosts: [], fetch, lookup: resolvingTo(addresses) });
    expect(await codeOf(outbound.getJson('http://name.test/'))).toBe('address_refused');
    expect(dials).toEqual([]);
  });

  test.each(rows)('after a redirect: %s', async (_what, addresses) => {
    const { upstream, elsewhere, dial } = await redirectTo('https://name.test/');
    const lookup = resolvingTo(addresses);
    const outbound = outboundFor({ allowHosts: [upstream.host], fetch: dial, lookup });
    expect(await codeOf(outbound.getJson(upstream.url))).toBe('address_refused');
    expect(elsewhere).toEqual([]);
  });
});

test('a redirect to a public address is followed', async () => {
  const { upstream, elsewhere, dial } = await redirectTo('http://1.1.1.1/a?b');
  const outbound = outboundFor({ allowHosts: [upstream.host], fetch: dial });
  expect(await outbound.getJson(upstream.url)).toBe('elsewhere');
  expect(elsewhere).toEqual(['http://1.1.1.1:80/a?b']);
});
