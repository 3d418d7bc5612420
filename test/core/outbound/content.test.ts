import { describe, expect, test } from 'bun:test';
import { codeOf, httpUpstream, outboundFor, rawUpstream } from './upstream.ts';

const OK = '{"ok":true}';

/** Starts an upstream that sends these header lines and bytes, then closes the connection. */
async function sending(lines: string[], body: string | Uint8Array = OK) {
  const head = ['HTTP/1.1 200 OK', ...lines, 'Connection: close', '', ''].join('\r\n');
  return rawUpstream((socket) => {
    socket.write(head);
    socket.end(body);
  });
}

const JSON_TYPE = 'Content-Type: application/json';

describe('JSON is recognised by its content', () => {
  test.each([
    ['text/plain', ['Content-Type: text/plain']],
    ['text/html', ['Content-Type: text/html; charset=iso-8859-1']],
    ['octet-stream', ['Content-Type: application/octet-stream']],
    ['no type', []],
    ['an empty type', ['Content-Type:']],
    ['an invalid type', ['Content-Type: json']],
    ['two types', ['Content-Type: text/plain', JSON_TYPE]],
    ['another charset', ['Content-Type: application/json; charset=iso-8859-1']],
    ['an unknown charset', ['Content-Type: application/json; charset=klingon']],
    ['a charset as its coding', [JSON_TYPE, 'Content-Encoding: utf-8']],
    ['an unknown coding', [JSON_TYPE, 'Content-Encoding: none']],
    ['a coding of S3', [JSON_TYPE, 'Content-Encoding: aws-chunked']],
    ['identity twice', [JSON_TYPE, 'Content-Encoding: identity, IDENTITY']],
    ['an empty coding', [JSON_TYPE, 'Content-Encoding: ']],
    ['an empty list', [JSON_TYPE, 'Content-Encoding: ,']],
  ])('with %s', async (_, lines) => {
    const { url } = await sending(lines);
    expect(await outboundFor().getJson(url)).toEqual({ ok: true });
  });

  test.each([
    ['UTF-8 with a mark', [0xef, 0xbb, 0xbf], 'utf8'],
    ['UTF-16 with a mark', [0xff, 0xfe], 'utf16le'],
    ['UTF-16 without a mark', [], 'utf16le'],
  ] as const)('in %s', async (_, mark, encoding) => {
    const body = Buffer.concat([Buffer.from(mark), Buffer.from('{"ok":"é€😀"}', encoding)]);
    const { url } = await sending([JSON_TYPE], body);
    expect(await outboundFor().getJson(url)).toEqual({ ok: 'é€😀' });
  });

  test('in UTF-16 of the other byte order', async () => {
    const body = Buffer.from('\ufeff["é"]', 'utf16le').swap16();
    const { url } = await sending([JSON_TYPE], body);
    expect(await outboundFor().getJson(url)).toEqual(['é']);
  });

  test.each(['gzip', 'x-gzip', 'GZip', 'identity, gzip', 'gzip,', 'utf-8, gzip'])(
    'compressed with the coding %j',
    async (coding) => {
      const headers = { 'content-encoding': coding };
      const { url } = httpUpstream(() => new Response(Bun.gzipSync(OK), { headers }));
      expect(await outboundFor().getJson(url)).toEqual({ ok: true });
    },
  );

  test.each(['br', 'deflate', 'zstd', 'compress', 'x-compress', 'dcb', 'gzip, gzip', 'br, gzip'])(
    'but not in a coding that was not offered: %s is bad_encoding',
    async (coding) => {
      const { url } = await sending([JSON_TYPE, `Content-Encoding: ${coding}`]);
      expect(await codeOf(outboundFor().getJson(url))).toBe('bad_encoding');
    },
  );

  test.each([
    ['HTML', '<p>'],
    ['a word', 'hello'],
    ['nothing', ''],
    ['two values', '1 2'],
    ['JSON with a callback', 'f({})'],
  ])('but not if it is invalid: %s is not_json', async (_, body) => {
    const { url } = await sending(['Content-Type: application/json'], body);
    expect(await codeOf(outboundFor().getJson(url))).toBe('not_json');
  });
});

describe('a call with accepted types', () => {
  const call = async (lines: string[], accept: string[]) => {
    const { url } = await sending(lines);
    return outboundFor().call({ url, accept });
  };

  test('returns text for text/plain, even if it is JSON', async () => {
    const reply = await call(['Content-Type: text/plain'], ['application/json', 'text/plain']);
    expect(reply).toMatchObject({ mediaType: 'text/plain', data: OK });
  });

  test('returns JSON with any charset', async () => {
    const reply = await call([`${JSON_TYPE}; charset=latin1`], ['application/json']);
    expect(reply.data).toEqual({ ok: true });
  });

  test.each([['text/plain'], [''], ['text/json']])('fails as not_json for %j', async (type) => {
    const failed = codeOf(call([`Content-Type: ${type}`], ['application/json']));
    expect(await failed).toBe('not_json');
  });
});

describe('Location', () => {
  test.each([
    ['UTF-8 as it is', '/caf\xc3\xa9', '/caf%C3%A9'],
    ['Latin-1 as it is', '/caf\xe9', '/caf%C3%A9'],
    ['percent-encoding', '/caf%C3%A9', '/caf%C3%A9'],
    ['UTF-8 in the query', '/x?q=\xe2\x82\xac', '/x?q=%E2%82%AC'],
    ['a relative path', 'a/../b', '/b'],
    ['only a query', '?a=1', '/?a=1'],
    ['blanks around it', '  /b\t', '/b'],
    ['a fragment', '/b#c', '/b'],
  ])('with %s', async (_, location, path) => {
    const paths: string[] = [];
    const upstream = await rawUpstream((socket) => {
      socket.end(
        Buffer.from(
          `HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
          'latin1',
        ),
      );
    });
    const fetchOnce = async (url: string, init: BunFetchRequestInit) => {
      paths.push(url.slice(url.indexOf('/', 8)));
      return paths.length === 1 ? fetch(url, init) : Response.json(1);
    };
    await outboundFor({ fetch: fetchOnce }).getJson(upstream.url);
    expect(paths).toEqual(['/', path]);
  });
});

describe('a call that ignores the body', () => {
  test.each([
    ['text', ['Content-Type: text/plain'], 'ok'],
    ['invalid JSON', [JSON_TYPE], '{'],
    ['a wrong encoding', ['Content-Encoding: gzip'], 'ok'],
    ['a body over the limit', [], 'x'.repeat(2_000_000)],
    ['no body', [], ''],
  ])('succeeds with %s', async (_, lines, body) => {
    const { url } = await sending(lines, body);
    const call = outboundFor().call({ url, method: 'POST', body: '{}', ignoresBody: true });
    expect(await call).toMatchObject({ status: 200, mediaType: '', data: null });
  });

  test('still fails with a status that is not accepted', async () => {
    const { url } = httpUpstream(() => new Response('no', { status: 404 }));
    expect(await codeOf(outboundFor().call({ url, ignoresBody: true }))).toBe('bad_status');
  });
});
