import { afterEach, beforeEach, expect, test } from 'bun:test';
import { codeOf, httpUpstream, outboundFor } from './upstream.ts';

// A throwaway pair for one.test, two.test and 127.0.0.1, valid from 2020 to 2120.
const cert = `-----BEGIN CERTIFICATE-----
MIIBazCCARGgAwIBAgIBATAKBggqhkjOPQQDAjATMREwDwYDVQQDDAhvbmUudGVz
dDAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowEzERMA8GA1UEAwwI
b25lLnRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAT9KSvFDKhREU5vmO69
zY08pWdBwgwRic7c7C0gwtdhSJhG93pkC+d+SUSlD53iaMlHKTBUb8eEWq0VhOxc
h3f+o1QwUjAjBgNVHREEHDAagghvbmUudGVzdIIIdHdvLnRlc3SHBH8AAAEwDAYD
VR0TBAUwAwEB/zAdBgNVHQ4EFgQURqX/mNjLVphx6dnszNJTV4dc7CgwCgYIKoZI
zj0EAwIDSAAwRQIhAI3YH+r1BAWb+98kVTbsnUFA4H5W41a/ENpFoIVAzsKoAiBR
YPdyJdOX0Uzb25msMwdcAcZIpPrId/mfOoNRRuY7VA==
-----END CERTIFICATE-----`;
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgL2VDIJz2Kj21KyNP
s1E5j2IjZUNKEJkA6lwNvQrz56+hRANCAAT9KSvFDKhREU5vmO69zY08pWdBwgwR
ic7c7C0gwtdhSJhG93pkC+d+SUSlD53iaMlHKTBUb8eEWq0VhOxch3f+
-----END PRIVATE KEY-----`;

let server: ReturnType<typeof serve>;
beforeEach(() => {
  server = serve();
});
afterEach(() => server.stop(true));

function serve() {
  return Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    tls: { cert, key },
    fetch: (request) => Response.json(request.headers.get('host')),
  });
}

const options = {
  ca: cert,
  allowHosts: ['127.0.0.1', 'one.test', 'other.test'],
  lookup: async () => [{ address: '127.0.0.1' }],
};

test('the certificate is verified by the name, not the address', async () => {
  const host = `one.test:${server.port}`;
  expect(await outboundFor(options).getJson(`https://${host}/`)).toBe(host);
});

test('an address in the URL is verified by the address', async () => {
  const host = `127.0.0.1:${server.port}`;
  expect(await outboundFor(options).getJson(`https://${host}/`)).toBe(host);
});

// proves: 12.3.2
test('a certificate for another name fails as tls_failed', async () => {
  const outbound = outboundFor(options);
  expect(await codeOf(outbound.getJson(`https://other.test:${server.port}/`))).toBe('tls_failed');
});

test('a connection that was verified for one name is not reused for another', async () => {
  const outbound = outboundFor(options);
  await outbound.getJson(`https://one.test:${server.port}/`);
  expect(await codeOf(outbound.getJson(`https://other.test:${server.port}/`))).toBe('tls_failed');
});

// proves: cryptography.outbound-tls-smtp, 12.3.2
test('an unknown issuer fails as tls_failed, regardless of the environment', async () => {
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  try {
    const { ca: _, ...withoutCa } = options;
    const call = outboundFor(withoutCa).getJson(`https://one.test:${server.port}/`);
    expect(await codeOf(call)).toBe('tls_failed');
  } finally {
    delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
  }
});

test('a server without TLS fails as tls_failed', async () => {
  const { host } = httpUpstream(() => Response.json(1));
  expect(await codeOf(outboundFor(options).getJson(`https://${host}/`))).toBe('tls_failed');
});
